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
 * @returns why searches have no index and scan, in one sentence; undefined where they have one
 * @throws {StoreUnusable} when the database was written by a newer Letterbox
 */
export async function preparePostgres (pool: PostgresPool): Promise<string | undefined> {
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

/**
 * Not a migration: where the index cannot be had today it may be tomorrow, and search answers without it. That of a table
 * which has rows already is left to the operator (docs/scaling.md): while it is made, nothing could be stored.
 *
 * @returns why searches have to scan; undefined where they need not
 */
async function indexSearch (client: PoolClient): Promise<string | undefined> {
  // First, since a standby can create nothing, and need not.
  if (await isTrue(client, "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('messages_search') AND indisvalid)")) return undefined
  try {
    await run(client, 'CREATE EXTENSION IF NOT EXISTS pg_trgm')
    if (await isTrue(client, 'EXISTS (SELECT FROM messages)')) return 'searches scan every message until their index is made: docs/scaling.md says how'
    await run(client, `
      CREATE INDEX messages_search ON messages USING gin (text_folded gin_trgm_ops)
      WITH (gin_pending_list_limit = ${PENDING_KB})`)
    return undefined
  } catch {
    return 'pg_trgm cannot be had in this database: searches scan every message'
  }
}

async function isTrue (client: PoolClient, condition: string): Promise<boolean> {
  const { rows: [row] } = await client.query<{ true: boolean }>(`SELECT ${condition} AS true`)
  return row?.true === true
}

function run (client: PoolClient, text: string): Promise<QueryResult> {
  const question = { text, query_timeout: TIMEOUT }
  return client.query(question)
}

/** Whether messages can be stored. It fails when any table or column is missing. */
export const PING = {
  name: 'ping',
  text: `
    SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable FROM
      (SELECT count(*) FROM (SELECT message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded, moment, source, type, raw FROM messages LIMIT 0) AS t) AS t1,
      (SELECT count(*) FROM (SELECT last_value, is_called FROM messages_seq_seq LIMIT 0) AS t) AS t10,
      (SELECT count(*) FROM (SELECT from_msisdn, to_msisdn, source, second FROM uncounted LIMIT 0) AS t) AS t2,
      (SELECT count(*) FROM (SELECT name, count FROM totals LIMIT 0) AS t) AS t3,
      (SELECT count(*) FROM (SELECT msisdn, count FROM senders LIMIT 0) AS t) AS t4,
      (SELECT count(*) FROM (SELECT msisdn, count FROM busiest_senders LIMIT 0) AS t) AS t7,
      (SELECT count(*) FROM (SELECT msisdn, count FROM recipients LIMIT 0) AS t) AS t5,
      (SELECT count(*) FROM (SELECT source, count FROM sources LIMIT 0) AS t) AS t8,
      (SELECT count(*) FROM (SELECT digest, source, raw, received_at FROM unread_items LIMIT 0) AS t) AS t9,
      (SELECT count(*) FROM (SELECT hash, day FROM removed_ids LIMIT 0) AS t) AS t11,
      (SELECT count(*) FROM (SELECT level, period, count FROM periods LIMIT 0) AS t) AS t6`
}
