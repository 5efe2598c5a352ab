import type { Message } from '../../message.ts'
import { momentOf } from '../../timestamp.ts'
import type { Filter, Page } from '../message-store.ts'
import { COLUMNS, ORDER } from '../questions.ts'
import type { Budget } from './budget.ts'
import { FROM_TAIL, pathFor, restOf, type Bounds, type Condition, type Path } from './conditions.ts'
import type { Queries, Value } from './queries.ts'

/** A place between two index entries. */
interface Key { readonly moment: string, readonly message_id: string }

/** Greater than every moment. */
const END = '~'

/** Index entries that a slice looks at: few enough for some ten ms when each means reading its row. */
const SLICE = 10_000
/** The same where the entries are all that is looked at. */
const COUNTED_SLICE = 100_000

/**
 * A range of one index, in the order of the list, and what a row in it must fulfil besides.
 *
 * The index is that of the sender if one is asked for, else that of the recipient, else that of the source, where it has
 * an index, else that of the moments alone. The rest of the filter, if anything is left of it, is looked up in the rows.
 */
export class Walk {
  readonly #queries: Queries
  readonly #path: Path
  readonly #rest: Condition
  readonly #start: Key
  readonly #until: string

  /** @param bounds.last only rows up to this `seq`, where rows have to be read anyway */
  constructor (queries: Queries, filter: Filter, { after, upTo, last }: Bounds & { last?: number } = {}) {
    const { since, until } = filter
    this.#queries = queries
    this.#path = pathFor(filter)
    this.#rest = restOf(filter, this.#path, upTo, last)
    // A position lies behind `since` already: it came from a page with the same filters, or else is the later of both.
    this.#start = laterOf(
      { moment: since === undefined ? '' : momentOf(since), message_id: '' },
      after === undefined ? undefined : { moment: momentOf(after.ts), message_id: after.message_id }
    )
    this.#until = until === undefined ? END : momentOf(until)
  }

  /** Whether rows have to be read to know which are meant, which goes in slices. */
  get isSliced (): boolean {
    return this.#rest.sql !== ''
  }

  /** How many rows the walk meets. */
  count (budget: Budget): number {
    if (!this.isSliced) return this.#countIn(this.#range(this.#start))
    let count = 0
    for (const slice of this.#slices(budget)) count += this.#countIn(slice)
    return count
  }

  /**
   * How many rows the walk meets in each period, by the first `level` characters of their moments. A period comes once for
   * each slice that has a part of it, and for the tail of that.
   */
  * countBy (level: number, budget: Budget): Generator<{ period: string, count: number }> {
    for (const slice of this.#slices(budget, COUNTED_SLICE)) {
      const { listed, tail, values } = this.#parts(slice)
      const count = (rows: string): string => `SELECT substr(moment, 1, ?) AS period, count(*) AS count ${rows} GROUP BY 1`
      yield * this.#queries.all<{ period: string, count: number }>(`${count(listed)} UNION ALL ${count(tail)}`, level, ...values, level, ...values)
    }
  }

  /** `limit` rows after the first `skip`. */
  rows<Row extends Message = Message> (skip: number, limit: number, budget: Budget, columns = COLUMNS): Row[] {
    if (!this.isSliced) return this.#rowsFarther(skip, limit, columns)
    const found: Row[] = []
    for (const slice of this.#slices(budget)) {
      // What is skipped is counted, and not read.
      const skipped = skip > 0 ? Math.min(skip, this.#countIn(slice)) : 0
      found.push(...this.#rowsIn<Row>(slice, skipped, limit - found.length, columns))
      skip -= skipped
      if (found.length === limit) break
    }
    return found
  }

  /** The first rows, `limit` at most, and where to go on: with fewer of them, or none, when half of the time is over. */
  part<Row extends Message> (limit: number, budget: Budget, columns: string): Page<Row> {
    const messages: Row[] = []
    for (const { end, ...slice } of this.#slices(budget)) {
      messages.push(...this.#rowsIn<Row>(slice, 0, limit - messages.length, columns))
      if (messages.length === limit) return { messages, next: messages.at(-1) }
      if (end !== undefined && budget.isHalfSpent) return { messages, next: { ts: `${end.moment}Z`, message_id: end.message_id } }
    }
    return { messages, next: undefined }
  }

  /**
   * Steps over index entries without reading their rows. The row after `skip` others is at most as many listed rows
   * farther as there are rows in the tail.
   */
  #rowsFarther<Row extends Message> (skip: number, limit: number, columns: string): Row[] {
    const inTail = skip === 0 ? 0 : this.#countInTail(this.#range(this.#start))
    if (skip <= inTail) return this.#rowsIn(this.#range(this.#start), skip, limit, columns)
    const start = this.#keyAfter(this.#start, skip - inTail)
    if (start === undefined) return []
    const left = inTail - this.#countInTail(this.#range(this.#start, start))
    return this.#rowsIn(this.#range(start), left, limit, columns)
  }

  #countInTail (range: Condition): number {
    const { tail, values } = this.#parts(range)
    return this.#queries.number(`SELECT count(*) AS number ${tail}`, ...values)
  }

  #countIn (range: Condition): number {
    const { listed, tail, values } = this.#parts(range)
    return this.#queries.number(`SELECT (SELECT count(*) ${listed}) + (SELECT count(*) ${tail}) AS number`, ...values, ...values)
  }

  /** The listed rows come in the order of the index; SQLite sorts the tail and merges the two. */
  #rowsIn<Row extends Message> (range: Condition, skip: number, limit: number, columns: string): Row[] {
    const { listed, tail, values } = this.#parts(range)
    return this.#queries.all<Row & { moment: string }>(`
      SELECT ${columns}, moment ${listed} UNION ALL SELECT ${columns}, moment ${tail} ${ORDER} LIMIT ? OFFSET ?`,
    ...values, ...values, limit, skip).map(({ moment, ...row }) => row as unknown as Row)
  }

  /** The rows of a range, from the index and from the tail of those that are not listed yet. */
  #parts (range: Condition): { listed: string, tail: string, values: Value[] } {
    const conditions = `${this.#path.sql} ${range.sql} ${this.#rest.sql}`
    return {
      listed: `FROM messages INDEXED BY ${this.#path.index} WHERE listed = 1 AND ${conditions}`,
      tail: `${FROM_TAIL} AND ${conditions}`,
      values: [...this.#path.values, ...range.values, ...this.#rest.values]
    }
  }

  /** The range in parts, each of so many index entries. */
  * #slices (budget: Budget, size = SLICE): Generator<Condition & { end: Key | undefined }> {
    let start: Key | undefined = this.#start
    while (start !== undefined) {
      budget.check()
      const end = this.#keyAfter(start, size)
      yield { ...this.#range(start, end), end }
      start = end
    }
  }

  /** The key of the listed row that comes `count` entries later; undefined when the range ends before. */
  #keyAfter (start: Key, count: number): Key | undefined {
    const { sql, values } = this.#range(start)
    return this.#queries.one<Key>(`
      SELECT moment, message_id FROM messages INDEXED BY ${this.#path.index}
      WHERE listed = 1 AND ${this.#path.sql} ${sql} ${ORDER} LIMIT 1 OFFSET ?`, ...this.#path.values, ...values, count - 1)
  }

  /** One bound at each end: of two, SQLite would take one to look up and the other to check entry by entry. */
  #range (start: Key, end?: Key): Condition {
    const after = [start.moment, start.message_id]
    if (end === undefined) return { sql: '(moment, message_id) > (?, ?) AND moment < ?', values: [...after, this.#until] }
    return {
      sql: '(moment, message_id) > (?, ?) AND (moment, message_id) <= (?, ?)', values: [...after, end.moment, end.message_id]
    }
  }
}

function laterOf (a: Key, b: Key | undefined): Key {
  return b === undefined || b.moment < a.moment ? a : b
}
