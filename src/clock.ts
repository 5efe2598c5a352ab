/**
 * A moment in ms, on a clock that all threads of the process share and that nobody sets. `performance.now()` counts from the
 * start of each thread.
 */
export function now (): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
