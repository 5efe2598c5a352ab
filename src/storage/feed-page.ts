/** What the feeds of both databases have in common. */
import { isStorable } from '../storable.ts'
import { BEGINNING, markOf, positionBehind } from './feed-position.ts'
import type { FeedFilter, FeedPage, FeedPosition, FeedRow } from './message-store.ts'

/** How many rows one page looks at, at least, for those that its filter lets through. */
const LOOK = 2000

/** How many rows a page looks at. */
export function rowsToLookAt ({ from, source }: FeedFilter, limit: number): number {
  return from === undefined && source === undefined ? limit : Math.max(limit, LOOK)
}

/** Whether the filter lets nothing through, whatever there is: no database holds what it asks for, or takes the question. */
export function letsNothingThrough ({ from = '', source = '' }: FeedFilter): boolean {
  return !isStorable(from) || !isStorable(source)
}

/** What a database says to one page. */
export interface Look {
  /** Behind the position, of those that were looked at, what the filter lets through: `limit` at most. */
  readonly rows: FeedRow[]
  /** The last that was looked at; null where there was none. */
  readonly last: { readonly seq: number, readonly message_id: string } | null
  /** Whether there is nothing behind that. */
  readonly isLast: boolean
}

export function feedPageOf ({ rows, last, isLast }: Look, after: FeedPosition, limit: number): FeedPage {
  // Behind the last that is given, the same filter may have let through more.
  const end = rows.length === limit ? rows.at(-1) : last
  return { rows, position: end ? positionBehind(end) : after, isLast: isLast && end?.seq === last?.seq }
}

/**
 * Whether a position is one of this database.
 *
 * @param found the id of the message that has its seq; undefined where there is none, since it was removed
 * @param end the last seq that was given away
 */
export function isKnownPosition ({ seq, mark }: FeedPosition, found: string | undefined, end: number): boolean {
  return seq === BEGINNING.seq || (found === undefined ? seq <= end : mark === markOf(found))
}
