import type { Statement } from 'better-sqlite3'
import type { StoredMessage } from '../../message.ts'
import type { Removal } from '../removed.ts'
import { SqliteCounters } from './counters.ts'
import type { SqliteDatabase } from './database.ts'
import { SqliteReceipts } from './receipts.ts'
import { SqliteRemovedIds } from './removed-ids.ts'
import { SqliteSearchMerge } from './search-merge.ts'

/** How long a step should take, in ms: commits wait for it. */
const STEP = 5
/** Messages of a step: at first, at least and at most. */
const FIRST_ROWS = 32
const FEWEST_ROWS = 8
const MOST_ROWS = 512

type MessageRemoval = Exclude<Removal, { unreadBefore: string }>

type Row = Pick<StoredMessage, 'message_id' | 'from' | 'to' | 'ts' | 'source'> & { readonly seq: number, readonly text_folded: string | null }

const COLUMNS = 'seq, message_id, from_msisdn AS "from", to_msisdn AS "to", ts, source, text_folded'

/** Removes messages that are listed, a few at a time, and all that was made of them: counts, trigrams, entries of indexes. */
export class SqliteRemoval {
  readonly #receipts: SqliteReceipts<Row>
  readonly #bySender: Statement<[from: string, rows: number], Row>
  readonly #byId: Statement<[messageId: string, rows: number], Row>
  readonly #ids: SqliteRemovedIds
  readonly #merge: SqliteSearchMerge
  readonly #remove: (removal: MessageRemoval) => number | undefined
  readonly #removeUnread: (receivedBefore: string) => number
  #rows = FIRST_ROWS

  constructor (database: SqliteDatabase) {
    this.#receipts = new SqliteReceipts(database, COLUMNS)
    this.#bySender = database.prepare(`SELECT ${COLUMNS} FROM messages INDEXED BY messages_by_sender WHERE listed = 1 AND from_msisdn = ? LIMIT ?`)
    this.#byId = database.prepare(`SELECT ${COLUMNS} FROM messages WHERE listed = 1 AND message_id = ? LIMIT ?`)
    this.#ids = new SqliteRemovedIds(database)
    this.#merge = new SqliteSearchMerge(database)
    const counters = new SqliteCounters(database)
    const indexed = database.prepare<[], number>("SELECT count FROM totals WHERE name = 'indexed'").pluck()
    // The index keeps no copy of a text, so it has to be told what it was made from: https://sqlite.org/fts5.html#the_delete_command
    const unindex = database.prepare<[seq: number, folded: string]>("INSERT INTO messages_search (messages_search, rowid, text_folded) VALUES ('delete', CAST(? AS INTEGER), ?)")
    const drop = database.prepare<[seq: number]>('DELETE FROM messages WHERE seq = ?')

    this.#remove = database.transaction((removal: MessageRemoval) => {
      const rows = this.#select(removal)
      if (rows === undefined || rows.length === 0) return rows?.length
      const upTo = indexed.get() as number
      counters.remove(rows)
      for (const { seq, text_folded: folded } of rows) {
        if (folded !== null && seq <= upTo) unindex.run(seq, folded)
        drop.run(seq)
      }
      this.#merge.removed(rows.length)
      this.#ids.remember(rows.map(row => row.message_id))
      return rows.length
    }).immediate
    const unread = database.prepare<[receivedBefore: string, rows: number]>('DELETE FROM unread_items WHERE digest IN (SELECT digest FROM unread_items WHERE received_at < ? LIMIT ?)')
    this.#removeUnread = receivedBefore => unread.run(receivedBefore, MOST_ROWS).changes
  }

  /**
   * Removes some of what is meant, of messages only those that are listed, in one transaction, and tidies up the search index a bit.
   *
   * @returns how many; 0 when there is none, and undefined when none was found yet, and more has to be looked at
   */
  step (removal: Removal): number | undefined {
    if ('unreadBefore' in removal) return this.#removeUnread(removal.unreadBefore)
    // At first: a failure of it must not hide what was removed.
    const isMerging = this.#merge.step()
    const begun = performance.now()
    const removed = this.#remove(removal)
    if (removed === this.#rows) this.#rows = clamp(Math.round(this.#rows * STEP / (performance.now() - begun)), this.#rows)
    // The last of it goes when nothing is left to remove, but whoever deletes a sender does not wait for that.
    return removed === 0 && isMerging && 'receivedBefore' in removal ? undefined : removed
  }

  /** Forgets some of the ids that were removed before a day. @returns what {@link step} does */
  forget (before: number): number | undefined {
    return this.#ids.forget(before)
  }

  #select (removal: MessageRemoval): Row[] | undefined {
    if ('from' in removal) return this.#bySender.all(removal.from, this.#rows)
    if ('messageId' in removal) return this.#byId.all(removal.messageId, this.#rows)
    return this.#receipts.take(removal.receivedBefore, this.#rows)
  }
}

/** A step that was slow, or quick, once does not change much. */
function clamp (rows: number, before: number): number {
  return Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, before * 2, rows))
}
