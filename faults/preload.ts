/**
 * Loaded into the service before it starts: faults that cannot be brought about from outside. On SIGWINCH it does what FAULT
 * says; in every thread, since threads load it too.
 */
import { isMainThread, type Worker } from 'node:worker_threads'

const { FAULT = '' } = process.env

if (FAULT === 'threads' && isMainThread) {
  const threads = new Set<Worker>()
  process.on('worker', worker => {
    threads.add(worker)
    worker.once('exit', () => threads.delete(worker))
  })
  // The writer and the readers by turns.
  let next = 0
  process.on('SIGWINCH', () => {
    const alive = [...threads]
    alive[next++ % alive.length]?.terminate()
  })
}

if (FAULT === 'clock') {
  // A shared file would be needed to shift threads on a signal; a clock that leaps every 300 ms does without.
  const Real = Date
  const LEAPS = [0, 86_400_000, -86_400_000 * 365, 3_600_000, 86_400_000 * 3650]
  const now = (): number => Real.now() + (LEAPS[Math.floor(performance.now() / 300) % LEAPS.length] ?? 0)
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
    get: (target, key) => key === 'now' ? now : Reflect.get(target, key)
  })
}
