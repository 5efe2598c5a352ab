import { foldCase } from '../../fold.ts'
import { PLAIN_SOURCE } from '../../storable.ts'
import { momentOf } from '../../timestamp.ts'
import type { Filter } from '../message-store.ts'
import { PERIOD_LEVELS } from '../questions.ts'

/** The values of a statement. */
export class Arguments {
  readonly values: unknown[] = []

  /** @returns the place of `value` in the statement */
  add (value: unknown): string {
    return `$${this.values.push(value)}`
  }
}

/** Everything in a filter, as SQL. */
export function conditionsOf ({ from, to, since, until, source, q }: Filter, args: Arguments): string {
  const terms = ['true']
  if (from !== undefined) terms.push(`from_msisdn = ${args.add(from)}`)
  if (to !== undefined) terms.push(`to_msisdn = ${args.add(to)}`)
  if (source !== undefined) terms.push(`source = ${args.add(source)}`)
  // The index of sources is known to hold all that are asked for only where that is said.
  if (source !== undefined && source !== PLAIN_SOURCE) terms.push(`source <> '${PLAIN_SOURCE}'`)
  if (since !== undefined) terms.push(`moment >= ${args.add(momentOf(since))}`)
  if (until !== undefined) terms.push(`moment < ${args.add(momentOf(until))}`)
  if (q !== undefined) terms.push(`text_folded LIKE ${args.add(`%${foldCase(q).replace(/[\\%_]/g, '\\$&')}%`)}`)
  return terms.join(' AND ')
}

/**
 * How many messages a filter lets through, as SQL: from the counters and what is not in them yet where they know it, which
 * is for no condition, for one of `from`, `to` and `source`, and for `since` and `until`; else by counting rows.
 */
export function totalOf (filter: Filter, args: Arguments): string {
  const { from, to, since, until, source, q } = filter
  const timed = since !== undefined || until !== undefined
  if (q !== undefined || [from !== undefined, to !== undefined, source !== undefined, timed].filter(Boolean).length > 1) {
    return `(SELECT count(*) FROM messages WHERE ${conditionsOf(filter, args)})`
  }
  if (from !== undefined) return countOf('senders', 'msisdn', 'from_msisdn', from, args)
  if (to !== undefined) return countOf('recipients', 'msisdn', 'to_msisdn', to, args)
  if (source !== undefined) return countOf('sources', 'source', 'source', source, args)
  const upTo = until === undefined ? ALL : countBefore(momentOf(until), args)
  const before = since === undefined ? '0' : countBefore(momentOf(since), args)
  return `greatest(0, ${upTo} - ${before})`
}

const ALL = `(
  (SELECT count FROM totals WHERE name = 'messages') + (SELECT count(*) FROM uncounted))`

function countOf (table: string, key: string, column: string, of: string, args: Arguments): string {
  const value = args.add(of)
  return `(
    coalesce((SELECT count FROM ${table} WHERE ${key} = ${value}), 0) +
    (SELECT count(*) FROM uncounted WHERE ${column} = ${value}))`
}

/**
 * How many messages are earlier than a moment: the years before its year, the months of that year before its month, and
 * so on down to the second, within which the rows are counted.
 */
function countBefore (moment: string, args: Arguments): string {
  const second = args.add(moment.slice(0, 19))
  const periods = PERIOD_LEVELS.map((level, index) => `
    (SELECT coalesce(sum(count), 0) FROM periods
     WHERE level = ${level} AND period >= left(${second}, ${PERIOD_LEVELS[index - 1] ?? 0}) AND period < left(${second}, ${level}))`)
  return `(${periods.join(' +')} +
    (SELECT count(*) FROM uncounted WHERE second < ${second}) +
    (SELECT count(*) FROM messages WHERE moment >= ${second} AND moment < ${args.add(moment)}))`
}
