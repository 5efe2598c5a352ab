import { UnknownPosition } from '../storage/errors.ts'
import type { FeedFilter, FeedPosition } from '../storage/message-store.ts'
import type { Batch } from './batch.ts'
import type { Entry } from './entry.ts'
import type { Subscriber } from './hub.ts'

/** Messages, and the position behind them. */
export interface Taken {
  readonly entries: readonly Entry[]
  readonly position: FeedPosition
}

/** A page that waits for its first message. */
export class Poll implements Subscriber {
  readonly filter: FeedFilter
  readonly #limit: number
  readonly #taken = Promise.withResolvers<Taken>()
  #position: FeedPosition

  constructor (filter: FeedFilter, position: FeedPosition, limit: number) {
    this.filter = filter
    this.#limit = limit
    this.#position = position
  }

  get position (): FeedPosition {
    return this.#position
  }

  /** @throws {UnknownPosition} */
  get taken (): Promise<Taken> {
    return this.#taken.promise
  }

  take (batch: Batch): void {
    const entries = batch.entries(this.filter, this.#position)
    if (batch.position.seq > this.#position.seq) this.#position = batch.position
    if (entries.length > 0) this.#answer(entries.slice(0, this.#limit), entries.length > this.#limit)
  }

  lose (): void {
    this.#taken.reject(new UnknownPosition())
  }

  /** Ends the wait. */
  end (): void {
    this.#answer([], false)
  }

  #answer (entries: readonly Entry[], isCut: boolean): void {
    this.#taken.resolve({ entries, position: (isCut ? entries.at(-1)?.position : undefined) ?? this.#position })
  }
}
