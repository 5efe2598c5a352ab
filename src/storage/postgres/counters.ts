import type { PoolClient } from 'pg'
import { PERIOD_LEVELS } from '../questions.ts'
import type { PostgresPool } from './pool.ts'

/** Rows of `uncounted` that one step moves into the counters. */
export const COUNT_ROWS = 5000

/**
 * Held by the process that counts, to the end of its transaction. A statement sees what was committed before it began, so
 * the lock is had before the next one does: else a sender that its last holder has just added looks new, and counts twice.
 */
const LOCK = { name: 'lock', text: `SELECT pg_try_advisory_xact_lock(${0x6c62_0002}) AS held` }

/** The same, for who waits until it is free. */
const WAIT = { name: 'wait', text: `SELECT pg_advisory_xact_lock(${0x6c62_0002})` }

const WAITING = { name: 'waiting', text: 'SELECT EXISTS (SELECT FROM uncounted) AS exist' }

/**
 * Moves rows of `uncounted` into the counters. It is one transaction: whoever reads sees a message in the one or in the
 * other. Who has no more messages than were just counted is a new sender. Counting only adds, so a sender enters the busiest
 * ten only by its own messages; what removing does to them: uncounting.ts.
 */
const COUNT = {
  name: 'count',
  text: `
    WITH gone AS (
      DELETE FROM uncounted WHERE ctid = ANY (ARRAY(SELECT ctid FROM uncounted LIMIT ${COUNT_ROWS}))
      RETURNING from_msisdn, to_msisdn, source, second
    ), sent AS MATERIALIZED (
      SELECT from_msisdn AS msisdn, count(*) AS count FROM gone GROUP BY 1
    ), added_senders AS (
      INSERT INTO senders SELECT msisdn, count FROM sent
      ON CONFLICT (msisdn) DO UPDATE SET count = senders.count + excluded.count
      RETURNING msisdn, count
    ), added_total AS (
      UPDATE totals SET count = totals.count + CASE name
        WHEN 'messages' THEN (SELECT count(*) FROM gone)
        ELSE (SELECT count(*) FROM added_senders JOIN sent USING (msisdn, count))
      END
    ), added_busiest AS (
      INSERT INTO busiest_senders
      SELECT msisdn, count FROM added_senders WHERE msisdn IN (SELECT msisdn FROM busiest_senders)
      UNION ALL
      (SELECT msisdn, count FROM added_senders WHERE msisdn NOT IN (SELECT msisdn FROM busiest_senders)
       ORDER BY count DESC, msisdn LIMIT 10)
      ON CONFLICT (msisdn) DO UPDATE SET count = excluded.count
    ), added_recipients AS (
      INSERT INTO recipients SELECT to_msisdn, count(*) FROM gone GROUP BY 1
      ON CONFLICT (msisdn) DO UPDATE SET count = recipients.count + excluded.count
    ), added_sources AS (
      INSERT INTO sources SELECT source, count(*) FROM gone GROUP BY 1
      ON CONFLICT (source) DO UPDATE SET count = sources.count + excluded.count
    ), seconds AS (
      SELECT second, count(*) AS count FROM gone GROUP BY 1
    ), added_periods AS (
      INSERT INTO periods
      SELECT level, left(second, level), sum(count) FROM seconds, unnest(ARRAY[${PERIOD_LEVELS.join()}]) AS level GROUP BY 1, 2
      ON CONFLICT (level, period) DO UPDATE SET count = periods.count + excluded.count
    )
    SELECT count(*)::integer AS moved FROM gone`
}

/** Forgets those who are not among the busiest ten any more. */
const PRUNE = {
  name: 'prune',
  text: `
    DELETE FROM busiest_senders
    WHERE msisdn NOT IN (SELECT msisdn FROM busiest_senders ORDER BY count DESC, msisdn LIMIT 10)`
}

/**
 * Moves some of what is stored and not in the counters yet.
 *
 * @returns how many rows were moved; undefined where another process is doing it
 */
export async function countSome (pool: PostgresPool): Promise<number | undefined> {
  return pool.use(async client => {
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    const { rows: [lock] } = await client.query<{ held: boolean }>(LOCK)
    const moved = lock?.held === true ? await countLocked(client) : undefined
    await client.query('COMMIT')
    return moved
  })
}

/** Counts everything that is stored when the lock is had, which is held until the transaction ends. */
export async function countTheRest (client: PoolClient): Promise<void> {
  await client.query(WAIT)
  while (await countLocked(client) === COUNT_ROWS);
}

async function countLocked (client: PoolClient): Promise<number> {
  const { rows: [waiting] } = await client.query<{ exist: boolean }>(WAITING)
  if (waiting?.exist !== true) return 0
  const { rows: [counted] } = await client.query<{ moved: number }>(COUNT)
  await client.query(PRUNE)
  return counted?.moved as number
}
