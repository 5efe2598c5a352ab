import type { SqliteDatabase } from './database.ts'

/** Characters that one step takes, however few messages they are: a commit waits for the step that it meets. */
const STEP_CHARACTERS = 100_000

/** Makes stored texts searchable, behind the commits that acknowledged them. */
export class SqliteSearchIndex {
  readonly #step: (rows: number) => number

  constructor (database: SqliteDatabase) {
    const indexedUpTo = database.prepare<[], number>("SELECT count FROM totals WHERE name = 'indexed'").pluck()
    const lastSeq = database.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM messages').pluck()
    const lengths = database.prepare<[from: number, to: number], { seq: number, length: number }>(
      'SELECT seq, coalesce(length(text_folded), 0) AS length FROM messages WHERE seq > ? AND seq <= ? ORDER BY seq')
    const insert = database.prepare<[from: number, to: number]>(`
      INSERT INTO messages_search (rowid, text_folded)
      SELECT seq, text_folded FROM messages WHERE seq > ? AND seq <= ? AND text_folded IS NOT NULL`)
    const advance = database.prepare<[indexed: number]>("UPDATE totals SET count = ? WHERE name = 'indexed'")

    this.#step = database.transaction((rows: number) => {
      const indexed = indexedUpTo.get() as number
      const last = lastSeq.get() as number
      const upTo = Math.min(last, indexed + rows)
      let until = indexed
      let characters = 0
      for (const { seq, length } of lengths.all(indexed, upTo)) {
        characters += length
        if (characters > STEP_CHARACTERS && until > indexed) break
        until = seq
      }
      // Messages that were removed leave gaps, larger than a step at times.
      if (characters <= STEP_CHARACTERS) until = Math.max(until, upTo)
      if (until > indexed) {
        insert.run(indexed, until)
        advance.run(until)
      }
      // Less than none where the last ones were removed.
      return Math.max(0, last - until)
    }).immediate
  }

  /**
   * Indexes the next messages, in one transaction.
   *
   * @param rows how many at most
   * @returns how many are left
   */
  step (rows: number): number {
    return this.#step(rows)
  }
}
