/**
 * How many messages there are in each minute, hour or day: a series over whole intervals, the empty ones included.
 *
 * Bounds are canonical timestamps (timestamp.ts). The end of the last interval there is, the year 10000, is none: it is written
 * as the last moment of 9999.
 */
import { momentOf } from './timestamp.ts'

export const INTERVALS = ['minute', 'hour', 'day'] as const
export type Interval = typeof INTERVALS[number]

/** How long each lasts, in ms, and how many of them are answered to who does not say from when. */
const LENGTHS: Readonly<Record<Interval, { readonly duration: number, readonly usual: number }>> = {
  minute: { duration: 60_000, usual: 60 },
  hour: { duration: 3_600_000, usual: 48 },
  day: { duration: 86_400_000, usual: 30 }
}
/** How many characters of a moment name an interval: a level of the table `periods`. */
const LEVELS: Readonly<Record<Interval, number>> = { minute: 16, hour: 13, day: 10 }

/** The most intervals of a series. */
export const MOST_INTERVALS = 1500

/** Of all messages, in ms since 1970: the first moment there is, and the first that is none any more. */
const BEGINNING = Date.parse('0001-01-01T00:00:00Z')
const END = Date.parse('9999-12-31T23:59:59.999Z') + 1
const LAST_MOMENT = '9999-12-31T23:59:59.999999999Z'

/** Whole intervals, from `since` to `until`, in ms since 1970. */
export interface Span {
  readonly interval: Interval
  readonly since: number
  readonly until: number
}

/**
 * Widens what was asked for to whole intervals.
 *
 * @param since undefined: the usual number of intervals before `until`
 * @param until undefined: now, in ms since 1970
 */
export function spanOf (interval: Interval, since: string | undefined, until: string | undefined, now: number): Span {
  const { duration, usual } = LENGTHS[interval]
  const end = until === undefined ? Math.ceil(now / duration) * duration : ceil(until, duration)
  const begin = since === undefined ? Math.max(BEGINNING, end - usual * duration) : floor(since, duration)
  return { interval, since: begin, until: end }
}

/** How many intervals there are in a span; none or less when it ends before it begins. */
export function lengthOf ({ interval, since, until }: Span): number {
  return (until - since) / LENGTHS[interval].duration
}

/** How many messages an interval holds that begins at `ts`. */
export interface Volume {
  readonly ts: string
  readonly count: number
}

/** Every interval of a span. @param volumes those of them that hold a message */
export function seriesOf ({ interval, since, until }: Span, volumes: readonly Volume[]): Volume[] {
  const counts = new Map(volumes.map(({ ts, count }) => [ts, count]))
  const series: Volume[] = []
  for (let begin = since; begin < until; begin += LENGTHS[interval].duration) {
    const ts = timestampOf(begin)
    series.push({ ts, count: counts.get(ts) ?? 0 })
  }
  return series
}

/** A span as periods of a level of the counters: from `since` on, and before `until`. */
export function periodsOf ({ interval, since, until }: Span): { level: number, since: string, until: string } {
  const level = LEVELS[interval]
  return { level, since: timestampOf(since).slice(0, level), until: until >= END ? '~' : timestampOf(until).slice(0, level) }
}

/** A span as conditions of a list, and the level of its intervals. */
export function boundsOf ({ interval, since, until }: Span): { level: number, since: string, until: string | undefined } {
  return { level: LEVELS[interval], since: timestampOf(since), until: until >= END ? undefined : timestampOf(until) }
}

/** When a period begins. */
export function beginningOf (period: string): string {
  return period + '0001-01-01T00:00:00Z'.slice(period.length)
}

/** A bound of a span as a timestamp. */
export function timestampOf (milliseconds: number): string {
  return milliseconds >= END ? LAST_MOMENT : new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}

/** Whether a span would end before it begins. Widened, it may end behind its beginning nevertheless. */
export function isReversed (since: string | undefined, until: string | undefined): boolean {
  return since !== undefined && until !== undefined && momentOf(since) > momentOf(until)
}

function floor (timestamp: string, duration: number): number {
  return Math.floor(Date.parse(timestamp.slice(0, 19) + 'Z') / duration) * duration
}

/** A fraction of a second is part of the interval after its second, too. */
function ceil (timestamp: string, duration: number): number {
  const begin = floor(timestamp, duration)
  return timestampOf(begin) === timestamp ? begin : begin + duration
}
