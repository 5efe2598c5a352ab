import type { PoolClient, QueryResult } from 'pg'
import { migrate } from '../migrate.ts'
import type { PostgresPool } from './pool.ts'

/** The number of the lock that a process holds which changes the schema. */
const SCHEMA_LOCK = 0x6c62_0001
/** How long a change of the schema may take, in ms: as long as a timer can be set for, 24 days. */
const TIMEOUT = 2 ** 31 - 1

/**
 * Brings the schema up to date, in one transaction: all of it or nothing. Of processes that start at once one does it, and
 * the others wait.
 *
 * @returns whether search has its index, for which the database must let the extension pg_trgm be created
 * @throws {StoreUnusable} when the database was written by a newer Letterbox
 */
export async function preparePostgres (pool: PostgresPool): Promise<boolean> {
  return pool.use(async client => {
    // No longer than any statement: who waits for another process is unavailable meanwhile, and asks again.
    await client.query('SELECT pg_advisory_lock($1)', [SCHEMA_LOCK])
    try {
      // Making an index on a full table takes longer than any question may.
      await client.query('SET statement_timeout = 0')
      await migratePostgres(client)
      return await indexSearch(client)
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [SCHEMA_LOCK])
      await client.query('RESET statement_timeout')
    }
  })
}

async function migratePostgres (client: PoolClient): Promise<void> {
  await migrate({
    driver: 'pg',
    folder: import.meta.dirname,
    query: async sql => ({ rows: (await run(client, sql)).rows as unknown[] }),
    script: async sql => { await run(client, sql) },
    transaction: async work => {
      await client.query('BEGIN')
      try {
        await work()
        await client.query('COMMIT')
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      }
    }
  })
}

/** So large that no commit has to move it into the index proper; chores.ts does it several times a second. */
const PENDING_KB = 65_536

/** Not a migration: where the extension cannot be had today it may be tomorrow, and search answers without it. */
async function indexSearch (client: PoolClient): Promise<boolean> {
  try {
    await run(client, 'CREATE EXTENSION IF NOT EXISTS pg_trgm')
    await run(client, `
      CREATE INDEX IF NOT EXISTS messages_search ON messages USING gin (text_folded gin_trgm_ops)
      WITH (gin_pending_list_limit = ${PENDING_KB})`)
    return true
  } catch {
    return false
  }
}

function run (client: PoolClient, text: string): Promise<QueryResult> {
  const question = { text, query_timeout: TIMEOUT }
  return client.query(question)
}
