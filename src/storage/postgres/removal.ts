import { isStorable } from '../../storable.ts'
import { dayOf, idHash, type Removal } from '../removed.ts'
import { countTheRest } from './counters.ts'
import type { PostgresPool, Statement } from './pool.ts'
import { makeReceiptIndex } from './receipt-index.ts'
import { awaitWriters } from './seen.ts'
import { REMOVE } from './uncounting.ts'

/** Messages that one step removes, and ids that one step forgets. */
const ROWS = 500
const FORGET_ROWS = 5000

/**
 * Held by the process that removes by the time of receipt: of several one does, and the others have nothing to do. It is of a connection, since
 * the index is made outside of transactions.
 */
const LOCK = 0x6c62_0003
const TRY = { name: 'try', text: `SELECT pg_try_advisory_lock(${LOCK}) AS held` }
const UNLOCK = { name: 'unlock', text: `SELECT pg_advisory_unlock(${LOCK})` }

/** Ids in their order: of two that remember the same ones, one waits for the other. */
const REMEMBER = {
  name: 'remember',
  text: `
    INSERT INTO removed_ids SELECT hash, $2 FROM unnest($1::bytea[]) AS hash ORDER BY hash
    ON CONFLICT (hash) DO UPDATE SET day = excluded.day`
}

const REMOVE_UNREAD = {
  name: 'remove unread',
  text: `
    WITH gone AS (DELETE FROM unread_items WHERE digest IN (SELECT digest FROM unread_items WHERE received_at < $1::timestamptz LIMIT ${ROWS}) RETURNING 1)
    SELECT count(*)::integer AS rows FROM gone`
}

const FORGET = {
  name: 'forget',
  text: `
    WITH gone AS (DELETE FROM removed_ids WHERE day < $1 AND hash IN (SELECT hash FROM removed_ids WHERE day < $1 LIMIT ${FORGET_ROWS}) RETURNING 1)
    SELECT count(*)::integer AS rows FROM gone`
}

/**
 * Those who store messages look up every id in `removed_ids`, by a plan that is made anew when the server has new statistics, and not while
 * a table grows that was empty when it was planned.
 */
const ANALYZE = { name: 'analyze', text: 'ANALYZE removed_ids' }

/** Removes messages, some at a time, and all that was made of them. */
export class PostgresRemoval {
  readonly #pool: PostgresPool
  /** Settles when the last step of this process has ended: they would only wait for each other, each with a connection. */
  #last: Promise<unknown> = Promise.resolve()
  #steps = 0

  /** @param pool of two connections at least: one holds the lock */
  constructor (pool: PostgresPool) {
    this.#pool = pool
  }

  /**
   * Removes some of what is meant.
   *
   * Of messages, the ids are remembered first, then whoever was storing messages before that is waited for, then they are removed. So a delivery of
   * one of them meets the message or its id. One that began before both could wait for the removal, and then store it anew.
   *
   * @returns how many; 0 when there is none, when another process is removing by the time of receipt, or when the signal was aborted before the search for some began
   */
  async step (removal: Removal, signal?: AbortSignal): Promise<number> {
    if (signal?.aborted) return 0
    if ('unreadBefore' in removal) return this.#count(REMOVE_UNREAD, removal.unreadBefore)
    const [statement, value] = selection(removal)
    if (!isStorable(value)) return 0
    return 'receivedBefore' in removal ? this.#alone(() => this.#inTurn(statement, value), signal) : this.#inTurn(statement, value)
  }

  /** Forgets some of the ids that were removed before a day. @returns how many; 0 when there is none */
  forget (before: number): Promise<number> {
    return this.#count(FORGET, before)
  }

  async #alone (work: () => Promise<number>, signal?: AbortSignal): Promise<number> {
    try {
      return await this.#pool.use(async client => {
        const { rows: [lock] } = await client.query<{ held: boolean }>(TRY)
        if (lock?.held !== true) return 0
        await unlessAborted(makeReceiptIndex(client), signal)
        const rows = await work()
        await client.query(UNLOCK)
        return rows
      })
    } catch (error) {
      // The server goes on making the index, and keeps the lock until it has.
      if (signal?.aborted) return 0
      throw error
    }
  }

  #inTurn (statement: Statement, value: string): Promise<number> {
    const step = this.#last.then(() => this.#some(statement, value))
    this.#last = step.catch(() => {})
    return step
  }

  async #some (statement: Statement, value: string): Promise<number> {
    for (;;) {
      const chosen = await this.#pool.query<{ message_id: string }>(statement, [value])
      if (chosen.length === 0) return 0
      const removed = await this.#remove(chosen.map(({ message_id: id }) => id))
      // Another process may have removed the same ones, and there be more.
      if (removed > 0) return removed
    }
  }

  async #remove (ids: readonly string[]): Promise<number> {
    await this.#pool.query(REMEMBER, [ids.map(idHash), dayOf(Date.now())])
    await awaitWriters(this.#pool)
    const removed = await this.#pool.use(async client => {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      await countTheRest(client)
      const { rows: [row] } = await client.query<{ removed: number }>(REMOVE.messages, [ids])
      await client.query(REMOVE.busiest)
      await client.query('COMMIT')
      return (row as { removed: number }).removed
    })
    this.#steps++
    if (Number.isInteger(Math.log2(this.#steps))) await this.#pool.query(ANALYZE, [])
    return removed
  }

  async #count (statement: Statement, before: string | number): Promise<number> {
    const [row] = await this.#pool.query<{ rows: number }>(statement, [before])
    return (row as { rows: number }).rows
  }
}

function selection (removal: Exclude<Removal, { unreadBefore: string }>): [statement: Statement, value: string] {
  const select = (condition: string) => ({ name: condition, text: `SELECT message_id FROM messages WHERE ${condition} LIMIT ${ROWS}` })
  if ('from' in removal) return [select('from_msisdn = $1'), removal.from]
  if ('messageId' in removal) return [select('message_id = $1'), removal.messageId]
  return [select('created_at < $1 ORDER BY created_at'), removal.receivedBefore]
}

/** Waits for `work` for as long as somebody wants it. */
async function unlessAborted<Result> (work: Promise<Result>, signal?: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(new Error('nobody waits for it'))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
