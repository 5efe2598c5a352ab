import type { FastifyRateLimitStore } from '@fastify/rate-limit'

interface Window {
  count: number
  /** When it began, in ms of the process. */
  readonly began: number
}

/** How many requests, and how many ms until they are forgotten. */
export interface Counted {
  readonly current: number
  readonly ttl: number
}

type Callback = (error: Error | null, result: Counted) => void

/** Keys and addresses that are remembered. */
const REMEMBERED = 10_000

/**
 * Counts requests in fixed windows, for @fastify/rate-limit. Its own store goes by the time of day: where the clock is set
 * back by an hour, no window would end for an hour. Of more keys than are remembered, the one that was not counted for the
 * longest is forgotten.
 */
export class MonotonicStore implements FastifyRateLimitStore {
  /** Those counted last stand last. */
  readonly #windows = new Map<string, Window>()

  incr (key: string, done: Callback, length: number): void {
    const now = performance.now()
    const known = this.#windows.get(key)
    const window = known !== undefined && now - known.began < length ? known : { count: 0, began: now }
    window.count++
    this.#windows.delete(key)
    this.#windows.set(key, window)
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size <= REMEMBERED) break
      this.#windows.delete(oldest)
    }
    done(null, { current: window.count, ttl: length - (now - window.began) })
  }

  /** Takes back one that was counted just now. */
  giveBack (key: string): void {
    const window = this.#windows.get(key)
    if (window !== undefined) window.count--
  }

  /** A count of its own. */
  child (): MonotonicStore {
    return new MonotonicStore()
  }
}
