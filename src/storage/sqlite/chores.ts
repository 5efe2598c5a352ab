import { WRITE_LOCK_TIMEOUT, type SqliteDatabase } from './database.ts'
import type { SqliteCheckpoint } from './checkpoint.ts'
import { SqliteListing } from './listing.ts'
import { SqliteSearchIndex } from './search-index.ts'

/** Rows that one step of listing takes, and one of indexing for search. */
const LIST_ROWS = 2048
const INDEX_ROWS = 512
/** Rows that may be unlisted, or not indexed, and have to be read by every question, before that goes before commits. */
const UNLISTED_ROWS = 2048
const UNINDEXED_ROWS = 16_384
/** How long nothing must have been written before the thread does what can wait, in ms. */
const CHORES_IDLE = 20
const CHECKPOINT_IDLE = 1000
/** How long what is not a commit waits for another process to let go of the database, in ms: a commit may come meanwhile. */
const PATIENCE = 200
/** How long after a chore has failed it is tried again, in ms. */
const RETRY = 1000

/** Does behind the commits what they leave undone. */
export class SqliteChores {
  readonly #database: SqliteDatabase
  readonly #checkpoint: SqliteCheckpoint
  readonly #listing: SqliteListing
  readonly #index: SqliteSearchIndex
  // What an earlier process has left the first steps find out. Opening needs no lock.
  #unlisted = 1
  #unindexed = 1
  #next: NodeJS.Timeout | undefined

  constructor (database: SqliteDatabase, checkpoint: SqliteCheckpoint) {
    this.#database = database
    this.#checkpoint = checkpoint
    this.#listing = new SqliteListing(database)
    this.#index = new SqliteSearchIndex(database)
  }

  /** @param rows how many were stored */
  stored (rows: number): void {
    this.#unlisted += rows
    this.#unindexed += rows
  }

  /** Whether something is not in the list yet. */
  get isBehind (): boolean {
    return this.#unlisted > 0
  }

  /** Lists everything that is stored. */
  catchUp (): void {
    while (this.isBehind) this.#list()
  }

  /** Nothing is done until {@link resume}. */
  pause (): void {
    clearTimeout(this.#next)
  }

  /** What may wait is done when nothing is being written, or when too much of it has piled up. */
  resume (): void {
    attempt(() => this.#checkpoint.afterCommit())
    if (this.#unlisted >= UNLISTED_ROWS) this.attemptSoon(() => this.#list())
    if (this.#unindexed >= UNINDEXED_ROWS) this.attemptSoon(() => this.#makeSearchable())
    this.#next = setTimeout(() => this.#rest(), CHORES_IDLE)
  }

  /** Does what can fail without long waits for another process. @returns whether it was done */
  attemptSoon (work: () => void): boolean {
    this.#database.pragma(`busy_timeout = ${PATIENCE}`)
    const done = attempt(work)
    this.#database.pragma(`busy_timeout = ${WRITE_LOCK_TIMEOUT}`)
    return done
  }

  /** One step a turn of the event loop: a group that came in meanwhile goes first. */
  #rest (): void {
    const isBusy = this.isBehind || this.#unindexed > 0
    const step = (): void => this.isBehind ? this.#list() : this.#makeSearchable()
    if (isBusy) this.#next = setTimeout(() => this.#rest(), this.attemptSoon(step) ? 0 : RETRY)
    else this.#next = setTimeout(() => this.#settle(), CHECKPOINT_IDLE)
  }

  #settle (): void {
    if (!attempt(() => this.#checkpoint.whenIdle())) this.#next = setTimeout(() => this.#settle(), CHECKPOINT_IDLE)
  }

  #list (): void {
    this.#unlisted = this.#listing.step(LIST_ROWS)
  }

  #makeSearchable (): void {
    this.#unindexed = this.#index.step(INDEX_ROWS)
  }
}

/** A chore can fail, on a full disk for instance. Nothing is lost by that: it is tried again later. */
function attempt (work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
