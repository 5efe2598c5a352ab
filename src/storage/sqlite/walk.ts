import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import { momentOf } from '../../timestamp.ts'
import type { Filter, Position } from '../message-store.ts'
import type { Budget } from './budget.ts'
import type { Queries, Value } from './queries.ts'

export const COLUMNS = 'message_id, from_msisdn AS "from", to_msisdn AS "to", ts, text'

/** The order of the list, and of a walk. */
export const ORDER = 'ORDER BY moment, message_id'

/** A place between two index entries. */
interface Key { readonly moment: string, readonly message_id: string }

/** Greater than every moment. */
const END = '~'

/** Index entries that a slice looks at: few enough for some ten ms when each means reading its row. */
const SLICE = 10_000
/** The same where the entries themselves say enough. */
const INDEX_ONLY_SLICE = 200_000

/** A condition in SQL. */
export interface Condition { readonly sql: string, readonly values: readonly Value[] }

/**
 * A range of one index, in the order of the list, and what a row in it must fulfil besides.
 *
 * The index is that of the sender if one is asked for, else that of the recipient, else that of the moments alone. The
 * rest of the filter, if anything is left of it, is looked up in the rows.
 */
export class Walk {
  readonly #queries: Queries
  readonly #path: Condition
  readonly #rest: Condition
  readonly #start: Key
  readonly #until: string

  /**
   * @param bounds.after only rows behind this position
   * @param bounds.last only rows up to this `seq`, where rows have to be read anyway
   */
  constructor (queries: Queries, filter: Filter, { after, last }: { after?: Position, last?: number } = {}) {
    const { from, to, since, until } = filter
    this.#queries = queries
    this.#path = pathFor(from, to)
    this.#rest = restOf(filter, last)
    // A position lies behind `since` already: it came from a page with the same filters, or else is the later of both.
    this.#start = laterOf(
      { moment: since === undefined ? '' : momentOf(since), message_id: '' },
      after === undefined ? undefined : { moment: momentOf(after.ts), message_id: after.message_id }
    )
    this.#until = until === undefined ? END : momentOf(until)
  }

  /** How many rows the walk meets. */
  count (budget: Budget): number {
    const size = this.#rest.sql === '' ? INDEX_ONLY_SLICE : SLICE
    let count = 0
    for (const slice of this.#slices(size, budget)) {
      count += this.#queries.number(`SELECT count(*) AS number ${slice.sql} ${this.#rest.sql}`, ...slice.values, ...this.#rest.values)
    }
    return count
  }

  /** `limit` rows after the first `skip`. */
  rows (skip: number, limit: number, budget: Budget): Message[] {
    return this.#rest.sql === '' ? this.#rowsOfIndex(skip, limit, budget) : this.#rowsThatFit(skip, limit, budget)
  }

  /** All rows of the range count: those that are skipped are skipped in the index. */
  #rowsOfIndex (skip: number, limit: number, budget: Budget): Message[] {
    let start: Key | undefined = this.#start
    for (; skip >= INDEX_ONLY_SLICE; skip -= INDEX_ONLY_SLICE) {
      budget.check()
      start = this.#keyAfter(start, INDEX_ONLY_SLICE)
      if (start === undefined) return []
    }
    const range = this.#range(start)
    return this.#queries.all(`SELECT ${COLUMNS} ${range.sql} ${ORDER} LIMIT ? OFFSET ?`, ...range.values, limit, skip)
  }

  #rowsThatFit (skip: number, limit: number, budget: Budget): Message[] {
    const found: Message[] = []
    for (const slice of this.#slices(SLICE, budget)) {
      const sql = `SELECT ${COLUMNS} ${slice.sql} ${this.#rest.sql} ${ORDER} LIMIT ?`
      found.push(...this.#queries.all<Message>(sql, ...slice.values, ...this.#rest.values, skip + limit - found.length))
      if (found.length === skip + limit) break
    }
    return found.slice(skip)
  }

  /** The range in parts of `size` index entries. */
  * #slices (size: number, budget: Budget): Generator<Condition> {
    let start: Key | undefined = this.#start
    while (start !== undefined) {
      budget.check()
      const end = this.#keyAfter(start, size)
      const { sql, values } = this.#range(start)
      yield end === undefined
        ? { sql, values }
        : { sql: `${sql} AND (moment, message_id) <= (?, ?)`, values: [...values, end.moment, end.message_id] }
      start = end
    }
  }

  /** The key of the entry that is `distance` behind `start`; undefined when the range ends before. */
  #keyAfter (start: Key, distance: number): Key | undefined {
    const { sql, values } = this.#range(start)
    return this.#queries.one<Key>(`SELECT moment, message_id ${sql} ${ORDER} LIMIT 1 OFFSET ?`, ...values, distance - 1)
  }

  #range (start: Key): Condition {
    return {
      sql: `${this.#path.sql} (moment, message_id) > (?, ?) AND moment < ?`,
      values: [...this.#path.values, start.moment, start.message_id, this.#until]
    }
  }
}

/** The index to walk by, and the number that it begins with. */
function pathFor (from: string | undefined, to: string | undefined): Condition {
  if (from !== undefined) return { sql: 'FROM messages INDEXED BY messages_by_sender WHERE from_msisdn = ? AND', values: [from] }
  if (to !== undefined) return { sql: 'FROM messages INDEXED BY messages_by_recipient WHERE to_msisdn = ? AND', values: [to] }
  return { sql: 'FROM messages INDEXED BY messages_by_moment WHERE', values: [] }
}

/** What the index of the walk does not decide: the recipient beside a sender, and the text. */
function restOf ({ from, to, q }: Filter, last: number | undefined): Condition {
  const terms: Condition[] = []
  if (from !== undefined && to !== undefined) terms.push({ sql: 'AND to_msisdn = ?', values: [to] })
  if (q !== undefined) terms.push({ sql: 'AND instr(text_folded, ?) > 0', values: [foldCase(q)] })
  if (terms.length > 0 && last !== undefined) terms.push({ sql: 'AND seq <= ?', values: [last] })
  return { sql: terms.map(({ sql }) => sql).join(' '), values: terms.flatMap(({ values }) => values) }
}

function laterOf (a: Key, b: Key | undefined): Key {
  return b === undefined || b.moment < a.moment ? a : b
}
