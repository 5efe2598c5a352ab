/** Databases that are full already, made once and kept in data/bench/. */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openForWriting } from '../src/storage/sqlite/database.ts'
import { SqliteListing } from '../src/storage/sqlite/listing.ts'
import { migrateSqlite } from '../src/storage/sqlite/migrate.ts'
import { SqliteSearchIndex } from '../src/storage/sqlite/search-index.ts'
import { SqliteWriter } from '../src/storage/sqlite/writer.ts'
import { numberedMessage } from './messages.ts'
import { progress } from './report.ts'

const KEPT = join(import.meta.dirname, '..', 'data', 'bench')
const SIZES = [10_000, 100_000, 1_000_000, 5_000_000, 10_000_000]

/** Rows of one transaction. */
const STEP = 20_000

/**
 * A copy, in `folder`, of a database with the messages 0 to `rows` - 1, all of them listed and indexed for search.
 * It is written by Letterbox's own storage classes, in larger steps and without syncs.
 */
export async function copyOfInbox (rows: number, folder: string): Promise<string> {
  const kept = await inbox(rows)
  const copy = join(folder, `${rows}.db`)
  copyFileSync(kept, copy)
  return copy
}

async function inbox (rows: number): Promise<string> {
  const file = join(KEPT, `${rows}.db`)
  if (existsSync(file)) return file
  mkdirSync(KEPT, { recursive: true })

  const part = `${file}.part`
  for (const suffix of ['', '-wal', '-shm']) rmSync(part + suffix, { force: true })
  const smaller = SIZES.filter(size => size < rows).at(-1)
  if (smaller !== undefined) copyFileSync(await inbox(smaller), part)
  await fill(part, smaller ?? 0, rows)
  renameSync(part, file)
  return file
}

async function fill (file: string, from: number, to: number): Promise<void> {
  const database = openForWriting(file, false)
  await migrateSqlite(database)
  const writer = new SqliteWriter(database)
  const listing = new SqliteListing(database)
  const index = new SqliteSearchIndex(database)

  for (let next = from; next < to; next += STEP) {
    writer.save(Array.from({ length: Math.min(STEP, to - next) }, (_, number) => numberedMessage(next + number)))
    listing.step(STEP)
    index.step(STEP)
    progress(`filling ${file}: ${next} of ${to}`)
  }
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
}
