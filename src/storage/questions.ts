/** What the questions to both databases have in common. */
import { foldCase } from '../fold.ts'
import type { Message } from '../message.ts'
import { isStorable } from '../storable.ts'
import type { Filter, Page, Position } from './message-store.ts'

/** A message, as the outside names its parts. */
export const COLUMNS = 'message_id, from_msisdn AS "from", to_msisdn AS "to", ts, text'

/** A message and how it came in. */
export function recordColumns (receivedAt: string): string {
  return `${COLUMNS}, source, type, ${receivedAt} AS received_at, raw`
}

/** A message of the feed. */
export function feedColumns (receivedAt: string): string {
  return `seq, ${COLUMNS}, source, type, ${receivedAt} AS received_at`
}

/** The order of the list. */
export const ORDER = 'ORDER BY moment, message_id'

/** How many characters of a moment name its year, month, day, hour, minute and second: the levels of the table `periods`. */
export const PERIOD_LEVELS = [4, 7, 10, 13, 16, 19] as const

/** Up to so many hits of a search are fetched and sorted. Of more, a page is found sooner by walking the list. */
export const FEW_HITS = 2000
/** Trigram indexes know nothing of texts that are shorter, in code points. */
export const INDEXED_LENGTH = 3

/** A filter whose `q` a trigram index knows. */
export type IndexedFilter = Filter & { readonly q: string }

export function isSearch (filter: Filter): filter is IndexedFilter {
  return filter.q !== undefined && [...foldCase(filter.q)].length >= INDEXED_LENGTH
}

/** Whether no message can hold what is asked for: neither trigram queries nor PostgreSQL take U+0000. */
export function isHopeless ({ from = '', to = '', q = '', source = '' }: Filter, position: Position = { ts: '', message_id: '' }): boolean {
  return ![from, to, q, source, position.ts, position.message_id].every(isStorable)
}

/** One row more than `limit` was asked for: it says whether the list goes on. */
export function pageOf<Row extends Message> (rows: Row[], limit: number): Page<Row> {
  const messages = rows.slice(0, limit)
  return { messages, next: rows.length > limit ? messages.at(-1) : undefined }
}
