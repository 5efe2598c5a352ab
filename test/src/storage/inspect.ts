/** SQLite files as any other program sees them. */
import Database from 'better-sqlite3'
import { setTimeout as delay } from 'node:timers/promises'

/** Looks at a database file as any other program would. */
export function inspect<Result> (file: string, look: (database: Database.Database) => Result): Result {
  const database = new Database(file)
  try {
    return look(database)
  } finally {
    database.close()
  }
}

/** Resolves when every message is listed and in the search index. Nothing tells another process when: it has to ask. */
export async function untilIndexed (file: string): Promise<void> {
  const left = inspect(file, database => database.prepare<[], number>(
    "SELECT sum(max(0, (SELECT coalesce(max(seq), 0) FROM messages) - count)) FROM totals WHERE name IN ('listed', 'indexed')"
  ).pluck().get())
  if (left === 0) return
  await delay(10)
  await untilIndexed(file)
}

/** Resolves when `attempt` does. */
export async function untilResolved (attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt()
  } catch {
    await delay(20)
    await untilResolved(attempt)
  }
}

const BUSIEST = 'SELECT from_msisdn AS msisdn, count(*) AS count FROM messages WHERE listed = 1 GROUP BY from_msisdn ORDER BY count(*) DESC, from_msisdn LIMIT 10'

/** Each counter as it is, beside the statement that counts the rows. */
const COUNTERS: readonly (readonly [kept: string, counted: string])[] = [
  ["SELECT count FROM totals WHERE name = 'messages'", 'SELECT count(*) AS count FROM messages WHERE listed = 1'],
  ["SELECT count FROM totals WHERE name = 'senders'", 'SELECT count(DISTINCT from_msisdn) AS count FROM messages WHERE listed = 1'],
  ['SELECT msisdn, count FROM senders ORDER BY msisdn', 'SELECT from_msisdn AS msisdn, count(*) AS count FROM messages WHERE listed = 1 GROUP BY from_msisdn ORDER BY from_msisdn'],
  ['SELECT msisdn, count FROM recipients ORDER BY msisdn', 'SELECT to_msisdn AS msisdn, count(*) AS count FROM messages WHERE listed = 1 GROUP BY to_msisdn ORDER BY to_msisdn'],
  ['SELECT source, count FROM sources WHERE count > 0 ORDER BY source', 'SELECT source, count(*) AS count FROM messages WHERE listed = 1 GROUP BY source ORDER BY source'],
  ['SELECT msisdn, count FROM busiest_senders ORDER BY count DESC, msisdn LIMIT 10', BUSIEST],
  // All senders down to the floor, or all, so that it is known who comes next.
  ['SELECT msisdn, count FROM busiest_senders ORDER BY msisdn', `
    SELECT senders.msisdn, senders.count FROM senders LEFT JOIN busiest_floor AS floor ON true
    WHERE floor.msisdn IS NULL OR senders.count > floor.count OR (senders.count = floor.count AND senders.msisdn <= floor.msisdn) ORDER BY 1`],
  ...[4, 7, 10, 13, 16, 19].map(level => [
    `SELECT period, count FROM periods WHERE level = ${level} ORDER BY period`,
    `SELECT substr(ts, 1, ${level}) AS period, count(*) AS count FROM messages WHERE listed = 1 GROUP BY 1 ORDER BY 1`
  ] as const),
  // What is listed is everything up to a certain seq.
  ["SELECT count(*) AS count FROM messages WHERE listed <> (seq <= (SELECT count FROM totals WHERE name = 'listed'))", 'SELECT 0 AS count'],
  ['SELECT count(*) AS count FROM periods WHERE level NOT IN (4, 7, 10, 13, 16, 19)', 'SELECT 0 AS count']
]

/** The counters of a file that differ from the rows that are listed. */
export function wrongCounters (file: string): unknown[] {
  return inspect(file, database => database.transaction(() => COUNTERS.flatMap(([kept, counted]) => {
    const [actual, expected] = [database.prepare(kept).all(), database.prepare(counted).all()]
    return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ kept, actual, expected }]
  }))())
}
