import type { PoolClient } from 'pg'

const IS_THERE = {
  name: 'by receipt',
  text: "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('messages_by_receipt') AND indisvalid) AS there"
}
/** One that was not finished is no use. */
const DROP = 'DROP INDEX CONCURRENTLY IF EXISTS messages_by_receipt'
/** The server lets commits through meanwhile. */
const MAKE = 'CREATE INDEX CONCURRENTLY messages_by_receipt ON messages (created_at)'
/** How long that may take, in ms: as long as a timer can be set for, 24 days. */
const TIMEOUT = 2 ** 31 - 1

/**
 * Makes the index by the time of receipt where it is missing, however long that takes. Only those who remove by it pay for it: no migration
 * makes it.
 */
export async function makeReceiptIndex (client: PoolClient): Promise<void> {
  const { rows: [index] } = await client.query<{ there: boolean }>(IS_THERE)
  if (index?.there === true) return
  await client.query('SET statement_timeout = 0')
  for (const text of [DROP, MAKE]) {
    const statement = { text, query_timeout: TIMEOUT }
    await client.query(statement)
  }
  await client.query('RESET statement_timeout')
}
