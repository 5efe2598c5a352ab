import { setImmediate as turn } from 'node:timers/promises'
import { UnknownPosition } from '../storage/errors.ts'
import type { FeedFilter, FeedPosition, MessageStore } from '../storage/message-store.ts'
import { Batch } from './batch.ts'
import { Entry } from './entry.ts'

/** Someone who was given everything up to a place, and waits for what comes behind it. */
export interface Subscriber {
  readonly filter: FeedFilter
  readonly position: FeedPosition
  /** Takes what lies behind its position. It must not throw. */
  take (batch: Batch): void
  /** Told that its position is none of the database any more. */
  lose (): void
}

export interface HubOptions {
  /** How much time passes at least between two batches, in ms: what comes meanwhile goes together. */
  readonly tick?: number
  /** How often is looked for messages that nobody told of, in ms. */
  readonly poll?: number
}

const TICK = 25
/** Other processes do not tell. */
const SHARED_POLL = 50
/** Where there are none, only a writer thread that dies right after a commit does not tell. */
const OWN_POLL = 1000
/** How long after a failure the next look is at the earliest, in ms. */
const RETRY = 500
/** Messages of one batch at most. */
const ROWS = 1000
/** Giving takes no more than one part in so many of the event loop's time, whatever there is to give: the rest is the intake's. */
const SHARE = 3
/** Subscribers that are given a batch before others have their turn of the event loop. */
const SLICE = 50

/** Reads what is new once, and gives it to everyone who has all that came before. */
export class Hub {
  readonly #store: MessageStore
  readonly #subscribers = new Set<Subscriber>()
  readonly #tick: number
  readonly #interval: number
  /** How far everyone was given everything, or will be by the batch that is being given. */
  #tip: FeedPosition | undefined
  #poll: NodeJS.Timeout | undefined
  #next: NodeJS.Timeout | undefined
  #earliest = 0
  #reading = false
  /** Whether something was told while a batch was read or given. */
  #missed = false

  constructor (store: MessageStore, { tick = TICK, poll = store.isShared ? SHARED_POLL : OWN_POLL }: HubOptions = {}) {
    this.#store = store
    this.#tick = tick
    this.#interval = poll
  }

  /** @returns false when others are further already: there is something that it has to read before it can join */
  join (subscriber: Subscriber): boolean {
    if (this.#tip === undefined || this.#subscribers.size === 0) {
      this.#tip = subscriber.position
      this.#poll ??= setInterval(() => this.wake(), this.#interval)
    } else if (subscriber.position.seq < this.#tip.seq) return false
    this.#subscribers.add(subscriber)
    // Something may have come since it read.
    this.wake()
    return true
  }

  leave (subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return
    clearInterval(this.#poll)
    clearTimeout(this.#next)
    this.#poll = this.#next = this.#tip = undefined
  }

  /** There may be something new. */
  wake (): void {
    if (this.#subscribers.size === 0) return
    if (this.#reading) this.#missed = true
    else this.#next ??= setTimeout(() => this.#read(), Math.max(0, this.#earliest - performance.now()))
  }

  async #read (): Promise<void> {
    this.#next = undefined
    this.#reading = true
    this.#missed = false
    this.#earliest = performance.now() + this.#tick
    try {
      this.#missed = await this.#giveNext()
    } catch (error) {
      this.#earliest = performance.now() + RETRY
      if (error instanceof UnknownPosition) for (const subscriber of [...this.#subscribers]) subscriber.lose()
    }
    this.#reading = false
    if (this.#missed) this.wake()
  }

  /** @returns whether there is more */
  async #giveNext (): Promise<boolean> {
    const after = this.#tip as FeedPosition
    const { rows, position, isLast } = await this.#store.feed({}, after, ROWS)
    // Everyone has left meanwhile, and perhaps others have come.
    if (this.#tip !== after) return true
    this.#tip = position
    if (rows.length > 0) await this.#give(new Batch(after, position, rows.map(row => new Entry(row))))
    return this.#missed || !isLast
  }

  async #give (batch: Batch): Promise<void> {
    let given = 0
    let spent = 0
    let begun = performance.now()
    for (const subscriber of [...this.#subscribers]) {
      if (this.#subscribers.has(subscriber)) subscriber.take(batch)
      if (++given % SLICE !== 0) continue
      spent += performance.now() - begun
      await turn()
      begun = performance.now()
    }
    spent += performance.now() - begun
    this.#earliest = Math.max(this.#earliest, performance.now() + (SHARE - 1) * spent)
  }
}
