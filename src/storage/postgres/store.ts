import type { Arrival, StoredMessage, UnreadItem } from '../../message.ts'
import type { Span, Volume } from '../../volume.ts'
import { GroupCommit } from '../group-commit.ts'
import { StoreUnavailable, StoreUnusable } from '../errors.ts'
import type { Removal } from '../removed.ts'
import { walkPages } from '../snapshot.ts'
import type {
  CountedPage, FeedFilter, FeedPage, FeedPosition, Filter, MessageStore, Page, Position, SaveResult, SaveWatcher, Stats, StoreObserver
} from '../message-store.ts'
import { PostgresChores } from './chores.ts'
import { PostgresFeed } from './feed.ts'
import { PING, preparePostgres } from './migrate.ts'
import { PostgresPool } from './pool.ts'
import { PostgresReader } from './reader.ts'
import { PostgresRemoval } from './removal.ts'
import { seenNow } from './seen.ts'
import { PostgresWriter } from './writer.ts'

/**
 * Three groups under way at once, small ones while that is enough: one waits for the disk while the server works on another
 * and the event loop on the next. One more while the event loop has more to do than the server. The bounds are about a second of work. Where statements time out, no delivery waits for
 * more than one of them, and a second.
 */
const LIMITS = { enough: 16, groupSize: 500, fairSize: 64, groupsInFlight: 3, groupsAhead: 1, rows: 10_000, bytes: 64 * 1024 * 1024, patience: 1000 }
/** For the groups under way, for the chores, and for the probe. */
const WRITE_CONNECTIONS = LIMITS.groupsInFlight + LIMITS.groupsAhead + 2
/** Opened when a feed is. */
const FEED_CONNECTIONS = 4
/** Opened when something is removed: deliveries do not wait for it. One works, while the other holds a lock. */
const REMOVAL_CONNECTIONS = 2
/** How long after a failure the schema is looked for again, in ms. */
const RETRY = 1000

export interface PostgresLocation {
  readonly url: string
  /** Where GETs read instead: a replica, which may lag behind. */
  readonly readUrl: string | undefined
  /** Connections for reads. */
  readonly readConnections: number
}

/**
 * Opens the messages in a PostgreSQL database. It need not answer yet: until it does, and its schema is in place, the store
 * is unavailable.
 *
 * @throws {StoreUnusable} when the database is from a newer Letterbox, or a URL breaks a rule (connection.ts)
 */
export async function openPostgresStore (location: PostgresLocation, observer: StoreObserver): Promise<MessageStore> {
  const store = new PostgresStore(location, observer)
  await store.prepare()
  return store
}

