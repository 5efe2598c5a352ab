import type { Message } from '../../message.ts'
import { StoreUnavailable, StoreUnusable } from '../message-store.ts'
import type { CountedPage, Filter, MessageStore, Page, Position, SaveResult, Stats, StoreObserver } from '../message-store.ts'
import { openDatabase, openMemoryDatabase, type SqliteDatabase } from './database.ts'
import { migrateSqlite } from './migrate.ts'
import { SqliteReader } from './reader.ts'
import { SqliteWriter } from './writer.ts'

/**
 * Opens the messages in a SQLite file.
 *
 * @param file undefined for a database in memory
 * @throws {StoreUnusable} when the file is not a database, cannot be written, or is from a newer Letterbox
 */
export async function openSqliteStore (file: string | undefined, observer: StoreObserver): Promise<MessageStore> {
  let database: SqliteDatabase | undefined
  try {
    database = file === undefined ? openMemoryDatabase() : openDatabase(file)
    await migrateSqlite(database)
    return new SqliteStore(database, observer)
  } catch (cause) {
    database?.close()
    if (cause instanceof StoreUnusable) throw cause
    throw new StoreUnusable(`cannot use ${file} as a database: ${(cause as Error).message}`, { cause })
  }
}

class SqliteStore implements MessageStore {
  readonly #database: SqliteDatabase
  readonly #observer: StoreObserver
  readonly #reader: SqliteReader
  readonly #writer: SqliteWriter

  constructor (database: SqliteDatabase, observer: StoreObserver) {
    this.#database = database
    this.#observer = observer
    this.#reader = new SqliteReader(database)
    this.#writer = new SqliteWriter(database)
  }

  readonly queueDepth = 0

  async save (message: Message): Promise<SaveResult> {
    const begun = performance.now()
    const [result] = attempt(() => this.#writer.save([message]))
    this.#observer.committed(1, (performance.now() - begun) / 1000)
    return result as SaveResult
  }

  async get (messageId: string): Promise<Message | undefined> {
    return attempt(() => this.#reader.get(messageId))
  }

  async page (filter: Filter, limit: number, offset: number): Promise<CountedPage> {
    return attempt(() => this.#reader.page(filter, limit, offset))
  }

  async pageAfter (filter: Filter, limit: number, position: Position): Promise<Page> {
    return attempt(() => this.#reader.pageAfter(filter, limit, position))
  }

  async stats (): Promise<Stats> {
    return attempt(() => this.#reader.stats())
  }

  async count (): Promise<number> {
    return attempt(() => this.#reader.count())
  }

  async ping (): Promise<void> {
    attempt(() => this.#reader.get(''))
  }

  async close (): Promise<void> {
    this.#database.close()
  }
}

function attempt<Result> (work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    throw new StoreUnavailable('the database cannot do it now', { cause })
  }
}
