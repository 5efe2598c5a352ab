import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Arrival, StoredMessage, UnreadItem } from '../../message.ts'
import type { Span, Volume } from '../../volume.ts'
import { GroupCommit } from '../group-commit.ts'
import type { Removal } from '../removed.ts'
import { walkPages } from '../snapshot.ts'
import { StoreUnavailable, StoreUnusable, UnknownPosition } from '../errors.ts'
import type {
  CountedPage, DiskUse, FeedFilter, FeedPage, FeedPosition, Filter, MessageStore, Page, Position, SaveResult, SaveWatcher, Stats, StoreObserver
} from '../message-store.ts'
import { diskUse } from './disk-use.ts'
import { SqliteReaders } from './readers.ts'
import { SqliteWriterHandle } from './writer-handle.ts'
import type { Task, WriterData } from './writer-messages.ts'

/**
 * Groups are sent small and early: the writer thread makes one transaction of all that wait for it. The bounds are about
 * a second of work, so that what is accepted is also answered soon.
 */
const LIMITS = { enough: 16, groupSize: 16, fairSize: 16, groupsInFlight: Infinity, rows: 10_000, bytes: 64 * 1024 * 1024 }

/** How long a rest is between two steps that only look for what is to be removed, which take 1 or 2 ms, in ms. */
const LOOK_REST = 4

/**
 * Opens the messages in a SQLite file.
 *
 * @param file undefined for a database that is gone when it is closed
 * @throws {StoreUnusable} when the file is not a database, cannot be written, or is from a newer Letterbox
 */
export async function openSqliteStore (file: string | undefined, observer: StoreObserver): Promise<MessageStore> {
  if (file !== undefined) return open({ file, durable: true }, observer)
  // Threads cannot share a database in memory.
  const folder = await mkdtemp(join(tmpdir(), 'letterbox-'))
  return open({ file: join(folder, 'memory.db'), durable: false }, observer, () => rm(folder, { recursive: true }))
}

async function open (database: WriterData, observer: StoreObserver, afterClose = async () => {}): Promise<MessageStore> {
  const { file } = database
  const readers = new SqliteReaders(file)
  try {
    const writer = await SqliteWriterHandle.open(database, observer)
    return new SqliteStore(file, writer, readers, afterClose)
  } catch (cause) {
    await readers.close()
    await afterClose()
    throw new StoreUnusable(`DATABASE_URL names ${file}, which cannot be used: ${(cause as Error).message}`, { cause })
  }
}

class SqliteStore implements MessageStore {
  readonly isShared = false
  readonly #file: string
  readonly #writer: SqliteWriterHandle
  readonly #readers: SqliteReaders
  readonly #commits: GroupCommit
  readonly #afterClose: () => Promise<void>
  #closing: Promise<void> | undefined

  constructor (file: string, writer: SqliteWriterHandle, readers: SqliteReaders, afterClose: () => Promise<void>) {
    this.#file = file
    this.#writer = writer
    this.#readers = readers
    this.#commits = new GroupCommit(writer, LIMITS)
    this.#afterClose = afterClose
  }

  get queueDepth (): number {
    return this.#commits.depth
  }

  save (message: Arrival, watcher?: SaveWatcher | null): Promise<SaveResult> {
    return this.#commits.save(message, watcher)
  }

  async saveAll (messages: readonly Arrival[], unread: readonly UnreadItem[], watcher?: SaveWatcher | null): Promise<readonly SaveResult[]> {
    return (await this.#commits.saveAll([...messages, ...unread], watcher)).slice(0, messages.length)
  }

  get (messageId: string, signal?: AbortSignal): Promise<StoredMessage | undefined> {
    return this.#readers.run('get', [messageId], signal)
  }

  page (filter: Filter, limit: number, offset: number, signal?: AbortSignal): Promise<CountedPage> {
    return this.#readers.run('page', [filter, limit, offset], signal)
  }

  pageAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page> {
    return this.#readers.run('pageAfter', [filter, limit, position], signal)
  }

  recordsAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page<StoredMessage>> {
    return this.#readers.run('recordsAfter', [filter, limit, position], signal)
  }

  async feed (filter: FeedFilter, after: FeedPosition, limit: number, signal?: AbortSignal): Promise<FeedPage> {
    const page = await this.#readers.run('feed', [filter, after, limit], signal)
    if (page === undefined) throw new UnknownPosition()
    return page
  }

  feedEnd (signal?: AbortSignal): Promise<FeedPosition> {
    return this.#readers.run('feedEnd', [], signal)
  }

  stats (signal?: AbortSignal): Promise<Stats> {
    return this.#readers.run('stats', [], signal)
  }

  async * snapshot (filter: Filter, signal?: AbortSignal): AsyncGenerator<StoredMessage[], void, undefined> {
    const last = await this.#readers.run('last', [], signal)
    yield * walkPages((limit, after) => this.#readers.run('recordsUpTo', [filter, limit, after, last], signal))
  }

  volume (span: Span, from?: string, signal?: AbortSignal): Promise<Volume[]> {
    return this.#readers.run('volume', [span, from], signal)
  }

  count (): Promise<number> {
    return this.#readers.run('count', [])
  }

  diskUse (): Promise<DiskUse> {
    return diskUse(this.#file)
  }

  remove (removal: Removal, signal?: AbortSignal): Promise<number> {
    return this.#change({ remove: removal }, signal)
  }

  forget (before: number, signal?: AbortSignal): Promise<number> {
    return this.#change({ forget: before }, signal)
  }

  /** Looking for rows takes steps, too, which commits should not feel. */
  async #change (task: Task, signal?: AbortSignal): Promise<number> {
    while (signal?.aborted !== true) {
      if (this.#closing !== undefined) throw new StoreUnavailable('the store is closed')
      const rows = await this.#writer.perform(task)
      if (rows !== undefined) return rows
      await delay(LOOK_REST)
    }
    return 0
  }

  async ping (): Promise<void> {
    await Promise.all([this.#writer.ping(), this.#readers.run('ping', [])])
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close (): Promise<void> {
    await this.#commits.close()
    await this.#readers.close()
    await this.#writer.close()
    await this.#afterClose()
  }
}
