import { feedPageOf, isKnownPosition, letsNothingThrough, rowsToLookAt, type Look } from '../feed-page.ts'
import { BEGINNING, positionBehind } from '../feed-position.ts'
import { UnknownPosition } from '../errors.ts'
import type { FeedFilter, FeedPage, FeedPosition } from '../message-store.ts'
import { feedColumns } from '../questions.ts'
import { RECEIVED_AT } from './pages.ts'
import type { PostgresPool } from './pool.ts'

/**
 * `seq` comes from a sequence, and transactions do not commit in its order: behind a row that can be read, one with a
 * smaller seq may still come. So whoever stores messages announces it before any of them gets its seq: by a lock, shared
 * and to the end of the transaction, whose number says what the sequence had reached by then. Every seq of that
 * transaction is greater. (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS)
 *
 * A reader looks first at what the sequence has reached, then at the locks, and then reads rows up to the lower of both:
 *
 * - Who is under way with a seq up to there has had his lock since before that seq was given, and still has it, or his
 *   transaction ended before the locks were looked at, and then a statement that begins later sees his rows.
 * - Who takes a lock later gets seqs behind what the sequence had reached.
 *
 * So nothing can still come before the end of a page. Locks and sequences are of this server and of no snapshot: all of it
 * holds on the primary only. Transaction ids would do without locks, but a restored dump has others.
 */
const LOCKS = 0x6c62
/** Bits of a lock's number that say what the sequence had reached. */
const SEQ_BITS = 48

/** The last value that was given. */
const REACHED = 'last_value - CASE WHEN is_called THEN 0 ELSE 1 END'

/** One row, once the lock is had. */
export const ANNOUNCE = `SELECT pg_advisory_xact_lock_shared((${LOCKS}::bigint << ${SEQ_BITS}) + ${REACHED}) FROM messages_seq_seq`

/** The number of a lock is shown in two halves. The condition makes that locks are looked at after the sequence. */
const SETTLED = {
  name: 'settled',
  text: `
    WITH sequence AS MATERIALIZED (SELECT ${REACHED} AS reached FROM messages_seq_seq)
    SELECT reached, (
      SELECT min((classid::bigint & 65535) << 32 | objid::bigint) FROM pg_locks
      WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = ${LOCKS}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND reached IS NOT NULL
    ) AS held
    FROM sequence`
}

/** Rows are looked at in the order of seq, whatever the planner thinks of the filter: it might sort all of one sender. */
const page = (condition: string): string => `
  WITH looked AS MATERIALIZED (
    SELECT ${feedColumns(RECEIVED_AT)} FROM messages WHERE seq > $1::bigint AND seq <= $2::bigint ORDER BY seq LIMIT $3::integer
  )
  SELECT
    (SELECT message_id FROM messages WHERE seq = $1::bigint) AS found,
    (SELECT count(*) FROM looked)::integer AS looked,
    (SELECT to_json(last) FROM (SELECT seq, message_id FROM looked ORDER BY seq DESC LIMIT 1) AS last) AS last,
    (SELECT coalesce(json_agg(page), '[]') FROM (SELECT * FROM looked WHERE ${condition} ORDER BY seq LIMIT $4::integer) AS page) AS rows`

const PAGE = { name: 'feed', text: page('true') }
const PAGE_BY = { name: 'feed by', text: page('($5::text IS NULL OR "from" = $5) AND ($6::text IS NULL OR source = $6)') }

const END = { name: 'feed end', text: 'SELECT seq::float8 AS seq, message_id FROM messages WHERE seq <= $1::bigint ORDER BY seq DESC LIMIT 1' }

interface Answer extends Look {
  readonly found: string | null
  readonly looked: number
}

/** The messages in the order in which they can be read first, by everyone the same. */
export class PostgresFeed {
  readonly #pool: PostgresPool
  /** A position that is one of this database for sure: where the last page ended. */
  #known: FeedPosition = BEGINNING
  /** What is settled once is so for good, though a lock may be shown later that was meant for an earlier state. */
  #settledOnce = 0

  constructor (pool: PostgresPool) {
    this.#pool = pool
  }

  /** @throws {UnknownPosition} */
  async page (filter: FeedFilter, after: FeedPosition, limit: number, signal?: AbortSignal): Promise<FeedPage> {
    const { reached, settled } = await this.#settled(signal)
    // As it is again and again while nothing comes.
    const isKnown = after.mark === this.#known.mark && after.seq === this.#known.seq
    if (isKnown && settled <= after.seq && after.seq <= reached) return { rows: [], position: after, isLast: true }

    const looked = rowsToLookAt(filter, limit)
    const { from = null, source = null } = letsNothingThrough(filter) ? NOTHING : filter
    const values = [after.seq, settled, looked, limit]
    const [answer] = from === null && source === null
      ? await this.#pool.query<Answer>(PAGE, values, signal)
      : await this.#pool.query<Answer>(PAGE_BY, [...values, from, source], signal)
    const { found, last, rows, looked: seen } = answer as Answer
    if (!isKnownPosition(after, found ?? undefined, reached)) throw new UnknownPosition()
    const result = feedPageOf({ rows, last, isLast: seen < looked }, after, limit)
    this.#known = result.position
    return result
  }

  async end (signal?: AbortSignal): Promise<FeedPosition> {
    const { settled } = await this.#settled(signal)
    const [last] = await this.#pool.query<NonNullable<Look['last']>>(END, [settled], signal)
    return last === undefined ? BEGINNING : positionBehind(last)
  }

  /** What the sequence has reached, and up to where no row can still come. */
  async #settled (signal?: AbortSignal): Promise<{ reached: number, settled: number }> {
    const [row] = await this.#pool.query<{ reached: string, held: string | null }>(SETTLED, [], signal)
    const reached = Number(row?.reached)
    const settled = Math.min(reached, Number(row?.held ?? Infinity))
    // Behind what is reached, it was settled on a server that another has taken the place of.
    this.#settledOnce = this.#settledOnce > reached ? settled : Math.max(this.#settledOnce, settled)
    return { reached, settled: this.#settledOnce }
  }
}

/** No message has an empty source. */
const NOTHING: FeedFilter = { source: '' }
