import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import type { Filter } from '../message-store.ts'
import { COLUMNS, FEW_HITS, ORDER } from '../questions.ts'
import type { Budget } from './budget.ts'
import { both, conditionsOf, type Bounds, type Condition } from './conditions.ts'
import type { Queries, Value } from './queries.ts'
import { lastSeq } from './totals.ts'
import { trigramQuery } from './trigrams.ts'

/** Consecutive messages, by seq, that one slice looks at: in the table, in the index, and in both. */
const TABLE_SLICE = 20_000
const INDEX_SLICE = 500_000
const JOINED_SLICE = 50_000
/** The same where the texts themselves are looked at: few enough for long ones. */
const CHECKED_SLICE = 10_000

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
  readonly #match: string
  /** What is left to ask of a message that matches, so that its text holds `q`. */
  readonly #check: Condition
  readonly #rest: Condition
  /** Just before the first message that is there: of those before it any number may have been removed. */
  readonly #first: number
  readonly #indexed: number
  /** The `seq` of the last message that the search sees. */
  readonly last: number

  constructor (queries: Queries, filter: Filter, q: string, budget: Budget, bounds: Bounds = {}) {
    this.#queries = queries
    this.#budget = budget
    this.#q = foldCase(q)
    const { match, isExact } = trigramQuery(this.#q)
    this.#match = match
    this.#check = isExact ? NOTHING : { sql: 'AND instr(messages.text_folded, ?) > 0', values: [this.#q] }
    this.#rest = conditionsOf(filter, bounds)
    this.#first = queries.number('SELECT coalesce(min(seq), 1) - 1 AS number FROM messages')
    this.#indexed = queries.number("SELECT count AS number FROM totals WHERE name = 'indexed'")
    this.last = lastSeq(queries)
  }

  /** The `seq` of every hit, before the rest of the filter; undefined when there are too many to sort them. */
  fewHits (): number[] | undefined {
    const hits: number[] = []
    // What the index alone answers, it answers in one statement that ends with the hits.
    const size = this.#check === NOTHING ? Infinity : CHECKED_SLICE
    for (const [from, to] of this.#slices(this.#first, this.#indexed, size)) {
      if (hits.length > FEW_HITS) return undefined
      const { sql, values } = this.#fromIndex(from, to, this.#check)
      hits.push(...this.#seqs(`SELECT messages_search.rowid AS seq ${sql} LIMIT ?`, ...values, FEW_HITS + 1))
    }
    for (const [from, to] of this.#slices(Math.max(this.#first, this.#indexed), this.last, TABLE_SLICE)) {
      if (hits.length > FEW_HITS) return undefined
      hits.push(...this.#seqs('SELECT seq FROM messages WHERE seq > ? AND seq <= ? AND instr(text_folded, ?) > 0', from, to, this.#q))
    }
    return hits.length > FEW_HITS ? undefined : hits
  }

  /** How many of these hits are still there and pass the rest of the filter. */
  countOf (hits: readonly number[]): number {
    return this.#queries.number(`SELECT count(*) AS number ${FROM_HITS} ${this.#rest.sql}`, JSON.stringify(hits), ...this.#rest.values)
  }

  /** `limit` of these hits that pass the rest of the filter, after the first `skip` of them. */
  rowsOf<Row extends Message = Message> (hits: readonly number[], skip: number, limit: number, columns = COLUMNS): Row[] {
    const sql = `SELECT ${columns} ${FROM_HITS} ${this.#rest.sql} ${ORDER} LIMIT ? OFFSET ?`
    return this.#queries.all(sql, JSON.stringify(hits), ...this.#rest.values, limit, skip)
  }

  /** How many messages there are to be found, however many. */
  count (): number {
    const condition = both(this.#check, this.#rest)
    const size = condition.sql === '' ? INDEX_SLICE : this.#check === NOTHING ? JOINED_SLICE : CHECKED_SLICE
    const tail = `SELECT count(*) AS number FROM messages WHERE seq > ? AND seq <= ? AND instr(text_folded, ?) > 0 ${this.#rest.sql}`

    let count = 0
    for (const [from, to] of this.#slices(this.#first, this.#indexed, size)) {
      const { sql, values } = this.#fromIndex(from, to, condition)
      count += this.#queries.number(`SELECT count(*) AS number ${sql}`, ...values)
    }
    for (const [from, to] of this.#slices(Math.max(this.#first, this.#indexed), this.last, TABLE_SLICE)) {
      count += this.#queries.number(tail, from, to, this.#q, ...this.#rest.values)
    }
    return count
  }

  /** What matches in a range of the index. Only where there is a condition, the rows are read. */
  #fromIndex (from: number, to: number, { sql, values }: Condition): Condition {
    const rows = sql === '' ? '' : 'JOIN messages ON seq = messages_search.rowid'
    return {
      sql: `FROM messages_search ${rows} WHERE messages_search.rowid > ${INTEGER} AND messages_search.rowid <= ${INTEGER}
        AND messages_search MATCH ? ${sql}`,
      values: [from, to, this.#match, ...values]
    }
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

const NOTHING: Condition = { sql: '', values: [] }
