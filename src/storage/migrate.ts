import { join } from 'node:path'
import Postgrator from 'postgrator'
import { StoreUnusable } from './errors.ts'

/** What a backend gives to have its schema brought up to date: `folder/migrations/NNN.do.name.sql` are run in order. */
export interface Migratable {
  readonly driver: 'sqlite3' | 'pg'
  /** The backend's own folder. */
  readonly folder: string
  /** Runs one statement. */
  readonly query: (sql: string) => Promise<{ rows: unknown[] }>
  /** Runs a script of several statements. */
  readonly script: (sql: string) => Promise<void>
  /** Runs `work` in a transaction that no other process can run at the same time. */
  readonly transaction: (work: () => Promise<void>) => Promise<void>
}

/** The table in which the applied migrations are recorded. */
const SCHEMA_TABLE = 'schema_version'

/**
 * Applies the migrations that the database does not have yet, and records them with it. A database that is up to date
 * is only read.
 *
 * @throws {StoreUnusable} when the database was written by a newer Letterbox
 */
export async function migrate ({ driver, folder, query, script, transaction }: Migratable): Promise<void> {
  const postgrator = new Postgrator({
    driver,
    migrationPattern: join(escapeGlob(folder), 'migrations', '*.sql'),
    schemaTable: SCHEMA_TABLE,
    newline: 'LF',
    execQuery: query,
    execSqlScript: script
  })
  const known = await postgrator.getMaxVersion()
  const present = await postgrator.getDatabaseVersion()
  if (present > known) {
    throw new StoreUnusable(
      `the database is from a newer Letterbox: its schema is version ${present}, this program knows ${known} at most`
    )
  }
  if (present < known) await transaction(async () => { await postgrator.migrate() })
}

function escapeGlob (path: string): string {
  return path.replace(/[[\]{}()*?!\\]/g, '\\$&')
}
