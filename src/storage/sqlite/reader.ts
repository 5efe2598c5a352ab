import type { Message, StoredMessage } from '../../message.ts'
import type { Span, Volume } from '../../volume.ts'
import type { CountedPage, FeedFilter, FeedPage, FeedPosition, Filter, Page, Position, Stats } from '../message-store.ts'
import { COLUMNS, isHopeless, isSearch, pageOf, recordColumns, type IndexedFilter } from '../questions.ts'
import type { Budget } from './budget.ts'
import type { SqliteDatabase } from './database.ts'
import { feedEnd, feedPage } from './feed.ts'
import { Queries } from './queries.ts'
import { Search } from './search.ts'
import { countAll, countByCounters, lastSeq, statsOf } from './totals.ts'
import { volumeOf, volumeOfAll } from './volume.ts'
import { Walk } from './walk.ts'

const SCHEMA = [
  'SELECT message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded, listed, moment, source, type, raw FROM messages LIMIT 1',
  'SELECT name, count FROM totals LIMIT 1',
  'SELECT msisdn, count FROM senders LIMIT 1',
  'SELECT msisdn, count FROM busiest_senders LIMIT 1',
  'SELECT msisdn, count FROM recipients LIMIT 1',
  'SELECT source, count FROM sources LIMIT 1',
  'SELECT digest, source, raw, received_at FROM unread_items LIMIT 1',
  'SELECT level, period, count FROM periods LIMIT 1',
  'SELECT hash, day FROM removed_ids LIMIT 1',
  'SELECT msisdn, count FROM busiest_floor LIMIT 1',
  'SELECT block, earliest FROM receipts LIMIT 1',
  "SELECT rowid FROM messages_search('any') LIMIT 1"
]

const RECORD_COLUMNS = recordColumns('created_at')

/** A range of so few messages is walked rather than searched by the trigram index, and within one transaction. */
const NARROW = 2000
/** In a range of so many messages, walking it counts many hits sooner than looking up each of them does. */
const WALKABLE = 30_000

/**
 * The questions that one connection answers, each within a budget.
 *
 * While a read transaction lasts, the write-ahead log cannot begin anew. None lasts longer than one slice of a read that
 * has to look into rows, or one statement that an index answers alone, a deep offset at the longest.
 * What has to be of one state is either read in one short transaction, or bounded by `seq`, the order of commits.
 */
export class SqliteReader {
  readonly #queries: Queries

  constructor (database: SqliteDatabase) {
    this.#queries = new Queries(database)
  }

  get (messageId: string, _budget: Budget): StoredMessage | undefined {
    return this.#queries.one<StoredMessage>(`SELECT ${RECORD_COLUMNS} FROM messages WHERE message_id = ?`, messageId)
  }

  page (filter: Filter, limit: number, offset: number, budget: Budget): CountedPage {
    if (isHopeless(filter)) return { messages: [], next: undefined, total: 0 }
    const page = this.#page(filter, limit, offset, budget)
    // Of what was read in more than one transaction some may have been removed when the rest was counted.
    const shown = page.messages.length === 0 ? 0 : offset + page.messages.length
    return { ...page, total: Math.max(page.total, shown) }
  }

