import { now } from '../clock.ts'
import type { Arrival } from '../message.ts'
import { isMessage, type Committer, type Row } from './committer.ts'
import { StoreUnavailable } from './errors.ts'
import type { SaveResult, SaveWatcher } from './message-store.ts'

export interface GroupCommitLimits {
  /** When so many deliveries wait they are sent without waiting for the end of the event loop's turn. */
  readonly enough: number
  /** With so many rows a group is full: what gathered while no further group could be sent. A delivery is never split. */
  readonly groupSize: number
  /**
   * A group of more deliveries takes no more than its share of those that wait, so that those after it have as many to take:
   * a slow database would else work on one large group, and beside it on next to nothing.
   */
  readonly fairSize: number
  /** So many groups may be under way at once; those that come later gather meanwhile. */
  readonly groupsInFlight: number
  /**
   * So many more may be, of `fairSize` deliveries at least: a committer on another machine has work by then while a busy event
   * loop comes round to what it has done.
   */
  readonly groupsAhead?: number
  /** What may wait, in rows and in bytes of their strings. The next delivery is refused at once. */
  readonly rows: number
  readonly bytes: number
  /** When a group fails, saves that have waited longer for their turn are refused with it, in ms. Without it none are. */
  readonly patience?: number
}

/** What one delivery brought. */
interface Save {
  readonly rows: readonly Row[]
  readonly accepted: number
  readonly bytes: number
  readonly watcher: SaveWatcher | null | undefined
  readonly resolve: (results: readonly SaveResult[]) => void
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

  /** How many rows were accepted and are not committed yet. */
  get depth (): number {
    return this.#rows
  }

  save (message: Arrival, watcher?: SaveWatcher | null): Promise<SaveResult> {
    return new Promise((resolve, reject) => this.#add([message], watcher, ([result]) => resolve(result as SaveResult), reject))
  }

  /** @returns one result a row, in their order */
  saveAll (rows: readonly Row[], watcher?: SaveWatcher | null): Promise<readonly SaveResult[]> {
    return rows.length === 0 ? Promise.resolve([]) : new Promise((resolve, reject) => this.#add(rows, watcher, resolve, reject))
  }

  /** Refuses further saves and resolves when those that were accepted are committed. */
  async close (): Promise<void> {
    this.#closed = true
    if (this.#rows > 0) await new Promise<void>(resolve => { this.#idle = resolve })
  }

  #add (rows: readonly Row[], watcher: Save['watcher'], resolve: Save['resolve'], reject: Save['reject']): void {
    const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 0)
    if (this.#closed) return reject(new StoreUnavailable('the store is closed'))
    // However large a delivery is, some day it is the only one.
    if (this.#rows >= this.#limits.rows || (this.#rows > 0 && this.#bytes + bytes > this.#limits.bytes)) {
      return reject(new StoreUnavailable('too many saves are waiting'))
    }
    this.#rows += rows.length
    this.#bytes += bytes
    this.#waiting.push({ rows, accepted: now(), bytes, watcher, resolve, reject })
    this.#next()
  }

  #next (): void {
    if (this.#waiting.length >= this.#limits.enough) this.#send()
    else if (this.#waiting.length > 0) this.#schedule()
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
    const { fairSize, groupsInFlight, groupsAhead = 0 } = this.#limits
    while (this.#waiting.length > 0 && this.#groups < groupsInFlight + (this.#waiting.length < fairSize ? 0 : groupsAhead)) {
      const group = this.#takeGroup()
      this.#groups++
      this.#commit(group).finally(() => {
        this.#groups--
        this.#next()
        if (this.#rows === 0) this.#idle?.()
      })
    }
  }

  #takeGroup (): Save[] {
    const { fairSize, groupsInFlight, groupSize } = this.#limits
    const share = Math.min(this.#waiting.length, Math.max(fairSize, Math.ceil(this.#waiting.length / groupsInFlight)))
    let saves = 0
    for (let rows = 0; saves < share && rows < groupSize; saves++) rows += this.#waiting[saves]?.rows.length ?? 0
    return this.#waiting.splice(0, saves)
  }

  async #commit (group: readonly Save[]): Promise<void> {
    const sent = group.flatMap(({ rows }) => rows)
    const begun = now()
    try {
      const { outcomes, ...transaction } = await this.#committer.commit(sent)
      let offset = 0
      for (const { rows, accepted, watcher, resolve, reject } of group) {
        watcher?.saved({ accepted, ...transaction, failed: false })
        const results = outcomes.slice(offset, offset += rows.length)
        if (results.every(isResult)) resolve(results)
        else reject(new StoreUnavailable('the database refused the message', { cause: results.find(result => !isResult(result)) }))
      }
    } catch (cause) {
      // How long it was under way is all that is known of a transaction that failed.
      for (const { accepted, watcher } of group) watcher?.saved({ accepted, begun, ended: now(), rows: sent.length, failed: true })
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
    const latest = now() - patience
    const patient = this.#waiting.findIndex(({ accepted }) => accepted >= latest)
    return this.#waiting.splice(0, patient === -1 ? this.#waiting.length : patient)
  }

  #forget (saves: readonly Save[]): void {
    for (const { rows, bytes } of saves) {
      this.#rows -= rows.length
      this.#bytes -= bytes
    }
  }
}

function isResult (outcome: SaveResult | Error): outcome is SaveResult {
  return typeof outcome === 'string'
}

/** An upper bound of what a row weighs while it waits, in bytes: JavaScript strings take one or two a character. */
function sizeOf (row: Row): number {
  const length = isMessage(row) ? row.message_id.length + (row.text?.length ?? 0) : 0
  return 256 + 2 * (length + (row.raw?.length ?? 0))
}
