import { now } from '../../clock.ts'
import { foldCase } from '../../fold.ts'
import { LoopTurns } from '../../loop-turns.ts'
import type { Arrival } from '../../message.ts'
import { PLAIN_SOURCE } from '../../storable.ts'
import { isMessage, isUnread, type Committed, type Committer, type Row } from '../committer.ts'
import type { SaveResult, StoreObserver } from '../message-store.ts'
import { Trouble } from '../trouble.ts'
import { HASH_BYTES } from '../removed.ts'
import { digestOf } from '../unread.ts'
import { ANNOUNCE } from './feed.ts'
import type { PostgresPool } from './pool.ts'

const COLUMNS = 'message_id, from_msisdn, to_msisdn, ts, text, text_folded'
const TYPES = '$1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]'

/**
 * Whether an id was not removed of late. A scalar subquery is looked up row by row in the index: what EXISTS says might be planned as a join
 * with all of the table, while that was small, and the plan be kept while it grows.
 */
const UNKNOWN = `(SELECT true FROM removed_ids WHERE hash = substr(sha256(convert_to(incoming.message_id, 'UTF8')), 1, ${HASH_BYTES})) IS NULL`

/**
 * One transaction a group. Ids are inserted in their order, so that two processes which store the same ones at the same
 * time wait for each other in turn and not in a circle. Ids that another transaction is storing are waited for: what is
 * a duplicate here is committed there.
 *
 * No row, and so no seq, comes before the lock is had that tells the feed which seqs may be under way (feed.ts).
 */
const save = (columns: string, values: string, more = ''): string => `
  WITH announced AS MATERIALIZED (
    ${ANNOUNCE}
  ), stored AS (
    INSERT INTO messages (${columns})
    SELECT incoming.* FROM announced, unnest(${values}) AS incoming (${columns})
    WHERE ${UNKNOWN}
    ORDER BY message_id COLLATE "C"
    ON CONFLICT (message_id) DO NOTHING
    RETURNING message_id, from_msisdn, to_msisdn, source, moment
  ), counted AS (
    INSERT INTO uncounted (from_msisdn, to_msisdn, source, second)
    SELECT from_msisdn, to_msisdn, source, left(moment, 19) FROM stored
  )${more}`

/** Messages that came as they are stored, now. */
const SAVE = { name: 'save', text: `${save(COLUMNS, TYPES)} SELECT message_id FROM stored` }

/** Messages of every origin, and unread items. */
const SAVE_ALL = {
  name: 'save all',
  text: `${save(`${COLUMNS}, source, type, raw, created_at`, `${TYPES}, $7::text[], $8::text[], $9::text[], $10::timestamptz[]`, `, kept AS (
    INSERT INTO unread_items (digest, source, raw)
    SELECT * FROM unnest($11::text[], $12::text[], $13::text[]) AS incoming (digest, source, raw)
    ORDER BY digest COLLATE "C"
    ON CONFLICT (digest) DO NOTHING
    RETURNING digest
  )`)} SELECT message_id, NULL AS digest FROM stored UNION ALL SELECT NULL, digest FROM kept`
}

/** Errors of the data, and of limits of the program: what one row can have and its neighbours do not. */
const OF_ONE_ROW = /^(?:22|54)/
/** Errors of the server's disk and memory, which the next commit would meet as well, though questions are answered. */
const OF_THE_SERVER = /^(?:53|58|XX)/

/** Of a statement that took too long: the server's code, whatever its language, and what pg says where the server is silent. */
const CANCELED = '57014'
const SILENT = 'Query read timeout'
/** Longer than it takes a commit to time out, or the service would be ready between two of them, in ms. */
const TIMEOUT_LASTS = 7000

/** Stores groups of rows, each in one durable transaction. */
export class PostgresWriter implements Committer {
  readonly #pool: PostgresPool
  readonly #observer: StoreObserver
  readonly #trouble = new Trouble()
  readonly #turns = new LoopTurns()

