import { feedPageOf, isKnownPosition, letsNothingThrough, rowsToLookAt, type Look } from '../feed-page.ts'
import { BEGINNING, positionBehind } from '../feed-position.ts'
import type { FeedFilter, FeedPage, FeedPosition, FeedRow } from '../message-store.ts'
import { feedColumns } from '../questions.ts'
import type { Queries, Value } from './queries.ts'
import { lastSeq } from './totals.ts'

type Place = NonNullable<Look['last']>

const PLACE = 'SELECT seq, message_id FROM messages'
const ROW = `SELECT ${feedColumns('created_at')} FROM messages`

/**
 * A page of the feed. `seq` is given by the one thread that writes, in the order of its commits, so whatever is committed
 * later is behind everything that can be read.
 *
 * @returns undefined when the position is none of this database
 */
export function feedPage (queries: Queries, filter: FeedFilter, after: FeedPosition, limit: number): FeedPage | undefined {
  const found = queries.one<Place>(`${PLACE} WHERE seq = ?`, after.seq)
  if (!isKnownPosition(after, found?.message_id, found?.seq ?? lastSeq(queries))) return undefined

  const looked = rowsToLookAt(filter, limit)
  const reached = queries.one<Place>(`${PLACE} WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?`, after.seq, looked)
  const upTo = reached?.seq ?? Number.MAX_SAFE_INTEGER
  const last = queries.one<Place>(`${PLACE} WHERE seq > ? AND seq < ? ORDER BY seq DESC LIMIT 1`, after.seq, upTo) ?? null
  const rows = last === null || letsNothingThrough(filter) ? [] : rowsOf(queries, filter, after.seq, last.seq, limit)
  return feedPageOf({ rows, last, isLast: reached === undefined }, after, limit)
}

function rowsOf (queries: Queries, { from, source }: FeedFilter, after: number, upTo: number, limit: number): FeedRow[] {
  const terms = ['seq > ? AND seq <= ?']
  const values: Value[] = [after, upTo]
  if (from !== undefined) {
    terms.push('from_msisdn = ?')
    values.push(from)
  }
  if (source !== undefined) {
    terms.push('source = ?')
    values.push(source)
  }
  return queries.all<FeedRow>(`${ROW} WHERE ${terms.join(' AND ')} ORDER BY seq LIMIT ?`, ...values, limit)
}

/** The position behind the last message. */
export function feedEnd (queries: Queries): FeedPosition {
  const last = queries.one<Place>(`${PLACE} ORDER BY seq DESC LIMIT 1`)
  return last === undefined ? BEGINNING : positionBehind(last)
}
