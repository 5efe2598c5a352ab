import type { Statement } from 'better-sqlite3'
import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import type { SaveResult } from '../message-store.ts'
import type { SqliteDatabase } from './database.ts'

type Row = [messageId: string, from: string, to: string, ts: string, text: string | null, createdAt: string, seq: number, folded: string | null]

/** Stores batches of messages, each batch in one durable transaction. */
export class SqliteWriter {
  readonly #database: SqliteDatabase
  readonly #lastSeq: Statement<[], number>
  readonly #insert: Statement<Row>
  readonly #store: (messages: readonly Message[]) => (SaveResult | Error)[]

  constructor (database: SqliteDatabase) {
    this.#database = database
    this.#lastSeq = database.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM messages').pluck()
    this.#insert = database.prepare<Row>(`
      INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded, listed)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
      ON CONFLICT (message_id) DO NOTHING`)
    this.#store = database.transaction((messages: readonly Message[]) => this.#insertAll(messages)).immediate
  }

  /**
   * @returns one outcome a message, in their order, when all that were new are on disk; an Error for one that the
   *   database refused by itself
   * @throws when the transaction as a whole failed, and nothing was stored
   */
  save (messages: readonly Message[]): (SaveResult | Error)[] {
    return this.#store(messages)
  }

  #insertAll (messages: readonly Message[]): (SaveResult | Error)[] {
    const createdAt = new Date().toISOString()
    let seq = this.#lastSeq.get() as number
    return messages.map(message => {
      const outcome = this.#insertOne(message, createdAt, seq + 1)
      if (outcome === 'created') seq++
      return outcome
    })
  }

  /** A statement that fails takes back its own row only, unless the database has ended the whole transaction with it. */
  #insertOne (message: Message, createdAt: string, seq: number): SaveResult | Error {
    const { message_id: messageId, from, to, ts, text } = message
    const folded = text === null ? null : foldCase(text)
    try {
      const { changes } = this.#insert.run(messageId, from, to, ts, text, createdAt, seq, folded)
      return changes === 1 ? 'created' : 'duplicate'
    } catch (error) {
      if (!this.#database.inTransaction) throw error
      return error as Error
    }
  }
}
