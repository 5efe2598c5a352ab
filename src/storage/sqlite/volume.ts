import { beginningOf, boundsOf, periodsOf, type Span, type Volume } from '../../volume.ts'
import type { Budget } from './budget.ts'
import type { Queries } from './queries.ts'
import { FROM_TAIL } from './conditions.ts'
import { Walk } from './walk.ts'

interface PeriodCount { readonly period: string, readonly count: number }

/** The volume of all messages: from the counters, and from the tail. */
export function volumeOfAll (queries: Queries, span: Span): Volume[] {
  const { level, since, until } = periodsOf(span)
  return queries.all<PeriodCount>(`
    SELECT period, sum(count) AS count FROM (
      SELECT period, count FROM periods WHERE level = ? AND period >= ? AND period < ?
      UNION ALL
      SELECT substr(moment, 1, ?), 1 ${FROM_TAIL} AND moment >= ? AND moment < ?)
    GROUP BY period HAVING sum(count) > 0 ORDER BY period`, level, since, until, level, since, until).map(toVolume)
}

/** The volume of one sender: its messages are counted. */
export function volumeOf (queries: Queries, span: Span, from: string, budget: Budget): Volume[] {
  const { level, since, until } = boundsOf(span)
  const counts = new Map<string, number>()
  for (const { period, count } of new Walk(queries, { from, since, until }).countBy(level, budget)) {
    counts.set(period, (counts.get(period) ?? 0) + count)
  }
  // The tail comes with its slice, behind it.
  return Array.from(counts, ([period, count]) => ({ period, count })).sort((a, b) => a.period < b.period ? -1 : 1).map(toVolume)
}

function toVolume ({ period, count }: PeriodCount): Volume {
  return { ts: beginningOf(period), count }
}
