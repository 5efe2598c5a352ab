import type { FeedFilter, FeedPosition } from '../storage/message-store.ts'
import type { Entry } from './entry.ts'

/** Events, as bytes to send. */
export interface Events {
  readonly bytes: Buffer
  readonly count: number
  /** The place behind the last of them. */
  readonly last: FeedPosition | undefined
}

/** Messages that came together, and go together to whoever waits for them. */
export class Batch {
  /** The place that they come behind, and the one behind them. */
  readonly after: FeedPosition
  readonly position: FeedPosition
  readonly #entries: readonly Entry[]
  readonly #events = new Map<string, Events>()
  /** Made when the first asks for one sender: of a thousand that each want another, most find nothing. */
  #bySender: ReadonlyMap<string, readonly Entry[]> | undefined

  constructor (after: FeedPosition, position: FeedPosition, entries: readonly Entry[]) {
    this.after = after
    this.position = position
    this.#entries = entries
  }

  /** What a filter lets through behind a place. */
  entries (filter: FeedFilter, { seq }: FeedPosition): Entry[] {
    return this.#candidates(filter).filter(entry => entry.position.seq > seq && entry.isLetThrough(filter))
  }

  /** The same as events. Feeds with one filter share one buffer, unless they were ahead. */
  events (filter: FeedFilter, position: FeedPosition): Events {
    if (this.#candidates(filter).length === 0) return NOTHING
    if (position.seq > this.after.seq) return eventsOf(this.entries(filter, position))
    const { from = '*', source } = filter
    const key = source === undefined ? from : `${from} ${source}`
    const events = this.#events.get(key) ?? eventsOf(this.entries(filter, position))
    this.#events.set(key, events)
    return events
  }

  #candidates ({ from }: FeedFilter): readonly Entry[] {
    if (from === undefined) return this.#entries
    this.#bySender ??= Map.groupBy(this.#entries, entry => entry.from)
    return this.#bySender.get(from) ?? []
  }
}

const NOTHING = eventsOf([])

export function eventsOf (entries: readonly Entry[]): Events {
  return { bytes: Buffer.from(entries.map(({ event }) => event).join('')), count: entries.length, last: entries.at(-1)?.position }
}
