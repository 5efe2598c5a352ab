/** How long after a commit that failed nothing counts as writable, in ms. */
const LASTS = 2000

/** Remembers that a commit failed for a reason which the next one would meet as well, a full disk for instance. */
export class Trouble {
  #until = -Infinity

  /** Whether that was just now, and no commit has succeeded since. */
  get isRecent (): boolean {
    return performance.now() < this.#until
  }

  /** @param lasts how long what failed stands for the next, in ms */
  begin (lasts = LASTS): void {
    this.#until = performance.now() + lasts
  }

  end (): void {
    this.#until = -Infinity
  }
}
