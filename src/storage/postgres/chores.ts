import { COUNT_ROWS, countSome } from './counters.ts'
import type { PostgresPool } from './pool.ts'

/**
 * How long after a commit it is counted, and how long after another process was found to be doing it, in ms. Each step has
 * a price, and so have the rows that wait for it, since every question reads them.
 */
const DELAY = 500
const RETRY = 1000

/**
 * Moves new entries into the trigram index proper, where there is one. Commits only append them to its pending list
 * (migrate.ts), which searches read from end to end.
 */
const INDEX = {
  name: 'index',
  text: "SELECT gin_clean_pending_list(indexrelid) FROM pg_index WHERE indexrelid = to_regclass('messages_search') AND indisvalid"
}

/**
 * Every question reads the whole of `uncounted`. Rows that were moved out of it stay in its pages until it is vacuumed,
 * and the server by itself comes around to that once a minute, hundreds of thousands of rows later.
 */
const VACUUM = { name: 'vacuum', text: 'VACUUM (SKIP_LOCKED, TRUNCATE FALSE) uncounted' }
/** Also gives the space back, for which it may hold up commits for a moment. */
const SHRINK = { name: 'shrink', text: 'VACUUM (SKIP_LOCKED) uncounted' }
/** How much time passes between two of them while there are commits, in ms. */
const VACUUM_INTERVAL = 1000

/** Does behind the commits what they leave undone. Every process tries; one at a time counts. */
export class PostgresChores {
  readonly #pool: PostgresPool
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Whether there was a commit since the last step began, which it may not have seen. */
  #missed = false
  #vacuumed = 0

  constructor (pool: PostgresPool) {
    this.#pool = pool
  }

  /** Called after a commit, and first for what an earlier process may have left. */
  schedule (delay = DELAY): void {
    this.#missed = true
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#do(), delay).unref()
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #do (): Promise<void> {
    this.#missed = false
    const moved = await this.#step().catch(() => undefined)
    this.#timer = undefined
    // Nothing is lost where it fails: what is left undone is done later.
    if (moved === undefined) this.schedule(RETRY)
    else if (moved > 0 || this.#missed) this.schedule(moved < COUNT_ROWS ? DELAY : 0)
  }

  /** @returns how many rows were moved; undefined where another process is doing it */
  async #step (): Promise<number | undefined> {
    const moved = await countSome(this.#pool)
    if (moved === undefined) return undefined
    await this.#pool.query(INDEX, [])
    if (moved === 0 || performance.now() - this.#vacuumed > VACUUM_INTERVAL) {
      await this.#pool.query(moved === 0 ? SHRINK : VACUUM, [])
      this.#vacuumed = performance.now()
    }
    return moved
  }
}
