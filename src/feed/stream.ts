import { setTimeout as delay } from 'node:timers/promises'
import { encodePosition } from '../storage/feed-position.ts'
import { UnknownPosition } from '../storage/errors.ts'
import type { FeedFilter, FeedPage, FeedPosition } from '../storage/message-store.ts'
import { eventsOf, type Batch, type Events } from './batch.ts'
import { Entry } from './entry.ts'
import type { Hub, Subscriber } from './hub.ts'

/** Where a stream of events goes. */
export interface Sink {
  /** @param taken called once the system has taken all of it for the client */
  write (bytes: Buffer, taken: () => void): void
  /** Ends the answer in order. */
  end (): void
  /** Cuts the client off. */
  destroy (): void
}

/** What a stream needs of the feed that it is one of. */
export interface StreamContext {
  readonly hub: Hub
  /** Reads on behalf of one that is behind the others. */
  readonly read: (filter: FeedFilter, after: FeedPosition) => Promise<FeedPage>
  readonly delivered: (messages: number) => void
  readonly closed: (stream: Stream) => void
}

/** How long after a failure the next attempt to read is, in ms. */
const RETRY = 1000

/**
 * One client's events. While it takes them as they come, it is one of the hub's subscribers; while it does not, it is left
 * out, and reads by itself what it missed once it has taken the rest. So no more than one batch or page waits for it.
 */
export class Stream implements Subscriber {
  readonly filter: FeedFilter
  readonly #sink: Sink
  readonly #context: StreamContext
  #position: FeedPosition
  /** What the client knows as its position. */
  #told: FeedPosition
  /** Writes that are not taken yet, and since when the client has taken nothing of them. */
  #writes = 0
  #since = 0
  #latest = performance.now()
  #open = true
  #resume: (() => void) | undefined

  constructor (filter: FeedFilter, position: FeedPosition, sink: Sink, context: StreamContext) {
    this.filter = filter
    this.#position = this.#told = position
    this.#sink = sink
    this.#context = context
  }

  get position (): FeedPosition {
    return this.#position
  }

  /** Gives the first page, and then whatever comes. */
  begin (page: FeedPage): void {
    // The head goes out at once, whether there is something or not.
    this.#write(Buffer.from('retry: 1000\n\n'))
    this.#follow(page)
  }

  take (batch: Batch): void {
    if (this.#writes > 0) {
      this.#context.hub.leave(this)
      this.#follow()
      return
    }
    this.#send(batch.events(this.filter, this.#position))
    if (batch.position.seq > this.#position.seq) this.#position = batch.position
  }

  lose (): void {
    this.end()
  }

  /** Sends something where nothing was sent for a while, and ends what does not take anything. */
  tend (now: number, heartbeat: number, patience: number): void {
    if (this.#writes > 0) {
      if (now - this.#since > patience) this.#sink.destroy()
    } else if (now - this.#latest >= heartbeat) {
      // An event without data is none, but its id is known to who comes again.
      const news = this.#told.seq === this.#position.seq ? '' : `id: ${encodePosition(this.#position)}\n`
      this.#told = this.#position
      this.#write(Buffer.from(`:\n${news}\n`))
    }
  }

  /** Ends the answer. */
  end (): void {
    if (!this.#open) return
    this.close()
    this.#sink.end()
  }

  /** There is nobody any more. */
  close (): void {
    if (!this.#open) return
    this.#open = false
    this.#context.hub.leave(this)
    this.#resume?.()
    this.#context.closed(this)
  }

  /** Reads and sends until there is nothing left but what the hub will give. */
  async #follow (first?: FeedPage): Promise<void> {
    let page = first
    for (;;) {
      if (page !== undefined) {
        this.#send(eventsOf(page.rows.map(row => new Entry(row))))
        this.#position = page.position
      }
      await this.#taken()
      if (!this.#open || (page?.isLast === true && this.#context.hub.join(this))) return
      page = await this.#next()
      if (!this.#open) return
    }
  }

  async #next (): Promise<FeedPage | undefined> {
    try {
      return await this.#context.read(this.filter, this.#position)
    } catch (error) {
      if (error instanceof UnknownPosition) this.end()
      else await delay(RETRY, undefined, { ref: false })
      return undefined
    }
  }

  #send ({ bytes, count, last }: Events): void {
    if (last === undefined) return
    this.#context.delivered(count)
    this.#write(bytes)
    this.#told = last
  }

  #write (bytes: Buffer): void {
    this.#latest = performance.now()
    if (this.#writes++ === 0) this.#since = this.#latest
    this.#sink.write(bytes, () => {
      this.#since = performance.now()
      if (--this.#writes === 0) this.#resume?.()
    })
  }

  /** Resolves when nothing waits for the client any more, or it is gone. */
  async #taken (): Promise<void> {
    if (this.#writes === 0 || !this.#open) return
    await new Promise<void>(resolve => { this.#resume = resolve })
    this.#resume = undefined
  }
}
