import type { Statement } from 'better-sqlite3'
import type { SqliteDatabase } from './database.ts'

export type Value = string | number | null

/** The statements of one connection, each prepared once. They differ only by which filters are set: there are few. */
export class Queries {
  readonly #database: SqliteDatabase
  readonly #statements = new Map<string, Statement<Value[], unknown>>()

  constructor (database: SqliteDatabase) {
    this.#database = database
  }

  one<Row> (sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  all<Row> (sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  /** What is called `number` in the only row of a statement that always has one. */
  number (sql: string, ...values: Value[]): number {
    return this.one<{ number: number }>(sql, ...values)?.number as number
  }

  /** Runs `work` on one state of the database. It must be short: the log cannot begin anew while it runs. */
  snapshot<Result> (work: () => Result): Result {
    return this.#database.transaction(work).deferred()
  }

  #prepare (sql: string): Statement<Value[], unknown> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare<Value[], unknown>(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