class PostgresStore implements MessageStore {
  readonly isShared = true
  readonly #observer: StoreObserver
  readonly #writes: PostgresPool
  readonly #reads: PostgresPool
  readonly #reader: PostgresReader
  readonly #feeds: PostgresPool
  readonly #feed: PostgresFeed
  readonly #writer: PostgresWriter
  readonly #commits: GroupCommit
  readonly #chores: PostgresChores
  readonly #removals: PostgresPool
  readonly #removal: PostgresRemoval
  /** Why nothing can be done yet; undefined once the schema is in place. */
  #obstacle: Error | undefined = new StoreUnavailable('the database was not reached yet')
  #retry: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor ({ url, readUrl, readConnections }: PostgresLocation, observer: StoreObserver) {
    this.#observer = observer
    this.#writes = new PostgresPool(url, WRITE_CONNECTIONS)
    this.#reads = new PostgresPool(readUrl ?? url, readConnections)
    this.#reader = new PostgresReader(this.#reads)
    // Never a replica: who is storing something just now is to be seen on the server itself.
    this.#feeds = new PostgresPool(url, FEED_CONNECTIONS)
    this.#feed = new PostgresFeed(this.#feeds)
    this.#writer = new PostgresWriter(this.#writes, observer)
    this.#commits = new GroupCommit(this.#writer, LIMITS)
    this.#chores = new PostgresChores(this.#writes)
    this.#removals = new PostgresPool(url, REMOVAL_CONNECTIONS)
    this.#removal = new PostgresRemoval(this.#removals)
  }

  get queueDepth (): number {
    return this.#commits.depth
  }

  /**
   * Brings the schema up to date, now or as soon as the database answers.
   *
   * @throws {StoreUnusable} when the database is from a newer Letterbox
   */
  async prepare (): Promise<void> {
    try {
      const scans = await preparePostgres(this.#writes)
      if (scans !== undefined) this.#observer.notice(scans)
      this.#obstacle = undefined
      this.#chores.schedule()
    } catch (error) {
      if (error instanceof StoreUnusable) {
        await this.close()
        throw error
      }
      // It was closed while this attempt was under way.
      if (this.#closing !== undefined) return
      this.#report(error as Error)
      this.#retry = setTimeout(() => {
        // From a newer Letterbox, as it turns out now: the process stays up and says so, and is never ready.
        this.prepare().catch((unusable: Error) => { this.#report(unusable) })
      }, RETRY)
    }
  }

  /** Says why there is no database, once for each reason. */
  #report (error: Error): void {
    if (this.#obstacle?.message !== error.message) this.#observer.notice(`the database cannot be used: ${error.message}`)
    this.#obstacle = error
  }

  async save (message: Arrival, watcher?: SaveWatcher | null): Promise<SaveResult> {
    this.#check()
    const result = await this.#commits.save(message, watcher)
    if (result === 'created') this.#chores.schedule()
    return result
  }

  async saveAll (messages: readonly Arrival[], unread: readonly UnreadItem[], watcher?: SaveWatcher | null): Promise<readonly SaveResult[]> {
    this.#check()
    const results = await this.#commits.saveAll([...messages, ...unread], watcher)
    this.#chores.schedule()
    return results.slice(0, messages.length)
  }

  async get (messageId: string, signal?: AbortSignal): Promise<StoredMessage | undefined> {
    this.#check()
    return this.#reader.get(messageId, signal)
  }

  async page (filter: Filter, limit: number, offset: number, signal?: AbortSignal): Promise<CountedPage> {
    this.#check()
    return this.#reader.page(filter, limit, offset, signal)
  }

  async pageAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page> {
    this.#check()
    return this.#reader.pageAfter(filter, limit, position, signal)
  }

  async recordsAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page<StoredMessage>> {
    this.#check()
    return this.#reader.recordsAfter(filter, limit, position, signal)
  }

  async feed (filter: FeedFilter, after: FeedPosition, limit: number, signal?: AbortSignal): Promise<FeedPage> {
    this.#check()
    return this.#feed.page(filter, after, limit, signal)
  }

  async feedEnd (signal?: AbortSignal): Promise<FeedPosition> {
    this.#check()
    return this.#feed.end(signal)
  }

  async stats (signal?: AbortSignal): Promise<Stats> {
    this.#check()
    return this.#reader.stats(signal)
  }

  async * snapshot (filter: Filter, signal?: AbortSignal): AsyncGenerator<StoredMessage[], void, undefined> {
    this.#check()
    const seen = await seenNow(this.#writes, this.#reads, signal)
    yield * walkPages((limit, after) => {
      this.#check()
      return this.#reader.recordsSeen(filter, limit, after, seen, signal)
    })
  }

  async volume (span: Span, from?: string, signal?: AbortSignal): Promise<Volume[]> {
    this.#check()
    return this.#reader.volume(span, from, signal)
  }

  async count (): Promise<number> {
    this.#check()
    return this.#reader.count()
  }

  async diskUse (): Promise<undefined> {}

  async remove (removal: Removal, signal?: AbortSignal): Promise<number> {
    this.#check()
    return this.#removal.step(removal, signal)
  }

  async forget (before: number): Promise<number> {
    this.#check()
    return this.#removal.forget(before)
  }

  async ping (): Promise<void> {
    this.#check()
    if (this.#writer.isTroubled) throw new StoreUnavailable('commits fail')
    const [row] = await this.#writes.query<{ writable: boolean }>(PING, [])
    if (row?.writable !== true) throw new StoreUnavailable('the database can only be read')
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #check (): void {
    if (this.#closing !== undefined) throw new StoreUnavailable('the store is closed')
    if (this.#obstacle !== undefined) throw new StoreUnavailable('the database is not ready', { cause: this.#obstacle })
  }

  async #close (): Promise<void> {
    clearTimeout(this.#retry)
    this.#chores.close()
    await this.#commits.close()
    await Promise.all([this.#writes.close(), this.#reads.close(), this.#feeds.close(), this.#removals.close()])
  }
}