  constructor (pool: PostgresPool, observer: StoreObserver) {
    this.#pool = pool
    this.#observer = observer
  }

  /** Whether a commit failed just now, and none has succeeded since: for the server's disk, or for a standby that it waits for. */
  get isTroubled (): boolean {
    return this.#trouble.isRecent
  }

  async commit (rows: readonly Row[]): Promise<Committed> {
    this.#turns.watch()
    try {
      return await this.#commit(rows)
    } finally {
      this.#turns.unwatch()
    }
  }

  async #commit (rows: readonly Row[]): Promise<Committed> {
    const begun = now()
    // ON CONFLICT says nothing of copies within one statement.
    const keys = rows.map(keyOf)
    const first = new Map<string, Row>()
    rows.forEach((row, index) => {
      const key = keys[index] as string
      if (!first.has(key)) first.set(key, row)
    })

    const outcomes = await this.#save(first)
    this.#trouble.end()
    const ended = now()
    const heardSince = Math.max(begun, this.#turns.heardSince)
    this.#observer.committed(rows.length, (ended - begun) / 1000, (heardSince - begun) / 1000)
    return {
      begun,
      ended,
      rows: rows.length,
      outcomes: rows.map((row, index) => {
        const key = keys[index] as string
        const outcome = outcomes.get(key) ?? 'duplicate'
        return first.get(key) === row || outcome instanceof Error ? outcome : 'duplicate'
      })
    }
  }

  /** What became of each, by its key; those that are known already are left out. */
  async #save (rows: ReadonlyMap<string, Row>): Promise<Map<string, SaveResult | Error>> {
    try {
      const stored = await this.#insert([...rows.values()])
      return new Map(stored.map(({ message_id: messageId, digest = null }) => [messageId ?? unreadKey(digest as string), 'created']))
    } catch (error) {
      if (OF_THE_SERVER.test(codeOf(error))) this.#trouble.begin()
      else if (codeOf(error) === CANCELED || (error as Error).message === SILENT) this.#trouble.begin(TIMEOUT_LASTS)
      if (!OF_ONE_ROW.test(codeOf(error))) throw error
      if (rows.size === 1) return new Map([...rows.keys()].map(key => [key, error as Error]))
      const outcomes = new Map<string, SaveResult | Error>()
      for (const row of rows) for (const [key, outcome] of await this.#save(new Map([row]))) outcomes.set(key, outcome)
      return outcomes
    }
  }

  #insert (rows: readonly Row[]): Promise<{ message_id: string | null, digest?: string | null }[]> {
    const messages = rows.filter(isMessage)
    const values = [
      messages.map(({ message_id: messageId }) => messageId),
      messages.map(({ from }) => from),
      messages.map(({ to }) => to),
      messages.map(({ ts }) => ts),
      messages.map(({ text }) => text),
      messages.map(({ text }) => text === null ? null : foldCase(text))
    ]
    if (messages.length === rows.length && messages.every(isPlain)) return this.#pool.query(SAVE, values)

    const now = new Date().toISOString()
    const unread = rows.filter(isUnread)
    return this.#pool.query(SAVE_ALL, [
      ...values,
      messages.map(({ source = PLAIN_SOURCE }) => source),
      messages.map(({ type = null }) => type),
      messages.map(({ raw = null }) => raw),
      messages.map(({ received_at: receivedAt = now }) => receivedAt),
      unread.map(digestOf),
      unread.map(({ source }) => source),
      unread.map(({ raw }) => raw)
    ])
  }
}

function isPlain ({ source, received_at: receivedAt }: Arrival): boolean {
  return source === undefined && receivedAt === undefined
}

/** What a row is known by. No message's id holds U+0000. */
function keyOf (row: Row): string {
  return isMessage(row) ? row.message_id : unreadKey(digestOf(row))
}

function unreadKey (digest: string): string {
  return `\u0000${digest}`
}

/** The SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) behind an error; '' where there is none. */
function codeOf (error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : ''
}
