import { Piscina } from 'piscina'
import { StoreUnavailable, type Filter } from '../message-store.ts'
import { monotonicTime } from './budget.ts'
import type { SqliteReader } from './reader.ts'
import type { ReadTask } from './reader-thread.ts'

type Method = ReadTask['method']
/** The arguments of a reader's method, without the budget that comes last. */
type Arguments<Name extends Method> = Parameters<SqliteReader[Name]> extends [...infer Rest, unknown] ? Rest : never
type Answer<Name extends Method> = ReturnType<SqliteReader[Name]>

/** How long a read may take, the wait for a thread included, in ms. */
const TIME_LIMIT = 5000
/** Pages that begin behind so many messages go with the slow reads. */
const DEEP_OFFSET = 10_000

const OPTIONS = {
  filename: new URL('reader-thread.ts', import.meta.url).href,
  idleTimeout: Infinity,
  maxQueue: 1000,
  // Reads give way to the event loop and to the writer thread.
  niceIncrement: 5
}

/**
 * Threads that read. Searches and deep pages have threads of their own: however many of them are asked for, a quick read
 * waits only for quick reads.
 */
export class SqliteReaders {
  readonly #quick: Piscina
  readonly #slow: Piscina
  #closed = false

  constructor (file: string) {
    this.#quick = new Piscina({ ...OPTIONS, minThreads: 1, maxThreads: 1, workerData: { file } })
    this.#slow = new Piscina({ ...OPTIONS, minThreads: 1, maxThreads: 2, workerData: { file } })
  }

  /**
   * Runs a method of SqliteReader in a thread.
   *
   * @param signal aborted when nobody waits for the answer any more
   * @throws {StoreUnavailable} when it failed, took too long, or was aborted
   */
  async run<Name extends Method> (method: Name, args: Arguments<Name>, signal?: AbortSignal): Promise<Answer<Name>> {
    if (this.#closed) throw new StoreUnavailable('the store is closed')
    const pool = isSlow(method, args) ? this.#slow : this.#quick
    const cancelled = new Int32Array(new SharedArrayBuffer(4))
    const task: ReadTask = { method, args, deadline: monotonicTime() + TIME_LIMIT, cancelled }

    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    const giveUp = (): void => {
      Atomics.store(cancelled, 0, 1)
      reject(new StoreUnavailable(signal?.aborted ? 'nobody waits for the answer' : 'the read took too long'))
    }
    const timer = setTimeout(giveUp, TIME_LIMIT)
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted) giveUp()
    return Promise.race([pool.run(task), givenUp]).catch((cause: unknown) => {
      throw cause instanceof StoreUnavailable ? cause : new StoreUnavailable('the database could not be read', { cause })
    }).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    })
  }

  async close (): Promise<void> {
    this.#closed = true
    await Promise.all([this.#quick.destroy(), this.#slow.destroy()])
  }
}

function isSlow (method: Method, args: readonly unknown[]): boolean {
  // That of one sender goes through its messages.
  if (method === 'volume') return args[1] !== undefined
  if (method !== 'page' && method !== 'pageAfter') return false
  const [filter, , place] = args as [Filter, number, unknown]
  const conditions = Object.values(filter).filter(value => value !== undefined).length
  return filter.q !== undefined || conditions > 1 || (typeof place === 'number' && place > DEEP_OFFSET)
}
