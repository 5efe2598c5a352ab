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
    const window = this.#current(key, length, now) ?? { count: 0, began: now }
    window.count++
    this.#windows.delete(key)
    this.#windows.set(key, window)
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size <= REMEMBERED) break
      this.#windows.delete(oldest)
    }
    done(null, counted(window, length, now))
  }

  /** As `incr` would, without counting. */
  read (key: string, done: Callback, length: number): void {
    const now = performance.now()
    const window = this.#current(key, length, now)
    done(null, window === undefined ? { current: 0, ttl: 0 } : counted(window, length, now))
  }

  /** A count of its own. */
  child (): MonotonicStore {
    return new MonotonicStore()
  }

  #current (key: string, length: number, now: number): Window | undefined {
    const window = this.#windows.get(key)
    return window !== undefined && now - window.began < length ? window : undefined
  }
}

function counted ({ count, began }: Window, length: number, now: number): Counted {
  return { current: count, ttl: length - (now - began) }
}
