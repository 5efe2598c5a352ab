import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import type { SaveResult } from '../message-store.ts'
import type { SqliteDatabase } from './database.ts'

const INSERT = `
  INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, text_folded, created_at, seq)
  VALUES (:message_id, :from, :to, :ts, :text, :text_folded, :created_at,
    (SELECT coalesce(max(seq), 0) + 1 FROM messages))
  ON CONFLICT (message_id) DO NOTHING
`

/** Stores batches of messages, each batch in one durable transaction. */
export class SqliteWriter {
  readonly #insertAll: (messages: readonly Message[], createdAt: string) => SaveResult[]

  constructor (database: SqliteDatabase) {
    const insert = database.prepare(INSERT)
    this.#insertAll = database.transaction((messages: readonly Message[], createdAt: string) =>
      messages.map((message): SaveResult => {
        const text_folded = message.text === null ? null : foldCase(message.text)
        const { changes } = insert.run({ ...message, text_folded, created_at: createdAt })
        return changes === 1 ? 'created' : 'duplicate'
      })
    ).immediate
  }

  /** @returns one result a message, in their order, when all of them are on disk */
  save (messages: readonly Message[]): SaveResult[] {
    return this.#insertAll(messages, new Date().toISOString())
  }
}
