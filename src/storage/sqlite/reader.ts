import type { Message } from '../../message.ts'
import type { CountedPage, Filter, Page, Position, Stats } from '../message-store.ts'
import type { Budget } from './budget.ts'
import type { SqliteDatabase } from './database.ts'
import { Queries } from './queries.ts'
import { isIndexed, Search } from './search.ts'
import { countAll, countByCounters, lastSeq, statsOf } from './totals.ts'
import { COLUMNS, Walk } from './walk.ts'

const SCHEMA = [
  'SELECT message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded, listed, moment FROM messages LIMIT 1',
  'SELECT name, count FROM totals LIMIT 1',
  'SELECT msisdn, count FROM senders LIMIT 1',
  'SELECT msisdn, count FROM busiest_senders LIMIT 1',
  'SELECT msisdn, count FROM recipients LIMIT 1',
  'SELECT level, period, count FROM periods LIMIT 1',
  "SELECT rowid FROM messages_search('any') LIMIT 1"
]

/** A range of the list that is walked rather than searched by the trigram index, in messages. */
const NARROW = 20_000

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

  get (messageId: string, _budget: Budget): Message | undefined {
    return this.#queries.one<Message>(`SELECT ${COLUMNS} FROM messages WHERE message_id = ?`, messageId)
  }

  page (filter: Filter, limit: number, offset: number, budget: Budget): CountedPage {
    if (this.#isSearch(filter)) {
      const search = new Search(this.#queries, filter, filter.q, budget)
      const hits = search.fewHits()
      if (hits !== undefined) return { ...pageOf(search.rowsOf(hits, offset, limit + 1), limit), total: search.countOf(hits) }
      const rows = new Walk(this.#queries, filter, { last: search.last }).rows(offset, limit + 1, budget)
      return { ...pageOf(rows, limit), total: search.count() }
    }
    const walk = new Walk(this.#queries, filter, { last: lastSeq(this.#queries) })
    const read = (): CountedPage => ({
      ...pageOf(walk.rows(offset, limit + 1, budget), limit),
      total: countByCounters(this.#queries, filter) ?? walk.count(budget)
    })
    return walk.isSliced ? read() : this.#queries.snapshot(read)
  }

  /** `limit` messages behind a position. */
  pageAfter (filter: Filter, limit: number, position: Position, budget: Budget): Page {
    if (this.#isSearch(filter)) {
      const search = new Search(this.#queries, filter, filter.q, budget, position)
      const hits = search.fewHits()
      if (hits !== undefined) return pageOf(search.rowsOf(hits, 0, limit + 1), limit)
    }
    return pageOf(new Walk(this.#queries, filter, { after: position }).rows(0, limit + 1, budget), limit)
  }

  /** Whether the trigram index knows `q`, and the rest of the filter leaves too much to look through it. */
  #isSearch (filter: Filter): filter is Filter & { q: string } {
    if (filter.q === undefined || !isIndexed(filter.q)) return false
    const { from, to, since, until } = filter
    const ranges = [{ from }, { to }, { since, until }].map(range => countByCounters(this.#queries, range) as number)
    return Math.min(...ranges) > NARROW
  }

  stats (_budget: Budget): Stats {
    return this.#queries.snapshot(() => statsOf(this.#queries))
  }

  count (_budget: Budget): number {
    return countAll(this.#queries)
  }

  /** Fails when any table or column is missing that the other questions or the writer need. */
  ping (_budget: Budget): void {
    for (const sql of SCHEMA) this.#queries.one(sql)
  }
}

/** One row more than `limit` was asked for: it says whether the list goes on. */
function pageOf (rows: Message[], limit: number): Page {
  const messages = rows.slice(0, limit)
  return { messages, next: rows.length > limit ? messages.at(-1) : undefined }
}
