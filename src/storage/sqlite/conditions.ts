/** What a filter asks of rows, as SQL. */
import { foldCase } from '../../fold.ts'
import { PLAIN_SOURCE } from '../../storable.ts'
import { momentOf } from '../../timestamp.ts'
import type { Filter, Position } from '../message-store.ts'
import type { Value } from './queries.ts'

/** The messages that are not listed yet (listing.ts): few, and read one by one. */
export const FROM_TAIL = "FROM messages WHERE seq > (SELECT count FROM totals WHERE name = 'listed') AND listed = 0"

/** Which rows are meant at all. */
export interface Bounds {
  /** Only those behind this position. */
  readonly after?: Position
  /** Only those up to this `seq`. */
  readonly upTo?: number
}

/** A condition in SQL. */
export interface Condition { readonly sql: string, readonly values: readonly Value[] }

export function both (one: Condition, other: Condition): Condition {
  return { sql: `${one.sql} ${other.sql}`.trim(), values: [...one.values, ...other.values] }
}

/** Everything in the filter but `q`. */
export function conditionsOf ({ from, to, since, until, source }: Filter, { after, upTo }: Bounds): Condition {
  const terms: [sql: string, ...values: Value[]][] = []
  if (from !== undefined) terms.push(['AND from_msisdn = ?', from])
  if (to !== undefined) terms.push(['AND to_msisdn = ?', to])
  if (source !== undefined) terms.push(['AND source = ?', source])
  if (since !== undefined) terms.push(['AND moment >= ?', momentOf(since)])
  if (until !== undefined) terms.push(['AND moment < ?', momentOf(until)])
  if (after !== undefined) terms.push(['AND (moment, message_id) > (?, ?)', momentOf(after.ts), after.message_id])
  if (upTo !== undefined) terms.push(['AND seq <= ?', upTo])
  return { sql: terms.map(([sql]) => sql).join(' '), values: terms.flatMap(([, ...values]) => values) }
}

/** An index, and the value that its entries begin with. */
export interface Path extends Condition { readonly index: string }

const BY_SENDER = 'messages_by_sender'
const BY_RECIPIENT = 'messages_by_recipient'
const BY_SOURCE = 'messages_by_source'

/** Messages of the plain source are in no index of sources: where there are others besides, they are picked out. */
export function pathFor ({ from, to, source = PLAIN_SOURCE }: Filter): Path {
  if (from !== undefined) return { index: BY_SENDER, sql: 'from_msisdn = ? AND', values: [from] }
  if (to !== undefined) return { index: BY_RECIPIENT, sql: 'to_msisdn = ? AND', values: [to] }
  if (source !== PLAIN_SOURCE) return { index: BY_SOURCE, sql: `source = ? AND source <> '${PLAIN_SOURCE}' AND`, values: [source] }
  return { index: 'messages_by_moment', sql: '', values: [] }
}

/** What the index of the walk does not decide. */
export function restOf ({ from, to, source, q }: Filter, { index }: Path, upTo: number | undefined, last: number | undefined): Condition {
  const terms: Condition[] = []
  if (from !== undefined && to !== undefined) terms.push({ sql: 'AND to_msisdn = ?', values: [to] })
  if (source !== undefined && index !== BY_SOURCE) terms.push({ sql: 'AND source = ?', values: [source] })
  if (q !== undefined) terms.push({ sql: 'AND instr(text_folded, ?) > 0', values: [foldCase(q)] })
  if (upTo !== undefined) terms.push({ sql: 'AND seq <= ?', values: [upTo] })
  if (terms.length > 0 && last !== undefined) terms.push({ sql: 'AND seq <= ?', values: [last] })
  return { sql: terms.map(({ sql }) => sql).join(' '), values: terms.flatMap(({ values }) => values) }
}
