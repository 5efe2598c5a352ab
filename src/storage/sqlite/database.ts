import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

export type SqliteDatabase = Database.Database

/** Pages of 4 KiB that the log takes before they are moved into the database. A page that many commits change moves once. */
const CHECKPOINT_PAGES = 8000

/** How long a write waits for another process to let go of the database, in ms. */
export const WRITE_LOCK_TIMEOUT = 2000
/** The same for a read, which waits only while another process recovers the log. */
const READ_LOCK_TIMEOUT = 1000

/**
 * Opens a database file for writing, making it and its parent folders when they are missing.
 *
 * WAL lets readers and the writer work at the same time. `synchronous=FULL` syncs the log on every commit: better-sqlite3
 * is built with NORMAL for WAL, under which a power cut takes back commits that were already acknowledged.
 */
export function openForWriting (file: string, durable: boolean): SqliteDatabase {
  mkdirSync(dirname(file), { recursive: true })
  const database = new Database(file, { timeout: WRITE_LOCK_TIMEOUT })
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${durable ? 'FULL' : 'OFF'}`)
  database.pragma('cache_size = -16384')
  // What a long statement keeps in order to be taken back would otherwise go to a temporary file, page by page.
  database.pragma('temp_store = MEMORY')
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  return database
}

/** Opens a database file, which must exist, for reading. */
export function openForReading (file: string): SqliteDatabase {
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: READ_LOCK_TIMEOUT })
  database.pragma('cache_size = -8192')
  return database
}
