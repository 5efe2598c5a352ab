import type { Message } from '../message.ts'
import { StoreUnavailable, type SaveResult } from './message-store.ts'

/** Takes a group of messages into one transaction. */
export interface Committer {
  /**
   * @returns one outcome a message, in their order, once all that were stored are durable; an Error for a message that
   *   the database refused by itself, which does not keep its neighbours from being stored
   * @throws when the group as a whole could not be stored
   */
  commit (messages: readonly Message[]): Promise<readonly (SaveResult | Error)[]>
}

export interface GroupCommitLimits {
  /** When so many messages wait they are sent without waiting for the end of the event loop's turn. */
  readonly enough: number
  /** So many messages at most are one group: what gathered while no further group could be sent. */
  readonly groupSize: number
  /** So many groups may be under way at once; those that come later gather meanwhile. */
  readonly groupsInFlight: number
  /** Saves that may wait, in number and in bytes of their strings. The next one is refused at once. */
  readonly rows: number
  readonly bytes: number
  /** When a group fails, saves that have waited longer for their turn are refused with it, in ms. Without it none are. */
  readonly patience?: number
}

interface Save {
  readonly message: Message
  readonly begun: number
  readonly bytes: number
  readonly resolve: (result: SaveResult) => void
  readonly reject: (error: Error) => void
}

/**
 * Gathers concurrent saves into groups, each of which is one call of the committer, and so shares the cost of a
 * durable transaction. Groups grow with the load by themselves: a group is sent when the event loop has parsed what
 * was waiting for it, so no save waits for a timer, and a lone save waits for nobody.
 */
export class GroupCommit {
  readonly #committer: Committer
  readonly #limits: GroupCommitLimits
  #waiting: Save[] = []
  #scheduled = false
  #groups = 0
  #rows = 0
  #bytes = 0
  #closed = false
  #idle: (() => void) | undefined

  constructor (committer: Committer, limits: GroupCommitLimits) {
    this.#committer = committer
    this.#limits = limits
  }

  /** How many saves were accepted and are not committed yet. */
  get depth (): number {
    return this.#rows
  }

  save (message: Message): Promise<SaveResult> {
    const bytes = sizeOf(message)
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed'))
    if (this.#rows >= this.#limits.rows || this.#bytes + bytes > this.#limits.bytes) {
      return Promise.reject(new StoreUnavailable('too many saves are waiting'))
    }
    this.#rows++
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, begun: performance.now(), bytes, resolve, reject })
      if (this.#waiting.length >= this.#limits.enough) this.#send()
      else this.#schedule()
    })
  }

  /** Refuses further saves and resolves when those that were accepted are committed. */
  async close (): Promise<void> {
    this.#closed = true
    if (this.#rows > 0) await new Promise<void>(resolve => { this.#idle = resolve })
  }

  #schedule (): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send (): void {
    if (this.#waiting.length === 0 || this.#groups >= this.#limits.groupsInFlight) return
    const group = this.#waiting.splice(0, this.#limits.groupSize)
    this.#groups++
    this.#commit(group).finally(() => {
      this.#groups--
      if (this.#waiting.length > 0) this.#schedule()
      if (this.#rows === 0) this.#idle?.()
    })
  }

  async #commit (group: readonly Save[]): Promise<void> {
    try {
      const outcomes = await this.#committer.commit(group.map(({ message }) => message))
      group.forEach((save, index) => {
        const outcome = outcomes[index]
        if (typeof outcome === 'string') save.resolve(outcome)
        else save.reject(new StoreUnavailable('the database refused the message', { cause: outcome }))
      })
    } catch (cause) {
      const failed = [...group, ...this.#impatient()]
      for (const save of failed) save.reject(new StoreUnavailable('the database could not store the message', { cause }))
      this.#forget(failed)
      return
    }
    this.#forget(group)
  }

  /** Takes those out that have waited for too long. */
  #impatient (): Save[] {
    const { patience = Infinity } = this.#limits
    const latest = performance.now() - patience
    const patient = this.#waiting.findIndex(({ begun }) => begun >= latest)
    return this.#waiting.splice(0, patient === -1 ? this.#waiting.length : patient)
  }

  #forget (saves: readonly Save[]): void {
    for (const { bytes } of saves) {
      this.#rows--
      this.#bytes -= bytes
    }
  }
}

/** An upper bound of what a message weighs while it waits, in bytes: JavaScript strings take one or two a character. */
function sizeOf ({ message_id: messageId, text }: Message): number {
  return 256 + 2 * (messageId.length + (text?.length ?? 0))
}