  #page (filter: Filter, limit: number, offset: number, budget: Budget): CountedPage {
    if (isSearch(filter)) {
      const range = this.#rangeOf(filter)
      if (range > NARROW) return this.#searchPage(filter, range, limit, offset, budget)
    }
    const walk = new Walk(this.#queries, filter, { last: lastSeq(this.#queries) })
    const read = (): CountedPage => ({
      ...pageOf(walk.rows(offset, limit + 1, budget), limit),
      total: countByCounters(this.#queries, filter) ?? walk.count(budget)
    })
    return walk.isSliced && this.#rangeOf(filter) > NARROW ? read() : this.#queries.snapshot(read)
  }

  #searchPage (filter: IndexedFilter, range: number, limit: number, offset: number, budget: Budget): CountedPage {
    const search = new Search(this.#queries, filter, filter.q, budget)
    const hits = search.fewHits()
    if (hits !== undefined) {
      return this.#queries.snapshot(() => ({ ...pageOf(search.rowsOf(hits, offset, limit + 1), limit), total: search.countOf(hits) }))
    }

    const walk = new Walk(this.#queries, filter, { last: search.last })
    return {
      ...pageOf(walk.rows(offset, limit + 1, budget), limit),
      total: range > WALKABLE ? search.count() : walk.count(budget)
    }
  }

  /** `limit` messages behind a position. */
  pageAfter (filter: Filter, limit: number, position: Position, budget: Budget): Page {
    return this.#after(COLUMNS, filter, limit, position, budget)
  }

  /** The same with how they came in. */
  recordsAfter (filter: Filter, limit: number, position: Position, budget: Budget): Page<StoredMessage> {
    return this.#after<StoredMessage>(RECORD_COLUMNS, filter, limit, position, budget)
  }

  #after<Row extends Message> (columns: string, filter: Filter, limit: number, position: Position, budget: Budget): Page<Row> {
    if (isHopeless(filter, position)) return { messages: [], next: undefined }
    if (isSearch(filter) && this.#rangeOf(filter) > NARROW) {
      const search = new Search(this.#queries, filter, filter.q, budget, { after: position })
      const hits = search.fewHits()
      if (hits !== undefined) return pageOf(search.rowsOf<Row>(hits, 0, limit + 1, columns), limit)
    }
    return pageOf(new Walk(this.#queries, filter, { after: position }).rows<Row>(0, limit + 1, budget, columns), limit)
  }

  /** The `seq` of the message that was stored last. */
  last (_budget: Budget): number {
    return lastSeq(this.#queries)
  }

  /**
   * Some of the messages behind a position that were stored up to a `seq`, `limit` at most: fewer, or none, where the list goes
   * on but the next that the filter lets through is far.
   */
  recordsUpTo (filter: Filter, limit: number, after: Position, upTo: number, budget: Budget): Page<StoredMessage> {
    if (isHopeless(filter, after)) return { messages: [], next: undefined }
    if (isSearch(filter) && this.#rangeOf(filter) > NARROW) {
      const search = new Search(this.#queries, filter, filter.q, budget, { after, upTo })
      const hits = search.fewHits()
      if (hits !== undefined) return pageOf(search.rowsOf<StoredMessage>(hits, 0, limit + 1, RECORD_COLUMNS), limit)
    }
    return new Walk(this.#queries, filter, { after, upTo }).part<StoredMessage>(limit, budget, RECORD_COLUMNS)
  }

  /** How many messages the narrowest condition beside `q` lets through; Infinity where there is none. */
  #rangeOf ({ from, to, since, until, source }: Filter): number {
    const conditions: Filter[] = [{ from }, { to }, { source }, { since, until }]
    return Math.min(...conditions
      .filter(condition => Object.values(condition).some(value => value !== undefined))
      .map(condition => countByCounters(this.#queries, condition) as number))
  }

  /** Messages behind a position, in the order of commits; undefined when the position is none of this database. */
  feed (filter: FeedFilter, after: FeedPosition, limit: number, _budget: Budget): FeedPage | undefined {
    return feedPage(this.#queries, filter, after, limit)
  }

  feedEnd (_budget: Budget): FeedPosition {
    return feedEnd(this.#queries)
  }

  stats (_budget: Budget): Stats {
    return this.#queries.snapshot(() => statsOf(this.#queries))
  }

  volume (span: Span, from: string | undefined, budget: Budget): Volume[] {
    if (from === undefined) return volumeOfAll(this.#queries, span)
    return isHopeless({ from }) ? [] : volumeOf(this.#queries, span, from, budget)
  }

  count (_budget: Budget): number {
    return countAll(this.#queries)
  }

  /** Fails when any table or column is missing that the other questions or the writer need. */
  ping (_budget: Budget): void {
    for (const sql of SCHEMA) this.#queries.one(sql)
  }
}
