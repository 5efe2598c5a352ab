import type { Statement } from 'better-sqlite3'
import type { StoredMessage } from '../../message.ts'
import { momentOf } from '../../timestamp.ts'
import { PERIOD_LEVELS } from '../questions.ts'
import { SqliteBusiest, type SenderCount } from './busiest.ts'
import type { SqliteDatabase } from './database.ts'

/** What is counted of a message. */
export type Countable = Pick<StoredMessage, 'from' | 'to' | 'ts' | 'source'>

/** Keeps the counters of the schema equal to the rows that are listed. Called within the transaction that lists or removes them. */
export class SqliteCounters {
  readonly #addTotal: Statement<[count: number, name: string]>
  readonly #addSender: Statement<[msisdn: string, count: number], SenderCount>
  readonly #dropSender: Statement<[msisdn: string]>
  readonly #busiest: SqliteBusiest
  readonly #recipients: Counter
  readonly #sources: Counter
  readonly #periods: Counter

  constructor (database: SqliteDatabase) {
    this.#addTotal = database.prepare('UPDATE totals SET count = count + ? WHERE name = ?')
    this.#addSender = database.prepare(`
      INSERT INTO senders VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count RETURNING msisdn, count`)
    this.#dropSender = database.prepare('DELETE FROM senders WHERE msisdn = ?')
    this.#busiest = new SqliteBusiest(database)
    this.#recipients = counter(database, 'recipients', ['msisdn'])
    this.#sources = counter(database, 'sources', ['source'])
    this.#periods = counter(database, 'periods', ['level', 'period'])
  }

  /** Counts messages that are listed now. */
  add (messages: readonly Countable[]): void {
    this.#change(messages, 1)
  }

  /** Takes back the count of messages that were listed, and are removed now. */
  remove (messages: readonly Countable[]): void {
    this.#change(messages, -1)
  }

  /** Each counter is written once, however many of the messages it counts. */
  #change (messages: readonly Countable[], by: 1 | -1): void {
    const senders = new Map<string, number>()
    const recipients = new Map<string, number>()
    const sources = new Map<string, number>()
    const seconds = new Map<string, number>()
    for (const { from, to, ts, source } of messages) {
      increase(senders, from, by)
      increase(recipients, to, by)
      increase(sources, source, by)
      increase(seconds, momentOf(ts).slice(0, 19), by)
    }

    this.#addTotal.run(by * messages.length, 'messages')
    this.#addSenders(senders)
    for (const [msisdn, count] of recipients) this.#recipients(count, msisdn)
    for (const [source, count] of sources) this.#sources(count, source)
    for (const level of PERIOD_LEVELS) {
      const periods = new Map<string, number>()
      for (const [second, count] of seconds) increase(periods, second.slice(0, level), count)
      for (const [period, count] of periods) this.#periods(count, level, period)
    }
  }

  #addSenders (senders: ReadonlyMap<string, number>): void {
    const changed: SenderCount[] = []
    let added = 0
    for (const [msisdn, by] of senders) {
      const sender = this.#addSender.get(msisdn, by) as SenderCount
      if (sender.count === by) added++
      if (sender.count === 0) {
        added--
        this.#dropSender.run(msisdn)
      }
      changed.push(sender)
    }
    if (added !== 0) this.#addTotal.run(added, 'senders')
    this.#busiest.change(changed)
  }
}

/** Adds to the count of a key, which has a row while it is not 0. */
type Counter = (count: number, ...key: (string | number)[]) => void

function counter (database: SqliteDatabase, table: string, key: readonly string[]): Counter {
  const add = database.prepare(`
    INSERT INTO ${table} VALUES (${key.map(() => '?').join()}, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`)
  const drop = database.prepare(`DELETE FROM ${table} WHERE ${key.map(column => `${column} = ?`).join(' AND ')} AND count = 0`)
  return (count, ...values) => {
    add.run(...values, count)
    if (count < 0) drop.run(...values)
  }
}

function increase (counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
