import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

export type SqliteDatabase = Database.Database

/**
 * Opens a database file for reading and writing, making it and its parent folders when they are missing.
 *
 * WAL lets readers and the writer work at the same time. `synchronous=FULL` syncs the log on every commit: better-sqlite3
 * is built with NORMAL for WAL, under which a power cut takes back commits that were already acknowledged.
 */
export function openDatabase (file: string): SqliteDatabase {
  mkdirSync(dirname(file), { recursive: true })
  const database = new Database(file, { timeout: 1000 })
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  return database
}

/** A database that lives in memory and dies with its handle. */
export function openMemoryDatabase (): SqliteDatabase {
  return new Database(':memory:')
}
