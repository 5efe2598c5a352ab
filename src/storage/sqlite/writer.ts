import type { Statement } from 'better-sqlite3'
import { foldCase } from '../../fold.ts'
import type { Arrival, UnreadItem } from '../../message.ts'
import { PLAIN_SOURCE } from '../../storable.ts'
import { isMessage, type Row } from '../committer.ts'
import type { SaveResult } from '../message-store.ts'
import { idHash } from '../removed.ts'
import { digestOf } from '../unread.ts'
import type { SqliteDatabase } from './database.ts'
import { LAST_SEQ } from './totals.ts'

type Values = [
  messageId: string, from: string, to: string, ts: string, text: string | null, createdAt: string, seq: number, folded: string | null,
  source: string, type: string | null, raw: string | null
]

/** Stores batches of rows, each batch in one durable transaction. */
export class SqliteWriter {
  readonly #database: SqliteDatabase
  readonly #lastSeq: Statement<[], number>
  readonly #anyRemoved: Statement<[], number>
  readonly #isRemoved: Statement<[hash: Buffer], number>
  readonly #insert: Statement<Values>
  readonly #keep: Statement<[digest: string, source: string, raw: string, receivedAt: string]>
  readonly #store: (rows: readonly Row[]) => (SaveResult | Error)[]

  constructor (database: SqliteDatabase) {
    this.#database = database
    this.#lastSeq = database.prepare<[], number>(`SELECT ${LAST_SEQ}`).pluck()
    this.#anyRemoved = database.prepare<[], number>('SELECT EXISTS (SELECT 1 FROM removed_ids)').pluck()
    this.#isRemoved = database.prepare<[hash: Buffer], number>('SELECT 1 FROM removed_ids WHERE hash = ?').pluck()
    this.#insert = database.prepare<Values>(`
      INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded, listed, source, type, raw)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)
      ON CONFLICT (message_id) DO NOTHING`)
    this.#keep = database.prepare('INSERT INTO unread_items (digest, source, raw, received_at) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING')
    this.#store = database.transaction((rows: readonly Row[]) => this.#insertAll(rows)).immediate
  }

  /**
   * @returns one outcome a row, in their order, when all that were new are on disk; an Error for one that the
   *   database refused by itself
   * @throws when the transaction as a whole failed, and nothing was stored
   */
  save (rows: readonly Row[]): (SaveResult | Error)[] {
    return this.#store(rows)
  }

  #insertAll (rows: readonly Row[]): (SaveResult | Error)[] {
    const now = new Date().toISOString()
    let seq = this.#lastSeq.get() as number
    const anyRemoved = this.#anyRemoved.get() === 1
    return rows.map(row => {
      if (!isMessage(row)) return this.#try(() => this.#keepItem(row, now))
      if (anyRemoved && this.#isRemoved.get(idHash(row.message_id)) !== undefined) return 'duplicate'
      const outcome = this.#try(() => this.#insertMessage(row, now, seq + 1))
      if (outcome === 'created') seq++
      return outcome
    })
  }

  #insertMessage ({ message_id: messageId, from, to, ts, text, source = PLAIN_SOURCE, type = null, raw = null, received_at: receivedAt }: Arrival, now: string, seq: number): number {
    const folded = text === null ? null : foldCase(text)
    return this.#insert.run(messageId, from, to, ts, text, receivedAt ?? now, seq, folded, source, type, raw).changes
  }

  #keepItem (item: UnreadItem, now: string): number {
    return this.#keep.run(digestOf(item), item.source, item.raw, now).changes
  }

  /** A statement that fails takes back its own row only, unless the database has ended the whole transaction with it. */
  #try (insert: () => number): SaveResult | Error {
    try {
      return insert() === 1 ? 'created' : 'duplicate'
    } catch (error) {
      if (!this.#database.inTransaction) throw error
      return error as Error
    }
  }
}
