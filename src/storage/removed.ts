import { createHash } from 'node:crypto'

/** Bytes of a hash: enough that no two of many billion ids have the same. */
export const HASH_BYTES = 16

/** What is kept of an id that was removed: the first bytes of its SHA-256. */
export function idHash (messageId: string): Buffer {
  return createHash('sha256').update(messageId).digest().subarray(0, HASH_BYTES)
}

/** The day of a moment, in days since 1970. @param now in ms since 1970 */
export function dayOf (now: number): number {
  return Math.floor(now / 86_400_000)
}

/** What is to be removed. */
export type Removal =
  /** Messages received before a moment: `received_at`, RFC 3339 in UTC to the millisecond. */
  | { readonly receivedBefore: string }
  | { readonly from: string }
  /** Items that no message could be read from, received before a moment. */
  | { readonly unreadBefore: string }
  | { readonly messageId: string }
