import { parseDatabaseUrl } from './database-url.ts'
import { StoreUnusable } from './errors.ts'
import type { MessageStore, StoreObserver } from './message-store.ts'
import { openPostgresStore } from './postgres/store.ts'
import { openSqliteStore } from './sqlite/store.ts'

/** What only PostgreSQL makes use of. */
export interface ServerOptions {
  /** Where reads go instead: a replica, which may lag behind. */
  readonly readUrl?: string | undefined
  /** Connections for reads. */
  readonly readConnections?: number
}

const READ_CONNECTIONS = 8

/**
 * Opens the messages that a DATABASE_URL names, with their schema up to date. A PostgreSQL need not answer yet.
 *
 * @throws {StoreUnusable} when that cannot be done, and waiting would not help
 */
export async function openMessageStore (
  url: string, observer: StoreObserver, { readUrl, readConnections = READ_CONNECTIONS }: ServerOptions = {}
): Promise<MessageStore> {
  const location = parseDatabaseUrl(url)
  if (location === undefined) throw new StoreUnusable('DATABASE_URL names no database that Letterbox can use')
  if (location.backend === 'sqlite') return openSqliteStore(location.file, observer)
  return openPostgresStore({ url: location.url, readUrl, readConnections }, observer)
}
