import { StoreUnavailable } from '../storage/errors.ts'
import type { FeedFilter, FeedPosition, MessageStore } from '../storage/message-store.ts'
import { Entry } from './entry.ts'
import { Hub, type HubOptions } from './hub.ts'
import { Poll, type Taken } from './poll.ts'
import { Slots } from './slots.ts'
import { Stream, type Sink } from './stream.ts'

export interface FeedOptions extends HubOptions {
  /** After how much silence a stream is sent something, in ms: proxies end what is silent. */
  readonly heartbeat?: number
  /** How long a client may take nothing of what it was sent, in ms. */
  readonly patience?: number
  /** Streams and waiting pages at once; more are refused. */
  readonly maxOpen?: number
}

const HEARTBEAT = 15_000
const PATIENCE = 30_000
const MAX_OPEN = 2000
/** Messages that a stream which is behind reads at once, and streams that read at once. */
const CATCH_UP_ROWS = 200
const CATCH_UP_READS = 4
/** How long a page whose filter lets nothing through may look before it is answered empty, in ms. */
const LOOK = 1000

/** Every message in the order in which it was committed, to whoever wants to have them all. */
export class Feed {
  readonly #store: MessageStore
  readonly #hub: Hub
  readonly #streams = new Set<Stream>()
  readonly #polls = new Set<Poll>()
  readonly #slots = new Slots(CATCH_UP_READS)
  readonly #heartbeat: number
  readonly #patience: number
  readonly #maxOpen: number
  #tending: NodeJS.Timeout | undefined
  #delivered = 0
  #closed = false

  constructor (store: MessageStore, { heartbeat = HEARTBEAT, patience = PATIENCE, maxOpen = MAX_OPEN, ...hub }: FeedOptions = {}) {
    this.#store = store
    this.#hub = new Hub(store, hub)
    this.#heartbeat = heartbeat
    this.#patience = patience
    this.#maxOpen = maxOpen
  }

  /** How many streams are open and pages wait. */
  get open (): number {
    return this.#streams.size + this.#polls.size
  }

  /** How many messages were sent, to all together. */
  get delivered (): number {
    return this.#delivered
  }

  /** Something was committed. */
  wake (): void {
    this.#hub.wake()
  }

  /**
   * The next messages; where there are none yet, the first that come within a time.
   *
   * @param wait in ms
   * @param signal aborted when nobody waits for the answer any more
   * @throws {UnknownPosition}
   */
  async page (filter: FeedFilter, after: FeedPosition, limit: number, wait: number, signal: AbortSignal): Promise<Taken> {
    if (wait > 0) this.#admit()
    const begun = performance.now()
    let taken: Taken = { entries: [], position: after }
    for (;;) {
      const { rows, position, isLast } = await this.#store.feed(filter, taken.position, limit, signal)
      taken = { entries: rows.map(row => new Entry(row)), position }
      const time = performance.now() - begun
      if (rows.length === 0 && isLast && time < wait && !this.#closed) {
        // Others have begun to wait while this was read.
        this.#admit()
        const poll = new Poll(filter, position, limit)
        // Where others are further, what they have is there to be read.
        if (!this.#hub.join(poll)) continue
        taken = await this.#wait(poll, wait - time, signal)
      } else if (rows.length === 0 && !isLast && time < LOOK) continue
      this.#delivered += taken.entries.length
      return taken
    }
  }

  /**
   * Sends the messages behind a position, and all that come. It resolves when it has begun, and goes on until the client
   * is gone or the feed is closed.
   *
   * @param open called once it is known that there is something to send
   * @returns what to call when the client is gone
   * @throws {UnknownPosition}
   */
  async stream (filter: FeedFilter, after: FeedPosition, signal: AbortSignal, open: () => Sink): Promise<() => void> {
    this.#admit()
    const page = await this.#read(filter, after, signal)
    this.#admit()
    const stream = new Stream(filter, after, open(), {
      hub: this.#hub,
      read: (...place) => this.#read(...place),
      delivered: messages => { this.#delivered += messages },
      closed: stream => {
        this.#streams.delete(stream)
        if (this.#streams.size > 0) return
        clearInterval(this.#tending)
        this.#tending = undefined
      }
    })
    this.#streams.add(stream)
    this.#tending ??= setInterval(() => this.#tend(), Math.min(1000, this.#heartbeat, this.#patience))
    stream.begin(page)
    return () => stream.close()
  }

  /** Ends all that is open, in order, and begins nothing more. */
  close (): void {
    this.#closed = true
    for (const each of [...this.#streams, ...this.#polls]) each.end()
  }

  async #wait (poll: Poll, time: number, signal: AbortSignal): Promise<Taken> {
    const end = (): void => poll.end()
    const timer = setTimeout(end, signal.aborted ? 0 : time)
    signal.addEventListener('abort', end, { once: true })
    this.#polls.add(poll)
    try {
      return await poll.taken
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      this.#polls.delete(poll)
      this.#hub.leave(poll)
    }
  }

  #read (filter: FeedFilter, after: FeedPosition, signal?: AbortSignal) {
    return this.#slots.run(() => this.#store.feed(filter, after, CATCH_UP_ROWS, signal))
  }

  #admit (): void {
    if (this.#closed) throw new StoreUnavailable('the feed is closed')
    if (this.open >= this.#maxOpen) throw new StoreUnavailable('too many feeds are open')
  }

  #tend (): void {
    const now = performance.now()
    for (const stream of this.#streams) stream.tend(now, this.#heartbeat, this.#patience)
  }
}
