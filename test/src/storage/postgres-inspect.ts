/** A PostgreSQL database of the service as any other program sees it. */
import type { PostgresServer } from '../../postgres.ts'
import { untilResolved } from './inspect.ts'

/** Resolves when everything that was stored is in the counters. Nothing tells another program when: it has to ask. */
export async function untilCounted (server: PostgresServer, url: string): Promise<void> {
  await untilResolved(async () => {
    const [row] = await server.query(url, 'SELECT FROM uncounted LIMIT 1')
    if (row !== undefined) throw new Error('not yet')
  })
}

/** Each counter as it is, beside the statement that counts the rows. */
const COUNTERS: readonly (readonly [kept: string, counted: string])[] = [
  ["SELECT count FROM totals WHERE name = 'messages'", 'SELECT count(*) FROM messages'],
  ["SELECT count FROM totals WHERE name = 'senders'", 'SELECT count(DISTINCT from_msisdn) FROM messages'],
  ['SELECT msisdn, count FROM senders ORDER BY 1', 'SELECT from_msisdn AS msisdn, count(*) FROM messages GROUP BY 1 ORDER BY 1'],
  ['SELECT msisdn, count FROM busiest_senders ORDER BY 2 DESC, 1 LIMIT 10', 'SELECT from_msisdn AS msisdn, count(*) FROM messages GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10'],
  ['SELECT msisdn, count FROM recipients ORDER BY 1', 'SELECT to_msisdn AS msisdn, count(*) FROM messages GROUP BY 1 ORDER BY 1'],
  ['SELECT source, count FROM sources WHERE count > 0 ORDER BY 1', 'SELECT source, count(*) FROM messages GROUP BY 1 ORDER BY 1'],
  ['SELECT level, period, count FROM periods ORDER BY 1, 2', `
    SELECT level, left(moment, level) AS period, count(*) FROM messages, unnest(ARRAY[4, 7, 10, 13, 16, 19]) AS level
    GROUP BY 1, 2 ORDER BY 1, 2`]
]

/** The counters that differ from the rows, for when nothing is left uncounted. */
export async function wrongCounters (server: PostgresServer, url: string): Promise<unknown[]> {
  const wrong: unknown[] = []
  for (const [kept, counted] of COUNTERS) {
    const [actual, expected] = [await server.query(url, kept), await server.query(url, counted)]
    if (JSON.stringify(actual) !== JSON.stringify(expected)) wrong.push({ kept, actual, expected })
  }
  return wrong
}
