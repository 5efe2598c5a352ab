import type { Statement } from 'better-sqlite3'
import { SqliteCounters, type Countable } from './counters.ts'
import type { SqliteDatabase } from './database.ts'

/** Enters stored messages into the indexes of the lists and into the counters, behind the commits that acknowledged them. */
export class SqliteListing {
  readonly #step: (rows: number) => number

  constructor (database: SqliteDatabase) {
    const counters = new SqliteCounters(database)
    const bounds: Statement<[], { listed: number, last: number }> = database.prepare(`
      SELECT (SELECT count FROM totals WHERE name = 'listed') AS listed, (SELECT coalesce(max(seq), 0) FROM messages) AS last`)
    const read: Statement<[after: number, upTo: number], Countable> = database.prepare(`
      SELECT from_msisdn AS "from", to_msisdn AS "to", ts, source FROM messages WHERE seq > ? AND seq <= ?`)
    const enter: Statement<[after: number, upTo: number]> = database.prepare(`
      UPDATE messages SET listed = 1 WHERE seq > ? AND seq <= ?`)
    const advance: Statement<[listed: number]> = database.prepare("UPDATE totals SET count = ? WHERE name = 'listed'")

    this.#step = database.transaction((rows: number) => {
      const { listed, last } = bounds.get() as { listed: number, last: number }
      const upTo = Math.min(last, listed + rows)
      if (upTo > listed) {
        counters.add(read.all(listed, upTo))
        enter.run(listed, upTo)
        advance.run(upTo)
      }
      return last - upTo
    }).immediate
  }

  /**
   * Lists the next messages, in one transaction.
   *
   * @param rows how many at most
   * @returns how many are left
   */
  step (rows: number): number {
    return this.#step(rows)
  }
}
