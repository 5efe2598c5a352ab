import { setTimeout as delay } from 'node:timers/promises'
import type { MessageStore } from './storage/message-store.ts'
import { dayOf } from './storage/removed.ts'

const DAY = 86_400_000

export interface RetentionOptions {
  /** Messages that were received longer ago are removed. Undefined: none are. */
  readonly retentionDays?: number | undefined
  /** Ids of removed messages stay known for so long. */
  readonly dedupeDays: number
  /** How long is waited between two looks, in ms. */
  readonly interval?: number
}

const INTERVAL = 60_000
/** How long a rest is after a step, in multiples of the step: while messages come in, and while none do. And at least, in ms. */
const REST_BUSY = 3
const REST_IDLE = 0.5
const REST = 2

/** Is told what an operator should know. */
export interface RetentionObserver {
  /** A look has found messages to remove, and they are removed. */
  removed (messages: number, receivedBefore: string): void
  /** Messages could not be removed. Told once for each reason, until it works again. */
  failed (error: Error): void
}

/** Removes messages from a store when they are old enough, and forgets the ids of removed ones later, in small steps with rests. */
export class Retention {
  readonly #store: MessageStore
  readonly #options: RetentionOptions
  readonly #observer: RetentionObserver
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor (store: MessageStore, options: RetentionOptions, observer: RetentionObserver) {
    this.#store = store
    this.#options = options
    this.#observer = observer
  }

  start (): void {
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is under way any more. */
  async stop (): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run (): Promise<void> {
    const { signal } = this.#stop
    let failure = ''
    while (!signal.aborted) {
      try {
        await this.#look(Date.now())
        failure = ''
      } catch (error) {
        // The next look tries again.
        const { message } = error as Error
        if (message !== failure && this.#options.retentionDays !== undefined) this.#observer.failed(error as Error)
        failure = message
      }
      await delay(this.#options.interval ?? INTERVAL, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #look (now: number): Promise<void> {
    const { retentionDays, dedupeDays } = this.#options
    const { signal } = this.#stop
    if (retentionDays !== undefined) {
      const receivedBefore = new Date(now - retentionDays * DAY).toISOString()
      let removed = 0
      try {
        await this.#untilNone(async () => {
          const some = await this.#store.remove({ receivedBefore }, signal)
          removed += some
          return some
        })
      } finally {
        if (removed > 0) this.#observer.removed(removed, receivedBefore)
      }
      await this.#untilNone(() => this.#store.remove({ unreadBefore: receivedBefore }, signal))
    }
    await this.#untilNone(() => this.#store.forget(dayOf(now) - dedupeDays, signal))
  }

  async #untilNone (step: () => Promise<number>): Promise<void> {
    const { signal } = this.#stop
    for (let begun = performance.now(); await step() > 0 && !signal.aborted; begun = performance.now()) {
      const rest = (performance.now() - begun) * (this.#store.queueDepth > 0 ? REST_BUSY : REST_IDLE)
      await delay(Math.max(REST, rest), undefined, { signal }).catch(() => {})
    }
  }
}
