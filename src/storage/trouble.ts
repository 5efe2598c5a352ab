/** How long after a commit that failed nothing counts as writable, in ms. */
const LASTS = 2000

/** Remembers that a commit failed for a reason which the next one would meet as well, a full disk for instance. */
export class Trouble {
  #began = -Infinity

  /** Whether that was just now, and no commit has succeeded since. */
  get isRecent (): boolean {
    return performance.now() - this.#began < LASTS
  }

  begin (): void {
    this.#began = performance.now()
  }

  end (): void {
    this.#began = -Infinity
  }
}
