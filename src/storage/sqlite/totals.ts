import { momentOf } from '../../timestamp.ts'
import type { Filter, Stats } from '../message-store.ts'
import { PERIOD_LEVELS } from '../questions.ts'
import type { Queries, Value } from './queries.ts'
import { FROM_TAIL } from './conditions.ts'

/** The last `seq` that was given away, as SQL. What is listed was given away, also where its message is gone. */
export const LAST_SEQ = "max((SELECT coalesce(max(seq), 0) FROM messages), (SELECT count FROM totals WHERE name = 'listed'))"

/** The `seq` of the message that was committed last. */
export function lastSeq (queries: Queries): number {
  return queries.number(`SELECT ${LAST_SEQ} AS number`)
}

/** How many messages there are. */
export function countAll (queries: Queries): number {
  return queries.number(`SELECT (SELECT count FROM totals WHERE name = 'messages') + (SELECT count(*) ${FROM_TAIL}) AS number`)
}

/**
 * How many messages a filter lets through, where the counters know it: for no condition, for one of `from`, `to` and
 * `source`, and for `since` and `until`.
 *
 * @returns undefined where they do not
 */
export function countByCounters (queries: Queries, { from, to, since, until, source, q }: Filter): number | undefined {
  const timed = since !== undefined || until !== undefined
  const conditions = [q, from, to, source, timed || undefined].filter(value => value !== undefined).length
  if (conditions === 0) return countAll(queries)
  if (conditions > 1 || q !== undefined) return undefined
  if (timed) return countBetween(queries, since, until)
  if (from !== undefined) return countOf(queries, 'senders', 'msisdn', 'from_msisdn', from)
  if (to !== undefined) return countOf(queries, 'recipients', 'msisdn', 'to_msisdn', to)
  return countOf(queries, 'sources', 'source', 'source', source)
}

/** From the counter of one value of a column, and from the tail. */
function countOf (queries: Queries, table: string, key: string, column: string, value = ''): number {
  return queries.number(`
    SELECT (SELECT coalesce(max(count), 0) FROM ${table} WHERE ${key} = ?) +
           (SELECT count(*) ${FROM_TAIL} AND ${column} = ?) AS number`, value, value)
}

function countBetween (queries: Queries, since: string | undefined, until: string | undefined): number {
  const before = since === undefined ? 0 : countBefore(queries, momentOf(since))
  const upTo = until === undefined ? countAll(queries) : countBefore(queries, momentOf(until))
  return Math.max(0, upTo - before)
}

/**
 * How many messages are earlier than a moment: the years before its year, the months of that year before its month, and
 * so on down to the second, within which the rows are counted.
 */
function countBefore (queries: Queries, moment: string): number {
  const second = moment.slice(0, 19)
  return queries.number(COUNT_BEFORE, ...PERIOD_LEVELS.flatMap((level, index): Value[] => {
    return [level, moment.slice(0, PERIOD_LEVELS[index - 1] ?? 0), moment.slice(0, level)]
  }), second, moment, moment)
}

const COUNT_BEFORE = `
  SELECT ${PERIOD_LEVELS.map(() => `
    (SELECT coalesce(sum(count), 0) FROM periods WHERE level = ? AND period >= ? AND period < ?) +`).join('')}
    (SELECT count(*) FROM messages WHERE listed = 1 AND moment >= ? AND moment < ?) +
    (SELECT count(*) ${FROM_TAIL} AND moment < ?) AS number`

/** What GET /stats answers, from the counters and the tail, and from both ends of the list. */
export function statsOf (queries: Queries): Stats {
  return {
    total_messages: countAll(queries),
    senders_count: queries.number(`${TAIL_SENDERS}
      SELECT (SELECT count FROM totals WHERE name = 'senders') +
             (SELECT count(*) FROM tail WHERE msisdn NOT IN (SELECT msisdn FROM senders)) AS number`),
    messages_per_sender: queries.all(`${TAIL_SENDERS}
      SELECT msisdn AS "from", count FROM busiest_senders WHERE msisdn NOT IN (SELECT msisdn FROM tail)
      UNION ALL
      SELECT msisdn, tail.count + coalesce(senders.count, 0) FROM tail LEFT JOIN senders USING (msisdn)
      ORDER BY 2 DESC, 1 LIMIT 10`),
    first_message_ts: timestampOf(queries, 'ORDER BY moment'),
    last_message_ts: timestampOf(queries, 'ORDER BY moment DESC')
  }
}

const TAIL_SENDERS = `WITH tail AS MATERIALIZED (SELECT from_msisdn AS msisdn, count(*) AS count ${FROM_TAIL} GROUP BY from_msisdn)`

function timestampOf (queries: Queries, order: string): string | null {
  return queries.one<{ ts: string }>(`
    SELECT ts, moment FROM messages WHERE listed = 1 UNION ALL SELECT ts, moment ${FROM_TAIL} ${order} LIMIT 1`)?.ts ?? null
}
