import type { Statement } from 'better-sqlite3'
import type { SqliteDatabase } from './database.ts'

/** Pages of the index that a step writes: about as long as a step of removal takes. */
const PAGES = 16
/** The index is merged when one in so many messages was removed since, and so many at least. */
const PART = 8
const FEWEST = 1000

/**
 * Gives back what removed messages take in the search index.
 *
 * FTS5 deletes by adding: a removed text takes its own room and that of its deletion until both meet in one merge, and with the oldest, largest
 * part nothing is merged by itself before as much again has come in. So all parts are merged into one now and then, in small steps
 * (https://sqlite.org/fts5.html#the_merge_command), which an interruption does not harm: where it was is in the index, what is due in `totals`.
 */
export class SqliteSearchMerge {
  readonly #count: Statement<[removed: number]>
  readonly #isDue: Statement<[], number>
  readonly #step: () => boolean

  constructor (database: SqliteDatabase) {
    this.#count = database.prepare("UPDATE totals SET count = count + ? WHERE name = 'unmerged'")
    this.#isDue = database.prepare<[], number>(`
      SELECT (SELECT count FROM totals WHERE name = 'merging') = 1 OR
        (SELECT count FROM totals WHERE name = 'unmerged') >= max(${FEWEST}, (SELECT count FROM totals WHERE name = 'messages') / ${PART})`).pluck()
    const isMerging = database.prepare<[], number>("SELECT count FROM totals WHERE name = 'merging'").pluck()
    const begin = database.prepare("UPDATE totals SET count = (name = 'merging') WHERE name IN ('merging', 'unmerged')")
    const end = database.prepare("UPDATE totals SET count = 0 WHERE name = 'merging'")
    const merge = database.prepare<[pages: number]>("INSERT INTO messages_search (messages_search, rank) VALUES ('merge', ?)")
    const changes = database.prepare<[], number>('SELECT total_changes()').pluck()

    this.#step = database.transaction(() => {
      const begins = isMerging.get() !== 1
      if (begins) begin.run()
      const before = Number(changes.get())
      // All parts are inputs of the one merge that a negative number begins.
      merge.run(begins ? -PAGES : PAGES)
      // The statement itself counts as one.
      if (Number(changes.get()) - before >= 2) return true
      end.run()
      return false
    }).immediate
  }

  /** Called within the transaction that removes messages from the index. */
  removed (messages: number): void {
    this.#count.run(messages)
  }

  /** Merges some, if it is due, in one transaction. @returns whether there may be more to merge */
  step (): boolean {
    return this.#isDue.get() === 1 && this.#step()
  }
}
