/** A commit of fewer saves says little of what one of many costs: the sync to disk is most of it. */
const TELLING = 16
/** So few saves are stored soon, whatever they cost. */
const FEW = 128
/** How much the latest commit weighs. A slow one may have been a hiccup of the machine. */
const FASTER = 0.3
const SLOWER = 0.2

/** How long saves take that are committed together, learnt from the commits so far. */
export class CommitPace {
  /** ms a save; 0 while nothing is known. */
  #cost = 0
  #last = -Infinity

  /**
   * @param seconds how long the commit of so many took
   * @param now when it ended, in ms: of two that were under way at once, the second counts from the end of the first
   */
  committed (saves: number, seconds: number, now = performance.now()): void {
    const time = Math.min(seconds * 1000, now - this.#last)
    this.#last = now
    if (saves < TELLING) return
    const cost = time / saves
    if (this.#cost === 0) this.#cost = cost
    else this.#cost += (cost - this.#cost) * (cost < this.#cost ? FASTER : SLOWER)
  }

  /** How long the last of so many that wait will have waited, in ms; 0 when they are few. */
  timeFor (saves: number): number {
    return saves < FEW ? 0 : saves * this.#cost
  }
}
