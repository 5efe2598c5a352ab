import { Piscina } from 'piscina'
import { now } from '../../clock.ts'
import { StoreUnavailable } from '../errors.ts'
import { WAITING_READS, type Filter } from '../message-store.ts'
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

/** What probes and metrics ask, which is one step into a table. */
const PROBES: ReadonlySet<Method> = new Set(['ping', 'count'])

const OPTIONS = {
  filename: new URL('reader-thread.ts', import.meta.url).href,
  idleTimeout: Infinity,
  // Probes too.
  maxQueue: 2 * WAITING_READS,
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
  /** What threads were given and have not answered, with the mark that nobody waits for it. */
  readonly #underWay = new Map<Promise<unknown>, Int32Array>()
  #closed = false

  constructor (file: string) {
    this.#quick = new Piscina({ ...OPTIONS, minThreads: 1, maxThreads: 1, workerData: { file } })
    this.#slow = new Piscina({ ...OPTIONS, minThreads: 1, maxThreads: 2, workerData: { file } })
    // A thread that cannot be started, where the process may open no more files: what would have been its work waits for another.
    for (const pool of [this.#quick, this.#slow]) pool.on('error', () => {})
  }

  /**
   * Runs a method of SqliteReader in a thread.
   *
   * @param signal aborted when nobody waits for the answer any more
   * @throws {StoreUnavailable} when it failed, took too long, or was aborted
   */
  async run<Name extends Method> (method: Name, args: Arguments<Name>, signal?: AbortSignal): Promise<Answer<Name>> {
    if (this.#closed) throw new StoreUnavailable('the store is closed')
    if (signal?.aborted) throw new StoreUnavailable('nobody waits for the answer')
    const pool = isSlow(method, args) ? this.#slow : this.#quick
    if (pool.queueSize >= WAITING_READS && !PROBES.has(method)) throw new StoreUnavailable('too many reads are waiting')
    const cancelled = new Int32Array(new SharedArrayBuffer(4))
    const task: ReadTask = { method, args, deadline: now() + TIME_LIMIT, cancelled }

    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    const giveUp = (): void => {
      Atomics.store(cancelled, 0, 1)
      reject(new StoreUnavailable(signal?.aborted ? 'nobody waits for the answer' : 'the read took too long'))
    }
    const timer = setTimeout(giveUp, TIME_LIMIT)
    signal?.addEventListener('abort', giveUp, { once: true })
    const answer = pool.run(task)
    this.#underWay.set(answer, cancelled)
    answer.catch(() => {}).finally(() => this.#underWay.delete(answer))
    return Promise.race([answer, givenUp]).catch((cause: unknown) => {
      throw cause instanceof StoreUnavailable ? cause : new StoreUnavailable('the database could not be read', { cause })
    }).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    })
  }

  async close (): Promise<void> {
    this.#closed = true
    // A thread that ends while it has something in hand, whoever waits for that, is an error to the pool.
    for (const cancelled of this.#underWay.values()) Atomics.store(cancelled, 0, 1)
    await Promise.allSettled(this.#underWay.keys())
    await Promise.all([this.#quick.destroy(), this.#slow.destroy()])
  }
}

function isSlow (method: Method, args: readonly unknown[]): boolean {
  if (method === 'recordsUpTo') return true
  // That of one sender goes through its messages.
  if (method === 'volume') return args[1] !== undefined
  if (method !== 'page' && method !== 'pageAfter') return false
  const [filter, , place] = args as [Filter, number, unknown]
  const conditions = Object.values(filter).filter(value => value !== undefined).length
  return filter.q !== undefined || conditions > 1 || (typeof place === 'number' && place > DEEP_OFFSET)
}
