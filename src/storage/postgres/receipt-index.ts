import type { PoolClient } from 'pg'
import { unhurried } from './pool.ts'

const IS_THERE = {
  name: 'by receipt',
  text: "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('messages_by_receipt') AND indisvalid) AS there"
}
/** One that was not finished is no use. */
const DROP = 'DROP INDEX CONCURRENTLY IF EXISTS messages_by_receipt'
/** The server lets commits through meanwhile. */
const MAKE = 'CREATE INDEX CONCURRENTLY messages_by_receipt ON messages (created_at)'

/**
 * Makes the index by the time of receipt where it is missing, however long that takes. Only those who remove by it pay for it: no migration
 * makes it.
 */
export async function makeReceiptIndex (client: PoolClient): Promise<void> {
  const { rows: [index] } = await client.query<{ there: boolean }>(IS_THERE)
  if (index?.there === true) return
  await unhurried(client, async run => {
    await run(DROP)
    await run(MAKE)
  })
}
