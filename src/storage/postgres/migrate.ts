import { StoreUnusable } from '../errors.ts'
import { migrate } from '../migrate.ts'
import { unhurried, type PostgresPool, type Run } from './pool.ts'

/** The number of the lock that a process holds which changes the schema. */
const SCHEMA_LOCK = 0x6c62_0001
/**
 * Brings the schema up to date, in one transaction: all of it or nothing. Of processes that start at once one does it, and
 * the others wait.
 *
 * @returns why searches have no index and scan, in one sentence; undefined where they have one
 * @throws {StoreUnusable} when the database was written by a newer Letterbox, or is in an encoding that not every message has
 */
export async function preparePostgres (pool: PostgresPool): Promise<string | undefined> {
  return pool.use(async client => {
    // No longer than any statement: who waits for another process is unavailable meanwhile, and asks again.
    await client.query('SELECT pg_advisory_lock($1)', [SCHEMA_LOCK])
    const scans = await unhurried(client, async run => {
      // Any other refuses some messages, each time that they are sent. SQL_ASCII keeps the bytes that it is given.
      if (!await isTrue(run, "current_setting('server_encoding') IN ('UTF8', 'SQL_ASCII')")) throw new StoreUnusable('the database must have the encoding UTF8')
      await migratePostgres(run)
      return indexSearch(run)
    })
    await client.query('SELECT pg_advisory_unlock($1)', [SCHEMA_LOCK])
    return scans
  })
}

/** A connection on which anything failed is closed, and with it the transaction and the lock. */
async function migratePostgres (run: Run): Promise<void> {
  await migrate({
    driver: 'pg',
    folder: import.meta.dirname,
    query: async sql => ({ rows: (await run(sql)).rows as unknown[] }),
    script: async sql => { await run(sql) },
    transaction: async work => {
      await run('BEGIN')
      await work()
      await run('COMMIT')
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
async function indexSearch (run: Run): Promise<string | undefined> {
  // First, since a standby can create nothing, and need not.
  if (await isTrue(run, "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('messages_search') AND indisvalid)")) return undefined
  try {
    await run('CREATE EXTENSION IF NOT EXISTS pg_trgm')
    if (await isTrue(run, 'EXISTS (SELECT FROM messages)')) return 'searches scan every message until their index is made: docs/scaling.md says how'
    // One that was not finished is no use.
    await run('DROP INDEX IF EXISTS messages_search')
    await run(`
      CREATE INDEX messages_search ON messages USING gin (text_folded gin_trgm_ops)
      WITH (gin_pending_list_limit = ${PENDING_KB})`)
    return undefined
  } catch (error) {
    return `searches scan every message, since their index cannot be had in this database: ${(error as Error).message}`
  }
}

async function isTrue (run: Run, condition: string): Promise<boolean> {
  const { rows: [row] } = await run(`SELECT ${condition} AS true`)
  return (row as { true: boolean }).true
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
