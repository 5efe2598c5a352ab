import { now } from './clock.ts'

/** The event loop waited, if it waited for longer, in ms. */
const WAITED = 0.5

/**
 * Tells how late the event loop may hear of things. It asks the system once a turn for what has happened, and comes to the last
 * of that when it is through with the rest, which takes a busy one a tenth of a second and more.
 *
 * A turn costs a microsecond while somebody watches, and nothing else; a loop that has nothing to do goes on waiting.
 */
export class LoopTurns {
  #watchers = 0
  #watching = false
  /** When the turn before this one began with what it had been told, and when it was through, in ms. */
  #began = 0
  #ended = 0
  /** How long the loop had waited until then, all in all, in ms. */
  #waited = 0

  /** Begins to watch: what happens from now on can be asked for. */
  watch (): void {
    if (this.#watchers++ > 0 || this.#watching) return
    this.#watching = true
    this.#began = this.#ended = now()
    this.#waited = waitedSoFar()
    setImmediate(this.#turn).unref()
  }

  unwatch (): void {
    this.#watchers--
  }

  /** A moment, in ms as `now()` tells it: what the event loop hears of in this turn did not happen before it. */
  get heardSince (): number {
    const waited = waitedSoFar() - this.#waited
    return waited > WAITED ? this.#ended + waited : this.#began
  }

  readonly #turn = (): void => {
    const waited = waitedSoFar()
    this.#began = this.#ended + waited - this.#waited
    this.#ended = now()
    this.#waited = waited
    this.#watching = this.#watchers > 0
    if (this.#watching) setImmediate(this.#turn).unref()
  }
}

function waitedSoFar (): number {
  return performance.eventLoopUtilization().idle
}
