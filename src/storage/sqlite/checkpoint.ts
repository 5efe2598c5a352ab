import { statSync } from 'node:fs'
import { WRITE_LOCK_TIMEOUT, type SqliteDatabase } from './database.ts'

const MIB = 1024 * 1024
/** From this size on the log is cut back at the first moment at which no reader is in the way for longer than a moment. */
const SOFT_LIMIT = 64 * MIB
/** From this size on commits wait for readers to get out of the way. */
const HARD_LIMIT = 112 * MIB

/** How long a commit waits for readers between the limits, and how long after that it is not made to wait again, in ms. */
const PATIENCE = 25
const PAUSE = 100

/**
 * Keeps the write-ahead log small.
 *
 * SQLite moves its pages into the database every so often (database.ts) and then writes over it from the beginning, but
 * only at a moment when nobody reads from it; while there is always some reader, it grows. A checkpoint that waits for
 * readers ends that. They are soon done (reader.ts), though not where the processors are busy: readers give way.
 */
export class SqliteCheckpoint {
  readonly #database: SqliteDatabase
  readonly #log: string
  #tried = 0

  constructor (database: SqliteDatabase, file: string) {
    this.#database = database
    this.#log = `${file}-wal`
  }

  /** Called after each commit. */
  afterCommit (): void {
    const { size } = statSync(this.#log)
    if (size >= HARD_LIMIT) this.#truncate(WRITE_LOCK_TIMEOUT)
    else if (size >= SOFT_LIMIT && performance.now() - this.#tried > PAUSE) this.#truncate(PATIENCE)
  }

  /**
   * Called when nothing is being written: gives the space of the log back.
   *
   * @throws when a reader is in the way
   */
  whenIdle (): void {
    if (!this.#truncate(PATIENCE)) throw new Error('a reader is in the way')
  }

  #truncate (patience: number): boolean {
    this.#database.pragma(`busy_timeout = ${patience}`)
    const busy = this.#database.pragma('wal_checkpoint(TRUNCATE)', { simple: true })
    this.#database.pragma(`busy_timeout = ${WRITE_LOCK_TIMEOUT}`)
    this.#tried = performance.now()
    return busy === 0
  }
}
