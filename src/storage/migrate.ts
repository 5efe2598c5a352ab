import { join } from 'node:path'
import Postgrator from 'postgrator'
import { StoreUnusable } from './message-store.ts'

/** What a backend gives to have its schema brought up to date: `folder/migrations/NNN.do.name.sql` are run in order. */
export interface Migratable {
  readonly driver: 'sqlite3'
  /** The backend's own folder. */
  readonly folder: string
  /** Runs one statement. */
  readonly query: (sql: string) => Promise<{ rows: unknown[] }>
  /** Runs a script of several statements. */
  readonly script: (sql: string) => Promise<void>
}

/** The table in which the applied migrations are recorded. */
const SCHEMA_TABLE = 'schema_version'

/**
 * Applies the migrations that the database does not have yet. The caller holds a transaction around it, so that a
 * migration is applied and recorded as a whole, and by one process.
 *
 * @throws {StoreUnusable} when the database was written by a newer Letterbox
 */
export async function migrate ({ driver, folder, query, script }: Migratable): Promise<void> {
  const postgrator = new Postgrator({
    driver,
    migrationPattern: join(escapeGlob(folder), 'migrations', '*.sql'),
    schemaTable: SCHEMA_TABLE,
    newline: 'LF',
    execQuery: query,
    execSqlScript: script
  })
  const [present, known] = [await postgrator.getDatabaseVersion(), await postgrator.getMaxVersion()]
  if (present > known) {
    throw new StoreUnusable(
      `the database is from a newer Letterbox: its schema is version ${present}, this program knows ${known} at most`
    )
  }
  await postgrator.migrate()
}

function escapeGlob (path: string): string {
  return path.replace(/[[\]{}()*?!\\]/g, '\\$&')
}
