import type { Statement } from 'better-sqlite3'
import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import { momentOf } from '../../timestamp.ts'
import type { CountedPage, Filter, Page, Position, Stats } from '../message-store.ts'
import type { SqliteDatabase } from './database.ts'

const COLUMNS = 'message_id, from_msisdn AS "from", to_msisdn AS "to", ts, text'
const ORDER = 'ORDER BY moment, message_id'

/** The questions that a connection answers, each by one statement. */
export class SqliteReader {
  readonly #database: SqliteDatabase
  readonly #statements = new Map<string, Statement<unknown[], unknown>>()

  constructor (database: SqliteDatabase) {
    this.#database = database
  }

  get (messageId: string): Message | undefined {
    return this.#one<Message | undefined>(`SELECT ${COLUMNS} FROM messages WHERE message_id = ?`, messageId)
  }

  page (filter: Filter, limit: number, offset: number): CountedPage {
    const { where, values } = conditions(filter)
    const sql = `SELECT ${COLUMNS} FROM messages ${where} ${ORDER} LIMIT ? OFFSET ?`
    const rows = this.#all<Message>(sql, ...values, limit + 1, offset)
    const { total } = this.#one<{ total: number }>(`SELECT count(*) AS total FROM messages ${where}`, ...values)
    return { ...pageOf(rows, limit), total }
  }

  pageAfter (filter: Filter, limit: number, position: Position): Page {
    const { where, values } = conditions(filter, position)
    const sql = `SELECT ${COLUMNS} FROM messages ${where} ${ORDER} LIMIT ?`
    return pageOf(this.#all<Message>(sql, ...values, limit + 1), limit)
  }

  count (): number {
    return this.#one<{ count: number }>('SELECT count(*) AS count FROM messages').count
  }

  stats (): Stats {
    const { first, last, senders } = this.#one<{ first: string | null, last: string | null, senders: number }>(`
      SELECT (SELECT ts FROM messages ${ORDER} LIMIT 1) AS first,
             (SELECT ts FROM messages ORDER BY moment DESC, message_id DESC LIMIT 1) AS last,
             (SELECT count(DISTINCT from_msisdn) FROM messages) AS senders
    `)
    const busiest = this.#all<{ from: string, count: number }>(`
      SELECT from_msisdn AS "from", count(*) AS count FROM messages
      GROUP BY from_msisdn ORDER BY count DESC, from_msisdn LIMIT 10
    `)
    return {
      total_messages: this.count(),
      senders_count: senders,
      messages_per_sender: busiest,
      first_message_ts: first,
      last_message_ts: last
    }
  }

  #one<Row> (sql: string, ...values: unknown[]): Row {
    return this.#prepare(sql).get(...values) as Row
  }

  #all<Row> (sql: string, ...values: unknown[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  /** The statements differ only by which filters are set, so there are few of them, and all are kept. */
  #prepare (sql: string): Statement<unknown[], unknown> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare<unknown[], unknown>(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

function conditions (filter: Filter, position?: Position): { where: string, values: string[] } {
  const terms: [sql: string, ...values: string[]][] = []
  if (filter.from !== undefined) terms.push(['from_msisdn = ?', filter.from])
  if (filter.to !== undefined) terms.push(['to_msisdn = ?', filter.to])
  if (filter.since !== undefined) terms.push(['moment >= ?', momentOf(filter.since)])
  if (filter.until !== undefined) terms.push(['moment < ?', momentOf(filter.until)])
  if (filter.q !== undefined) terms.push(['instr(text_folded, ?) > 0', foldCase(filter.q)])
  if (position !== undefined) terms.push(['(moment, message_id) > (?, ?)', momentOf(position.ts), position.message_id])
  return {
    where: terms.length === 0 ? '' : `WHERE ${terms.map(([sql]) => sql).join(' AND ')}`,
    values: terms.flatMap(([, ...values]) => values)
  }
}

/** One row more than `limit` was asked for: it says whether the list goes on. */
function pageOf (rows: Message[], limit: number): Page {
  const messages = rows.slice(0, limit)
  return { messages, next: rows.length > limit ? messages.at(-1) : undefined }
}
