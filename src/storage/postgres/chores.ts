import type { PostgresPool } from './pool.ts'

/** Rows of `uncounted` that one step moves into the counters. */
const STEP = 5000
/** How long after a commit they are moved, and how long after another process was found to be doing it, in ms. */
const DELAY = 200
const RETRY = 1000

/**
 * Held by the process that counts, to the end of its transaction. A statement sees what was committed before it began, so
 * the lock is had before the next one does: else a sender that its last holder has just added looks new, and counts twice.
 */
const LOCK = { name: 'lock', text: `SELECT pg_try_advisory_xact_lock(${0x6c62_0002}) AS held` }

/**
 * Moves rows of `uncounted` into the counters. It is one transaction: whoever reads sees a message in the one or in the
 * other. Counts only grow, so a sender enters the busiest ten only by its own messages.
 */
const COUNT = {
  name: 'count',
  text: `
    WITH gone AS (
      DELETE FROM uncounted WHERE ctid = ANY (ARRAY(SELECT ctid FROM uncounted LIMIT ${STEP}))
      RETURNING from_msisdn, to_msisdn, second, count
    ), sent AS MATERIALIZED (
      SELECT from_msisdn AS msisdn, sum(count) AS count FROM gone GROUP BY 1
    ), added_total AS (
      UPDATE totals SET count = totals.count + CASE name
        WHEN 'messages' THEN (SELECT coalesce(sum(count), 0) FROM sent)
        ELSE (SELECT count(*) FROM sent WHERE NOT EXISTS (SELECT FROM senders WHERE senders.msisdn = sent.msisdn))
      END WHERE EXISTS (SELECT FROM gone)
    ), added_senders AS (
      INSERT INTO senders SELECT msisdn, count FROM sent
      ON CONFLICT (msisdn) DO UPDATE SET count = senders.count + excluded.count
      RETURNING msisdn, count
    ), added_busiest AS (
      INSERT INTO busiest_senders
      SELECT msisdn, count FROM added_senders WHERE msisdn IN (SELECT msisdn FROM busiest_senders)
      UNION ALL
      (SELECT msisdn, count FROM added_senders WHERE msisdn NOT IN (SELECT msisdn FROM busiest_senders)
       ORDER BY count DESC, msisdn LIMIT 10)
      ON CONFLICT (msisdn) DO UPDATE SET count = excluded.count
    ), added_recipients AS (
      INSERT INTO recipients SELECT to_msisdn, sum(count) FROM gone GROUP BY 1
      ON CONFLICT (msisdn) DO UPDATE SET count = recipients.count + excluded.count
    ), added_periods AS (
      INSERT INTO periods
      SELECT level, left(second, level), sum(count) FROM gone, unnest(ARRAY[4, 7, 10, 13, 16, 19]) AS level GROUP BY 1, 2
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
 * Moves new entries into the trigram index proper. Commits only append them to its pending list (migrate.ts), which
 * searches read from end to end.
 */
const INDEX = { name: 'index', text: "SELECT gin_clean_pending_list('messages_search')" }

/** Does behind the commits what they leave undone. Every process tries; one at a time counts. */
export class PostgresChores {
  readonly #pool: PostgresPool
  #searchIsIndexed = false
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Whether there was a commit since the last step began, which it may not have seen. */
  #missed = false

  constructor (pool: PostgresPool) {
    this.#pool = pool
  }

  /** Begins with what an earlier process may have left. */
  start (searchIsIndexed: boolean): void {
    this.#searchIsIndexed = searchIsIndexed
    this.schedule()
  }

  /** Called after a commit. */
  schedule (delay = DELAY): void {
    this.#missed = true
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#do(), delay).unref()
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #do (): Promise<void> {
    this.#missed = false
    const moved = await this.#count().catch(() => undefined)
    this.#timer = undefined
    // Nothing is lost where it fails: what is left undone is done later.
    if (moved === undefined) this.schedule(RETRY)
    else if (moved > 0 || this.#missed) this.schedule()
  }

  /** @returns how many rows were moved; undefined where another process is doing it */
  async #count (): Promise<number | undefined> {
    const moved = await this.#pool.use(async client => {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const { rows: [lock] } = await client.query<{ held: boolean }>(LOCK)
      const rows = lock?.held === true ? (await client.query<{ moved: number }>(COUNT)).rows : []
      if (rows.length > 0) await client.query(PRUNE)
      await client.query('COMMIT')
      return rows[0]?.moved
    })
    if (moved !== undefined && this.#searchIsIndexed) await this.#pool.query(INDEX, [])
    return moved
  }
}
