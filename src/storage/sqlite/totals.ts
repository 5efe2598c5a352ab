import { momentOf } from '../../timestamp.ts'
import type { Filter, Stats } from '../message-store.ts'
import { PERIOD_LEVELS } from './counters.ts'
import type { Queries, Value } from './queries.ts'
import { ORDER } from './walk.ts'

/** The `seq` of the message that was committed last. */
export function lastSeq (queries: Queries): number {
  return queries.number('SELECT coalesce(max(seq), 0) AS number FROM messages')
}

/** How many messages there are. */
export function countAll (queries: Queries): number {
  return queries.number("SELECT count AS number FROM totals WHERE name = 'messages'")
}

/**
 * How many messages a filter lets through, where the counters know it: for no condition, for one of `from` and `to`, and
 * for `since` and `until`.
 *
 * @returns undefined where they do not
 */
export function countByCounters (queries: Queries, { from, to, since, until, q }: Filter): number | undefined {
  if (q !== undefined) return undefined
  const timed = since !== undefined || until !== undefined
  if (from === undefined && to === undefined) return timed ? countBetween(queries, since, until) : countAll(queries)
  if (timed || (from !== undefined && to !== undefined)) return undefined
  return from === undefined ? countOf(queries, 'recipients', to) : countOf(queries, 'senders', from)
}

function countOf (queries: Queries, table: 'senders' | 'recipients', msisdn: string | undefined): number {
  return queries.number(`SELECT coalesce(max(count), 0) AS number FROM ${table} WHERE msisdn = ?`, msisdn ?? null)
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
  }), second, moment)
}

const COUNT_BEFORE = `
  SELECT ${PERIOD_LEVELS.map(() => `
    (SELECT coalesce(sum(count), 0) FROM periods WHERE level = ? AND period >= ? AND period < ?) +`).join('')}
    (SELECT count(*) FROM messages WHERE moment >= ? AND moment < ?) AS number`

/** What GET /stats answers, from the counters and from both ends of the list. */
export function statsOf (queries: Queries): Stats {
  return {
    total_messages: countAll(queries),
    senders_count: queries.number("SELECT count AS number FROM totals WHERE name = 'senders'"),
    messages_per_sender: queries.all('SELECT msisdn AS "from", count FROM busiest_senders ORDER BY count DESC, msisdn'),
    first_message_ts: timestampOf(queries, ORDER),
    last_message_ts: timestampOf(queries, 'ORDER BY moment DESC, message_id DESC')
  }
}

function timestampOf (queries: Queries, order: string): string | null {
  return queries.one<{ ts: string }>(`SELECT ts FROM messages ${order} LIMIT 1`)?.ts ?? null
}
