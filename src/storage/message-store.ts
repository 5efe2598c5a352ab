import type { Arrival, Message, StoredMessage, UnreadItem } from '../message.ts'
import type { Span, Volume } from '../volume.ts'
import type { Removal } from './removed.ts'

/** `created`: the message is new and durable. `duplicate`: its `message_id` is known, and nothing was changed. */
export type SaveResult = 'created' | 'duplicate'

/** Which messages are meant. Conditions combine with AND; a missing one lets everything through. */
export interface Filter {
  /** The exact sender. */
  readonly from?: string | undefined
  /** The exact recipient. */
  readonly to?: string | undefined
  /** Inclusive: `ts >= since`. A canonical timestamp (timestamp.ts). */
  readonly since?: string | undefined
  /** Exclusive: `ts < until`. A canonical timestamp. */
  readonly until?: string | undefined
  /** A substring of the text, case-insensitive, every character meaning itself. Messages without a text never match. */
  readonly q?: string | undefined
  /** Whose delivery it was. */
  readonly source?: string | undefined
}

/** A place in the list: just behind the message with this moment and id. */
export interface Position {
  readonly ts: string
  readonly message_id: string
}

export interface Page<Row extends Message = Message> {
  /** By `ts` as time, then by `message_id` by code point, both ascending. */
  readonly messages: Row[]
  /** Where the next page begins; undefined when no row follows. */
  readonly next: Position | undefined
}

export interface CountedPage extends Page {
  /** How many messages the filter lets through, whatever the page. */
  readonly total: number
}

export interface Stats {
  readonly total_messages: number
  readonly senders_count: number
  /** The ten busiest senders: by count descending, then by number ascending. */
  readonly messages_per_sender: { from: string, count: number }[]
  /** The extremes of `ts`; null while there is no message. */
  readonly first_message_ts: string | null
  readonly last_message_ts: string | null
}

/**
 * A place in the feed, which is all messages in the order in which they were committed: just behind one of them. `mark` is
 * of that one (feed-position.ts), so that a place in another database, or in one that was set back, is told from one in this.
 */
export interface FeedPosition {
  /** The `seq` of the message; 0 before all of them. */
  readonly seq: number
  readonly mark: string
}

/** Which messages of the feed are meant. */
export type FeedFilter = Pick<Filter, 'from' | 'source'>

/** A message of the feed, and its place in the order of commits. */
export type FeedRow = Omit<StoredMessage, 'raw'> & { readonly seq: number }

export interface FeedPage {
  readonly rows: FeedRow[]
  /** How far was looked: behind the last of the rows, or farther where the filter let nothing more through. */
  readonly position: FeedPosition
  /** Whether nothing was there behind that. */
  readonly isLast: boolean
}

/** What a store takes and has on a disk of this machine, in bytes. */
export interface DiskUse {
  /** Its write-ahead log. */
  readonly log: number
  /** What this process may still write there. */
  readonly free: number
}

/** Told what happens inside, for metrics and the log. It must not throw. */
export interface StoreObserver {
  /**
   * @param rows how many saves the transaction held
   * @param seconds how long it took, the sync to disk included
   * @param least how much of that it took at least, where a busy event loop may have heard of its end late
   */
  committed (rows: number, seconds: number, least?: number): void

  /** @param text what an operator should know, in one sentence */
  notice (text: string): void
}

/** How a save went, for a trace. Moments are in ms, of the clock of clock.ts. */
export interface SaveCourse {
  /** When the save was accepted: from then on it waited for its transaction. */
  readonly accepted: number
  /** When the transaction began, and when it was on disk, or had failed. */
  readonly begun: number
  readonly ended: number
  /** How many rows it held, those of other saves included. */
  readonly rows: number
  readonly failed: boolean
}

/** Told how a save went, just before that resolves or rejects; not of one that never came to a transaction. It must not throw. */
export interface SaveWatcher {
  saved (course: SaveCourse): void
}

