import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import { momentOf } from '../../timestamp.ts'
import type { Filter, Position } from '../message-store.ts'
import { COLUMNS, FEW_HITS, ORDER } from '../questions.ts'
import type { Budget } from './budget.ts'
import type { Queries, Value } from './queries.ts'
import { lastSeq } from './totals.ts'
import type { Condition } from './walk.ts'

/** Consecutive messages, by seq, that one slice looks at: in the table, in the index, and in both. */
const TABLE_SLICE = 20_000
const INDEX_SLICE = 500_000
const JOINED_SLICE = 50_000

/** A number to compare with the index's rowid: FTS5 finds its place by integers only, and JavaScript's are bound as reals. */
const INTEGER = 'CAST(? AS INTEGER)'

/**
 * The messages whose folded text holds a folded `q` of three code points or more, and that pass the rest of a filter.
 *
 * The index holds messages up to a certain `seq`; those behind it, the tail, are read. What comes in while the search
 * goes on has a greater `seq` than `last` and is no part of it.
 */
export class Search {
  readonly #queries: Queries
  readonly #budget: Budget
  readonly #q: string
  readonly #phrase: string
  readonly #rest: Condition
  readonly #indexed: number
  /** The `seq` of the last message that the search sees. */
  readonly last: number

  constructor (queries: Queries, filter: Filter, q: string, budget: Budget, after?: Position) {
    this.#queries = queries
    this.#budget = budget
    this.#q = foldCase(q)
    this.#phrase = `"${this.#q.replaceAll('"', '""')}"`
    this.#rest = conditionsOf(filter, after)
    this.#indexed = queries.number("SELECT count AS number FROM totals WHERE name = 'indexed'")
    this.last = lastSeq(queries)
  }

  /** The `seq` of every hit, before the rest of the filter; undefined when there are too many to sort them. */
  fewHits (): number[] | undefined {
    const hits = this.#seqs(`
      SELECT rowid AS seq FROM messages_search WHERE messages_search MATCH ? AND rowid <= ${INTEGER} LIMIT ?`,
    this.#phrase, this.#indexed, FEW_HITS + 1)
    for (const [from, to] of this.#slices(this.#indexed, this.last, TABLE_SLICE)) {
      if (hits.length > FEW_HITS) return undefined
      hits.push(...this.#seqs('SELECT seq FROM messages WHERE seq > ? AND seq <= ? AND instr(text_folded, ?) > 0', from, to, this.#q))
    }
    return hits.length > FEW_HITS ? undefined : hits
  }

  /** How many of these hits pass the rest of the filter. */
  countOf (hits: readonly number[]): number {
    if (this.#rest.sql === '') return hits.length
    return this.#queries.number(`SELECT count(*) AS number ${FROM_HITS} ${this.#rest.sql}`, JSON.stringify(hits), ...this.#rest.values)
  }

  /** `limit` of these hits that pass the rest of the filter, after the first `skip` of them. */
  rowsOf (hits: readonly number[], skip: number, limit: number): Message[] {
    const sql = `SELECT ${COLUMNS} ${FROM_HITS} ${this.#rest.sql} ${ORDER} LIMIT ? OFFSET ?`
    return this.#queries.all(sql, JSON.stringify(hits), ...this.#rest.values, limit, skip)
  }

  /** How many messages there are to be found, however many. */
  count (): number {
    const { sql, values } = this.#rest
    const index = sql === ''
      ? `SELECT count(*) AS number FROM messages_search WHERE rowid > ${INTEGER} AND rowid <= ${INTEGER} AND messages_search MATCH ?`
      : `SELECT count(*) AS number FROM messages_search JOIN messages ON seq = messages_search.rowid
         WHERE messages_search.rowid > ${INTEGER} AND messages_search.rowid <= ${INTEGER} AND messages_search MATCH ? ${sql}`
    const tail = `SELECT count(*) AS number FROM messages WHERE seq > ? AND seq <= ? AND instr(text_folded, ?) > 0 ${sql}`

    let count = 0
    for (const [from, to] of this.#slices(0, this.#indexed, sql === '' ? INDEX_SLICE : JOINED_SLICE)) {
      count += this.#queries.number(index, from, to, this.#phrase, ...values)
    }
    for (const [from, to] of this.#slices(this.#indexed, this.last, TABLE_SLICE)) {
      count += this.#queries.number(tail, from, to, this.#q, ...values)
    }
    return count
  }

  #seqs (sql: string, ...values: Value[]): number[] {
    return this.#queries.all<{ seq: number }>(sql, ...values).map(({ seq }) => seq)
  }

  * #slices (from: number, to: number, size: number): Generator<[from: number, to: number]> {
    for (let start = from; start < to; start += size) {
      this.#budget.check()
      yield [start, Math.min(to, start + size)]
    }
  }
}

const FROM_HITS = 'FROM messages WHERE seq IN (SELECT value FROM json_each(?))'

/** Everything in the filter but `q`. */
function conditionsOf ({ from, to, since, until }: Filter, after: Position | undefined): Condition {
  const terms: [sql: string, ...values: string[]][] = []
  if (from !== undefined) terms.push(['AND from_msisdn = ?', from])
  if (to !== undefined) terms.push(['AND to_msisdn = ?', to])
  if (since !== undefined) terms.push(['AND moment >= ?', momentOf(since)])
  if (until !== undefined) terms.push(['AND moment < ?', momentOf(until)])
  if (after !== undefined) terms.push(['AND (moment, message_id) > (?, ?)', momentOf(after.ts), after.message_id])
  return { sql: terms.map(([sql]) => sql).join(' '), values: terms.flatMap(([, ...values]) => values) }
}
