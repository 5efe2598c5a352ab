import { parseDatabaseUrl } from './database-url.ts'
import { StoreUnusable, type MessageStore, type StoreObserver } from './message-store.ts'
import { openSqliteStore } from './sqlite/store.ts'

/**
 * Opens the messages that a DATABASE_URL names, with their schema up to date.
 *
 * @throws {StoreUnusable} when that cannot be done, and waiting would not help
 */
export async function openMessageStore (url: string, observer: StoreObserver): Promise<MessageStore> {
  const location = parseDatabaseUrl(url)
  if (location === undefined) throw new StoreUnusable('DATABASE_URL names no database that Letterbox can use')
  return openSqliteStore(location.file, observer)
}
