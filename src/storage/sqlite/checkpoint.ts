import { statSync } from 'node:fs'
import type { SqliteDatabase } from './database.ts'

/** The size of the write-ahead log at which it is cut back, even if commits have to wait for readers then, in bytes. */
const LIMIT = 96 * 1024 * 1024

/**
 * Keeps the write-ahead log small.
 *
 * SQLite moves its pages into the database every so often (database.ts) and then writes over it from the beginning, but
 * only at a moment when nobody reads from it; while there is always some reader, it grows. A checkpoint that waits for
 * readers ends that. They are soon done (reader.ts).
 */
export class SqliteCheckpoint {
  readonly #database: SqliteDatabase
  readonly #log: string

  constructor (database: SqliteDatabase, file: string) {
    this.#database = database
    this.#log = `${file}-wal`
  }

  /** Called after each commit. */
  afterCommit (): void {
    if (statSync(this.#log).size >= LIMIT) this.#truncate()
  }

  /** Called when nothing is being written: gives the space of the log back. */
  whenIdle (): void {
    this.#truncate()
  }

  #truncate (): void {
    this.#database.pragma('wal_checkpoint(TRUNCATE)')
  }
}
