import { now } from '../../clock.ts'

/** A read that was given up: it took too long, or nobody waits for it any more. */
export class ReadAbandoned extends Error {
  override name = 'ReadAbandoned'
}

/**
 * How long a read may go on. A statement that runs cannot be interrupted, so long reads go in slices, and ask before each.
 */
export class Budget {
  readonly #deadline: number
  readonly #half: number
  readonly #cancelled: Int32Array

  /**
   * @param deadline on the clock of {@link now}
   * @param cancelled one element, shared with the one who waits; 1 when that one has given up
   */
  constructor (deadline: number, cancelled: Int32Array) {
    this.#deadline = deadline
    this.#half = (now() + deadline) / 2
    this.#cancelled = cancelled
  }

  /** Whether a read that can go on another time should leave it at what it has. */
  get isHalfSpent (): boolean {
    return now() > this.#half
  }

  /** @throws {ReadAbandoned} when the read should go no further */
  check (): void {
    if (Atomics.load(this.#cancelled, 0) === 1) throw new ReadAbandoned('nobody waits for the answer')
    if (now() > this.#deadline) throw new ReadAbandoned('the read took too long')
  }
}
