import type { Statement } from 'better-sqlite3'
import { HASH_BYTES, dayOf, idHash } from '../removed.ts'
import type { SqliteDatabase } from './database.ts'

/** Ids that one step of forgetting looks at. */
const ROWS = 2000

/** Before and behind every hash. */
const BEGINNING: Buffer = Buffer.alloc(0)
const END = Buffer.alloc(HASH_BYTES + 1, 0xff)

/**
 * Ids of messages that were removed. They are forgotten by walking through all of them, in the order of the table: an index by day would
 * double what they take, and that of every removal. A walk is due once a day, and once after a start.
 */
export class SqliteRemovedIds {
  readonly #remember: Statement<[hash: Buffer, day: number]>
  readonly #last: Statement<[after: Buffer], Buffer>
  readonly #forget: Statement<[after: Buffer, upTo: Buffer, before: number]>
  /** How far the walk has got, and which days it is about. */
  #after = BEGINNING
  #before = -Infinity
  /** No id was removed before this day. */
  #oldest = -Infinity

  constructor (database: SqliteDatabase) {
    this.#remember = database.prepare('INSERT OR REPLACE INTO removed_ids VALUES (?, ?)')
    this.#last = database.prepare<[Buffer], Buffer>(`SELECT hash FROM removed_ids WHERE hash > ? ORDER BY hash LIMIT 1 OFFSET ${ROWS - 1}`).pluck()
    this.#forget = database.prepare('DELETE FROM removed_ids WHERE hash > ? AND hash <= ? AND day < ?')
  }

  /** Called within the transaction that removes the messages. */
  remember (ids: readonly string[]): void {
    const today = dayOf(Date.now())
    for (const id of ids) this.#remember.run(idHash(id), today)
    // A clock that was set back.
    if (today < this.#oldest) this.#oldest = -Infinity
  }

  /**
   * Forgets some of the ids that were removed before a day.
   *
   * @returns how many; 0 when there is none left, and undefined when more has to be looked at
   */
  forget (before: number): number | undefined {
    if (before <= this.#oldest) return 0
    if (this.#after === BEGINNING) this.#before = before
    const last = this.#last.get(this.#after)
    const { changes } = this.#forget.run(this.#after, last ?? END, this.#before)
    this.#after = last ?? BEGINNING
    if (last === undefined) this.#oldest = this.#before
    return changes > 0 || (last === undefined && before === this.#before) ? changes : undefined
  }
}
