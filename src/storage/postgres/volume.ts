import { boundsOf, periodsOf, type Span } from '../../volume.ts'
import { conditionsOf, type Arguments } from './conditions.ts'

/** How many messages each period of a span holds that holds any, as SQL: from the counters, and what is not in them yet. */
export function volumeOfAll (span: Span, args: Arguments): string {
  const { level, since, until } = periodsOf(span)
  const [first, end] = [args.add(since), args.add(until)]
  return counted(`
    SELECT period, sum(count) AS count FROM (
      SELECT period, count FROM periods WHERE level = ${level} AND period >= ${first} AND period < ${end}
      UNION ALL
      SELECT left(second, ${level}), 1 FROM uncounted WHERE second >= ${first} AND second < ${end}
    ) AS parts GROUP BY 1 HAVING sum(count) > 0`)
}

/** The same of one sender: its messages are counted. */
export function volumeOf (span: Span, from: string, args: Arguments): string {
  const { level, since, until } = boundsOf(span)
  return counted(`
    SELECT left(moment, ${level}) AS period, count(*) AS count FROM messages
    WHERE ${conditionsOf({ from, since, until }, args)} GROUP BY 1`)
}

function counted (periods: string): string {
  return `SELECT coalesce(json_agg(periods ORDER BY period), '[]') AS periods FROM (${periods}) AS periods`
}
