/** What a store rejects with. */

/** The store cannot do it now; trying again later can succeed. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
  /** When to try again, in seconds. */
  readonly retryAfter: number = 1
}

/** A position that is none of this database's feed: of another one, or from before this one was set back to an older state. */
export class UnknownPosition extends Error {
  override name = 'UnknownPosition'
  override message = 'the position is of another database, or of another state of this one'
}

/** The database cannot be used at all, and waiting will not help. The message says why, in one sentence. */
export class StoreUnusable extends Error {
  override name = 'StoreUnusable'
}
