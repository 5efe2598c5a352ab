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
/** The same from the hard limit on, and after that. The probe of readiness allows for such a wait. */
const LONG_PATIENCE = 1000
const LONG_PAUSE = 1000

/**
 * Keeps the write-ahead log small.
 *
 * SQLite moves its pages into the database every so often (database.ts) and then writes over it from the beginning, but
 * only at a moment when nobody reads from it; while there is always some reader, it grows. A checkpoint that waits for
 * readers ends that. They are soon done (reader.ts), though not where the processors are busy: readers give way.
 *
 * Who is not done when a commit has waited for long is another process, a backup for instance, and may take minutes.
 * Deliveries do not wait for it: the log grows, and is waited for once more each time that it has doubled.
 */
export class SqliteCheckpoint {
  readonly #database: SqliteDatabase
  readonly #log: string
  readonly #notice: (text: string) => void
  #limit = HARD_LIMIT
  #tried = 0

  /** @param notice is told, once, that the log grows */
  constructor (database: SqliteDatabase, file: string, notice: (text: string) => void) {
    this.#database = database
    this.#log = `${file}-wal`
    this.#notice = notice
  }

  /** Called after each commit. */
  afterCommit (): void {
    const { size } = statSync(this.#log)
    const pause = this.#limit === HARD_LIMIT ? PAUSE : LONG_PAUSE
    if (size >= this.#limit) this.#insist(size)
    else if (size >= SOFT_LIMIT && performance.now() - this.#tried > pause) this.#truncate(PATIENCE)
  }

  /**
   * Called when nothing is being written: gives the space of the log back.
   *
   * @throws when a reader is in the way
   */
  whenIdle (): void {
    if (!this.#truncate(PATIENCE)) throw new Error('a reader is in the way')
  }

  #insist (size: number): void {
    if (this.#truncate(LONG_PATIENCE)) return
    if (this.#limit === HARD_LIMIT) {
      this.#notice('another process, a backup for instance, reads the database for long: until it ends, the write-ahead log grows')
    }
    this.#limit = 2 * size
  }

  #truncate (patience: number): boolean {
    this.#database.pragma(`busy_timeout = ${patience}`)
    try {
      const busy = this.#database.pragma('wal_checkpoint(TRUNCATE)', { simple: true })
      if (busy === 0) this.#limit = HARD_LIMIT
      return busy === 0
    } finally {
      this.#database.pragma(`busy_timeout = ${WRITE_LOCK_TIMEOUT}`)
      this.#tried = performance.now()
    }
  }
}
