import type { Statement } from 'better-sqlite3'
import type { StoredMessage } from '../../message.ts'
import { dayOf, idHash, type Removal } from '../removed.ts'
import { SqliteCounters } from './counters.ts'
import type { SqliteDatabase } from './database.ts'

/** How long a step should take, in ms: commits wait for it. */
const STEP = 5
/** Messages of a step: at first, at least and at most. */
const FIRST_ROWS = 32
const FEWEST_ROWS = 8
const MOST_ROWS = 512
/** Ids that one step forgets: as one transaction, they are a range of an index. */
const FORGET_ROWS = 1000

type Row = Pick<StoredMessage, 'message_id' | 'from' | 'to' | 'ts' | 'source'> & { readonly seq: number, readonly text_folded: string | null }

const COLUMNS = 'seq, message_id, from_msisdn AS "from", to_msisdn AS "to", ts, source, text_folded'

/** Only those who remove by it pay for it. Like the other indexes it is filled behind the commits. */
const BY_RECEIPT = 'CREATE INDEX IF NOT EXISTS messages_by_receipt ON messages (created_at) WHERE listed = 1'

/** Removes messages that are listed, a few at a time, and all that was made of them: counts, trigrams, entries of indexes. */
export class SqliteRemoval {
  readonly #database: SqliteDatabase
  readonly #remove: (select: Statement<[string, number], Row>, value: string) => number
  readonly #forget: (before: number) => number
  readonly #removeUnread: (receivedBefore: string) => number
  #rows = FIRST_ROWS

  constructor (database: SqliteDatabase) {
    this.#database = database
    const counters = new SqliteCounters(database)
    const indexed = database.prepare<[], number>("SELECT count FROM totals WHERE name = 'indexed'").pluck()
    // The index keeps no copy of a text, so it has to be told what it was made from: https://sqlite.org/fts5.html#the_delete_command
    const unindex = database.prepare<[seq: number, folded: string]>("INSERT INTO messages_search (messages_search, rowid, text_folded) VALUES ('delete', CAST(? AS INTEGER), ?)")
    const drop = database.prepare<[seq: number]>('DELETE FROM messages WHERE seq = ?')
    const remember = database.prepare<[hash: Buffer, day: number]>('INSERT OR REPLACE INTO removed_ids VALUES (?, ?)')
    const forget = database.prepare<[before: number, rows: number]>('DELETE FROM removed_ids WHERE hash IN (SELECT hash FROM removed_ids WHERE day < ? LIMIT ?)')

    this.#remove = database.transaction((select: Statement<[string, number], Row>, value: string) => {
      const rows = select.all(value, this.#rows)
      if (rows.length === 0) return 0
      const upTo = indexed.get() as number
      const today = dayOf(Date.now())
      counters.remove(rows)
      for (const { seq, message_id: id, text_folded: folded } of rows) {
        if (folded !== null && seq <= upTo) unindex.run(seq, folded)
        drop.run(seq)
        remember.run(idHash(id), today)
      }
      return rows.length
    }).immediate
    this.#forget = before => forget.run(before, FORGET_ROWS).changes
    const unread = database.prepare<[receivedBefore: string, rows: number]>('DELETE FROM unread_items WHERE digest IN (SELECT digest FROM unread_items WHERE received_at < ? LIMIT ?)')
    this.#removeUnread = receivedBefore => unread.run(receivedBefore, MOST_ROWS).changes
  }

  /**
   * Removes some of what is meant, of messages only those that are listed, in one transaction.
   *
   * @returns how many; 0 when there is none
   */
  step (removal: Removal): number {
    if ('unreadBefore' in removal) return this.#removeUnread(removal.unreadBefore)
    const begun = performance.now()
    const removed = this.#remove(...this.#selection(removal))
    if (removed === this.#rows) this.#rows = clamp(Math.round(this.#rows * STEP / (performance.now() - begun)), this.#rows)
    return removed
  }

  /** Forgets some of the ids that were removed before a day. @returns how many; 0 when there is none */
  forget (before: number): number {
    return this.#forget(before)
  }

  #selection (removal: Exclude<Removal, { unreadBefore: string }>): [select: Statement<[string, number], Row>, value: string] {
    const by = (rows: string): Statement<[string, number], Row> => this.#database.prepare(`SELECT ${COLUMNS} FROM messages ${rows} LIMIT ?`)
    if ('from' in removal) return [by('INDEXED BY messages_by_sender WHERE listed = 1 AND from_msisdn = ?'), removal.from]
    if ('messageId' in removal) return [by('WHERE listed = 1 AND message_id = ?'), removal.messageId]
    this.#database.exec(BY_RECEIPT)
    return [by('INDEXED BY messages_by_receipt WHERE listed = 1 AND created_at < ? ORDER BY created_at'), removal.receivedBefore]
  }
}

/** A step that was slow, or quick, once does not change much. */
function clamp (rows: number, before: number): number {
  return Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, before * 2, rows))
}
