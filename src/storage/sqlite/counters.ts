import type { Statement } from 'better-sqlite3'
import type { StoredMessage } from '../../message.ts'
import { momentOf } from '../../timestamp.ts'
import { PERIOD_LEVELS } from '../questions.ts'
import type { SqliteDatabase } from './database.ts'

/** How many senders GET /stats names. */
const BUSIEST = 10

/** What is counted of a message. */
export type Countable = Pick<StoredMessage, 'from' | 'to' | 'ts' | 'source'>

interface SenderCount { readonly msisdn: string, readonly count: number }

/** Keeps the counters of the schema equal to the rows that are listed. Called within the transaction that lists them. */
export class SqliteCounters {
  readonly #addTotal: Statement<[count: number, name: string]>
  readonly #addSender: Statement<[msisdn: string, count: number], SenderCount>
  readonly #addRecipient: Statement<[msisdn: string, count: number]>
  readonly #addSource: Statement<[source: string, count: number]>
  readonly #addPeriod: Statement<[level: number, period: string, count: number]>
  readonly #busiest: Statement<[], SenderCount>
  readonly #putBusiest: Statement<[msisdn: string, count: number]>
  readonly #dropBusiest: Statement<[msisdn: string]>

  constructor (database: SqliteDatabase) {
    this.#addTotal = database.prepare('UPDATE totals SET count = count + ? WHERE name = ?')
    this.#addSender = database.prepare(`
      INSERT INTO senders VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count RETURNING msisdn, count`)
    this.#addRecipient = database.prepare(`
      INSERT INTO recipients VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`)
    this.#addSource = database.prepare(`
      INSERT INTO sources VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`)
    this.#addPeriod = database.prepare(`
      INSERT INTO periods VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`)
    this.#busiest = database.prepare('SELECT msisdn, count FROM busiest_senders ORDER BY count DESC, msisdn')
    this.#putBusiest = database.prepare('INSERT OR REPLACE INTO busiest_senders VALUES (?, ?)')
    this.#dropBusiest = database.prepare('DELETE FROM busiest_senders WHERE msisdn = ?')
  }

  /** Counts messages that are listed now. Each counter is written once, however many of them it counts. */
  add (messages: readonly Countable[]): void {
    const senders = new Map<string, number>()
    const recipients = new Map<string, number>()
    const sources = new Map<string, number>()
    const seconds = new Map<string, number>()
    for (const { from, to, ts, source } of messages) {
      increase(senders, from, 1)
      increase(recipients, to, 1)
      increase(sources, source, 1)
      increase(seconds, momentOf(ts).slice(0, 19), 1)
    }

    this.#addTotal.run(messages.length, 'messages')
    this.#addSenders(senders)
    for (const [msisdn, count] of recipients) this.#addRecipient.run(msisdn, count)
    for (const [source, count] of sources) this.#addSource.run(source, count)
    for (const level of PERIOD_LEVELS) {
      const periods = new Map<string, number>()
      for (const [second, count] of seconds) increase(periods, second.slice(0, level), count)
      for (const [period, count] of periods) this.#addPeriod.run(level, period, count)
    }
  }

  /** Counts only grow, so a sender enters the busiest ten only by its own messages. */
  #addSenders (senders: ReadonlyMap<string, number>): void {
    const busiest = this.#busiest.all()
    let added = 0
    for (const [msisdn, count] of senders) {
      const sender = this.#addSender.get(msisdn, count) as SenderCount
      if (sender.count === count) added++
      this.#rank(busiest, sender)
    }
    if (added > 0) this.#addTotal.run(added, 'senders')
  }

  #rank (busiest: SenderCount[], sender: SenderCount): void {
    const rank = busiest.findIndex(({ msisdn }) => msisdn === sender.msisdn)
    if (rank !== -1) busiest.splice(rank, 1)
    const place = busiest.findIndex(other => isBusier(sender, other))
    busiest.splice(place === -1 ? busiest.length : place, 0, sender)

    const last = busiest.length > BUSIEST ? busiest.pop() : undefined
    if (last === sender) return
    if (last !== undefined) this.#dropBusiest.run(last.msisdn)
    this.#putBusiest.run(sender.msisdn, sender.count)
  }
}

function isBusier (sender: SenderCount, other: SenderCount): boolean {
  return sender.count > other.count || (sender.count === other.count && sender.msisdn < other.msisdn)
}

function increase (counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
