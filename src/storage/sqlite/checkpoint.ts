import { statSync } from 'node:fs'
import type { SqliteDatabase } from './database.ts'

/** The size of the log at which its pages are moved into the database, in bytes. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024
/** The size at which a checkpoint waits for readers, so that the log can begin anew, in bytes. */
const RESTART_BYTES = 64 * 1024 * 1024

/**
 * Keeps the write-ahead log small. SQLite's own checkpoints would run every 4 MB, and never let the log begin anew
 * while there is always some reader. Reads are short (reader.ts), so waiting for them is short too.
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
    const { size } = statSync(this.#log)
    if (size >= RESTART_BYTES) this.#database.pragma('wal_checkpoint(RESTART)')
    else if (size >= CHECKPOINT_BYTES) this.#database.pragma('wal_checkpoint(PASSIVE)')
  }

  /** Called when nothing is being written: gives the space of the log back. */
  whenIdle (): void {
    this.#database.pragma('wal_checkpoint(TRUNCATE)')
  }
}