/**
 * Messages, each stored exactly once. Everything is asynchronous, and all answers reflect every save that had resolved
 * when they were asked for.
 *
 * Every member rejects with {@link StoreUnavailable} when the store cannot do it now: it is down, full, busy beyond its
 * bounds, or closed. Whatever a save rejects with, the message may or may not be stored: deliver it again.
 *
 * Reads take a signal, aborted when nobody waits for the answer any more. A statement of theirs is given up after five seconds.
 */
export interface MessageStore {
  /**
   * Stores a message if its `message_id` is new. Resolves when it is on disk, and not before.
   * Of concurrent saves of one id, one resolves as `created` and all others as `duplicate`.
   */
  save (message: Arrival, watcher?: SaveWatcher | null): Promise<SaveResult>

  /**
   * Stores what one delivery brought in one transaction: all that is new of it, or nothing. Where the database refuses a row by itself, the
   * others are stored all the same, and this is rejected: the next delivery of it finds them there. Unread items are kept once each.
   *
   * @returns one result a message, in their order
   */
  saveAll (messages: readonly Arrival[], unread: readonly UnreadItem[], watcher?: SaveWatcher | null): Promise<readonly SaveResult[]>

  /** The message with this id, and how it came in. */
  get (messageId: string, signal?: AbortSignal): Promise<StoredMessage | undefined>

  /** `limit` messages after the first `offset`. It costs the more, the larger `offset` is: walk with {@link pageAfter}. */
  page (filter: Filter, limit: number, offset: number, signal?: AbortSignal): Promise<CountedPage>

  /** `limit` messages that follow `position`, at the same cost wherever that is. */
  pageAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page>

  /** The same page, of messages with how they came in. */
  recordsAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page<StoredMessage>>

  /**
   * The next messages of the feed, `limit` at most. A message that was not there when a page was read is never before the
   * position that the page ends with. It costs the same wherever the position is, and whatever the filter lets through: of
   * many rows that it does not, one page looks at some, so that pages can be empty before the last.
   *
   * @throws {UnknownPosition} when the message of the position is another one here
   */
  feed (filter: FeedFilter, after: FeedPosition, limit: number, signal?: AbortSignal): Promise<FeedPage>

  /** The position behind every message that is there. */
  feedEnd (signal?: AbortSignal): Promise<FeedPosition>

  /** Whether other processes may store messages here, too. */
  readonly isShared: boolean

  stats (signal?: AbortSignal): Promise<Stats>

  /**
   * Everything that a filter lets through, in the order of the list, of the messages that are stored by now, and none that
   * comes later. One that is deleted meanwhile may be missing. A page is read when it is asked for, within five seconds
   * each, and nothing is held for it in the database between two of them.
   */
  snapshot (filter: Filter, signal?: AbortSignal): AsyncGenerator<StoredMessage[], void, undefined>

  /** How many messages, of one sender or of all, each interval of a span holds that holds any, by time. */
  volume (span: Span, from?: string, signal?: AbortSignal): Promise<Volume[]>

  /** How many messages there are. */
  count (): Promise<number>

  /**
   * Removes some of what is meant, so little that saves do not feel it, and all that was made of it. Ids of messages that were removed stay
   * known: a message that comes with one is a duplicate.
   *
   * @returns how many; 0 when there is none left that was stored when this was asked for, or when another process is removing by age. 0 too when
   *   the signal ended the search for some
   */
  remove (removal: Removal, signal?: AbortSignal): Promise<number>

  /**
   * Forgets some of the ids that were removed before a day, which is in days since 1970.
   *
   * @returns how many; 0 when there is none left, or when the signal ended the search for some
   */
  forget (before: number, signal?: AbortSignal): Promise<number>

  /** How many saves wait for their commit at this moment. */
  readonly queueDepth: number

  /** Undefined where the messages are on another machine. */
  diskUse (): Promise<DiskUse | undefined>

  /** Resolves when the store answers, its schema is in place, and a message saved now could be stored. */
  ping (): Promise<void>

  /** Finishes the saves that were accepted, then lets go of the database. */
  close (): Promise<void>
}

/** So many reads may wait for those before them; the next one is refused at once. They wait for five seconds at most in any case. */
export const WAITING_READS = 1000
