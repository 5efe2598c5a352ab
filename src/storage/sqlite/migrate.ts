import { migrate } from '../migrate.ts'
import type { SqliteDatabase } from './database.ts'

/** Brings the schema up to date, in one transaction: all of it or nothing. */
export async function migrateSqlite (database: SqliteDatabase): Promise<void> {
  await migrate({
    driver: 'sqlite3',
    folder: import.meta.dirname,
    query: async sql => ({ rows: run(database, sql) }),
    script: async sql => { database.exec(sql) },
    transaction: async work => {
      database.exec('BEGIN IMMEDIATE')
      try {
        await work()
        database.exec('COMMIT')
      } finally {
        if (database.inTransaction) database.exec('ROLLBACK')
      }
    }
  })
}

function run (database: SqliteDatabase, sql: string): unknown[] {
  const statement = database.prepare(sql)
  if (statement.reader) return statement.all()
  statement.run()
  return []
}
