import type { Statement } from 'better-sqlite3'
import type { SqliteDatabase } from './database.ts'

/** Places in the order of commits that share an entry. A change needs another table: blocks are numbered by it. */
const BLOCK = 1024

interface Range {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/**
 * Finds messages by when they were received, which is nearly the order of their commits: only copies, and clocks that are set, make a
 * difference. So it is enough to know the earliest of each block (migration 006), and to look into those that hold something old enough.
 * What was removed by other means leaves entries that are too early; they are put right when they are looked into.
 */
export class SqliteReceipts<Row> {
  readonly #due: Statement<[receivedBefore: string], number>
  readonly #next: Statement<[], number>
  readonly #listed: Statement<[], number>
  readonly #select: Statement<[from: number, to: number, receivedBefore: string, rows: number], Row>
  readonly #earliest: Statement<[from: number, to: number, receivedFrom: string], string | null>
  readonly #enter: Statement<[block: number, earliest: string]>
  readonly #drop: Statement<[block: number]>
  readonly #advance: Statement<[dated: number]>

  /** @param columns what is wanted of messages */
  constructor (database: SqliteDatabase, columns: string) {
    this.#due = database.prepare<[string], number>('SELECT block FROM receipts WHERE earliest < ? ORDER BY earliest, block LIMIT 1').pluck()
    this.#next = database.prepare<[], number>("SELECT seq FROM messages WHERE seq >= (SELECT count FROM totals WHERE name = 'dated') ORDER BY seq LIMIT 1").pluck()
    this.#listed = database.prepare<[], number>("SELECT count FROM totals WHERE name = 'listed'").pluck()
    this.#select = database.prepare(`SELECT ${columns} FROM messages WHERE seq >= ? AND seq < ? AND listed = 1 AND created_at < ? ORDER BY seq LIMIT ?`)
    this.#earliest = database.prepare<[number, number, string], string | null>(
      'SELECT min(created_at) FROM messages WHERE seq >= ? AND seq < ? AND listed = 1 AND created_at >= ?').pluck()
    this.#enter = database.prepare('INSERT OR REPLACE INTO receipts VALUES (?, ?)')
    this.#drop = database.prepare('DELETE FROM receipts WHERE block = ?')
    this.#advance = database.prepare("UPDATE totals SET count = ? WHERE name = 'dated'")
  }

  /**
   * Some listed messages that were received before a moment, looked for in one block. Called within the transaction that removes them all.
   *
   * @returns none when there are none left, and undefined when more has to be looked at
   */
  take (receivedBefore: string, limit: number): Row[] | undefined {
    const due = this.#due.get(receivedBefore)
    if (due === undefined) return this.#takeUndated(receivedBefore, limit)
    const { from, to } = rangeOf(due)
    const rows = this.#select.all(from, to, receivedBefore, limit)
    if (rows.length < limit) this.#date(due, receivedBefore)
    return rows.length > 0 ? rows : undefined
  }

  /** A block gets its entry when all of it is listed. What is behind that is less than a block, or is listed first. */
  #takeUndated (receivedBefore: string, limit: number): Row[] | undefined {
    const next = this.#next.get()
    if (next === undefined) return []
    const block = Math.floor(next / BLOCK)
    const { from, to } = rangeOf(block)
    if (to > Number(this.#listed.get()) + 1) return this.#select.all(from, to, receivedBefore, limit)
    this.#date(block, '')
    this.#advance.run(to)
    return undefined
  }

  /** Enters the earliest receipt in a block that is not before a moment. */
  #date (block: number, receivedFrom: string): void {
    const { from, to } = rangeOf(block)
    const earliest = this.#earliest.get(from, to, receivedFrom)
    if (typeof earliest === 'string') this.#enter.run(block, earliest)
    else this.#drop.run(block)
  }
}

function rangeOf (block: number): Range {
  return { from: block * BLOCK, to: (block + 1) * BLOCK }
}
