/** A commit of fewer saves says little of what one of many costs: the sync to disk is most of it. */
const TELLING = 16
/** So few saves are stored soon, whatever they cost. */
const FEW = 64
/** Commits are looked at together that end within so long, in ms: a busy event loop hears of several at the same moment. */
const WINDOW = 250
/** How much the latest of them weigh. */
const WEIGHT = 0.5

/** How long saves take that are committed together, learnt from the commits so far. */
export class CommitPace {
  /** ms a save; 0 while nothing is known. */
  #cost = 0
  /** When the commits that are looked at now began, and when those before them ended, in ms. */
  #begun = 0
  #ended = -Infinity
  #saves = 0
  #time = 0

  /**
   * @param seconds how long the commit of so many took
   * @param now when it ended, in ms
   */
  committed (saves: number, seconds: number, now = performance.now()): void {
    if (saves < TELLING) return
    const time = seconds * 1000
    if (this.#saves === 0) this.#begun = Math.max(now - time, this.#ended)
    this.#saves += saves
    this.#time += time
    const elapsed = now - this.#begun
    if (elapsed < WINDOW && this.#cost > 0) return
    // Those that are under way at once share the time, and between them there may have been nothing to do.
    const cost = Math.min(elapsed, this.#time) / this.#saves
    this.#cost = this.#cost === 0 ? cost : this.#cost + (cost - this.#cost) * WEIGHT
    this.#saves = this.#time = 0
    this.#ended = now
  }

  /** How long the last of so many that wait will have waited, in ms; 0 when they are few. */
  timeFor (saves: number): number {
    return saves < FEW ? 0 : saves * this.#cost
  }
}
