import { setTimeout as delay } from 'node:timers/promises'
import { StoreUnavailable } from '../errors.ts'
import type { PostgresPool, Statement } from './pool.ts'

/** How long is waited at most for each, and how often is looked, in ms. */
const PATIENCE = 5000
const INTERVAL = 5

/** The greatest `seq` that was given to any message, committed or not. */
const LAST = { name: 'last', text: 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END::text AS last FROM messages_seq_seq' }

/** The transactions that may be storing messages. They hold this lock from before they take a `seq` until their rows are seen. */
const WRITERS = {
  name: 'writers',
  text: `
    SELECT virtualtransaction AS transaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'messages'::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
}

const WRITTEN = { name: 'written', text: 'SELECT pg_current_wal_lsn()::text AS place' }
const REPLAYED = { name: 'replayed', text: 'SELECT NOT pg_is_in_recovery() OR coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS there' }

/** What was stored since, and is seen: little. */
const BEYOND = { name: 'beyond', text: "SELECT coalesce(array_agg(seq::text), '{}') AS beyond FROM messages WHERE seq > $1::bigint" }

/** The messages that are seen at one moment, known by their `seq`, in decimal: a number of JavaScript may be too small. */
export interface Seen {
  /** Of everything up to this one nothing is under way any more. */
  readonly last: string
  /** Those that are seen beyond it. */
  readonly beyond: readonly string[]
}

/**
 * All messages that are stored by now, and whole deliveries of them, in a form that holds in later statements. A `seq` is taken
 * before it is committed, in any order, so whoever was storing messages when this was asked for is waited for first.
 *
 * @param reads of the server itself, or of a replica, which is waited for until it has as much
 * @throws {StoreUnavailable} when another transaction, or the replica, takes too long
 */
export async function seenNow (writes: PostgresPool, reads: PostgresPool, signal?: AbortSignal): Promise<Seen> {
  const { last } = await one<{ last: string }>(writes, LAST)
  await awaitWriters(writes, signal)
  const { place } = await one<{ place: string }>(writes, WRITTEN)
  await until('the replica lags behind', async () => (await one<{ there: boolean }>(reads, REPLAYED, place)).there)
  const { beyond } = await one<{ beyond: string[] }>(reads, BEYOND, last)
  return { last, beyond }

  async function one<Row> (pool: PostgresPool, statement: Statement, ...values: string[]): Promise<Row> {
    const [row] = await pool.query<Row>(statement, values, signal)
    return row as Row
  }
}

/**
 * Resolves when everybody has ended who may be storing messages now.
 *
 * @throws {StoreUnavailable} when that takes too long
 */
export async function awaitWriters (pool: PostgresPool, signal?: AbortSignal): Promise<void> {
  const present = async () => new Set((await pool.query<{ transaction: string }>(WRITERS, [], signal)).map(({ transaction }) => transaction))
  let waitedFor = await present()
  await until('a transaction that stores messages does not end', async () => {
    if (waitedFor.size === 0) return true
    const still = await present()
    waitedFor = new Set([...waitedFor].filter(transaction => still.has(transaction)))
    return waitedFor.size === 0
  })
}

async function until (delayed: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!await isDone()) {
    if (performance.now() > deadline) throw new StoreUnavailable(delayed)
    await delay(INTERVAL)
  }
}
