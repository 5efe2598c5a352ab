import { hash } from 'node:crypto'
import type { FeedPosition } from './message-store.ts'

/**
 * A position in the feed, as clients see it, is 24 bytes in base64url (RFC 4648): eight of checksum, the `seq`, and the mark of
 * the message. The checksum tells one that was damaged or edited from one that was handed out; as with cursors it needs no key.
 */
const MARK_BYTES = 8
const CHECKSUM_BYTES = 8
const VERSION = 'letterbox position 1\n'

/** Before every message. */
export const BEGINNING: FeedPosition = { seq: 0, mark: '0'.repeat(MARK_BYTES * 2) }

/** The position just behind a message. */
export function positionBehind ({ seq, message_id: messageId }: { readonly seq: number, readonly message_id: string }): FeedPosition {
  return { seq, mark: markOf(messageId) }
}

/** What a position remembers of its message: the first bytes of the SHA-256 of its id, in hex. */
export function markOf (messageId: string): string {
  return hash('sha256', messageId, 'hex').slice(0, MARK_BYTES * 2)
}

export function encodePosition ({ seq, mark }: FeedPosition): string {
  const bytes = Buffer.alloc(CHECKSUM_BYTES + 8 + MARK_BYTES)
  bytes.writeBigUInt64BE(BigInt(seq), CHECKSUM_BYTES)
  bytes.write(mark, CHECKSUM_BYTES + 8, 'hex')
  bytes.write(checksum(bytes.subarray(CHECKSUM_BYTES)), 'hex')
  return bytes.toString('base64url')
}

/** @returns undefined when `position` is not, to the letter, one that {@link encodePosition} made */
export function decodePosition (position: string): FeedPosition | undefined {
  const bytes = Buffer.from(position, 'base64url')
  if (bytes.length !== CHECKSUM_BYTES + 8 + MARK_BYTES) return undefined
  const decoded = { seq: Number(bytes.readBigUInt64BE(CHECKSUM_BYTES)), mark: bytes.toString('hex', CHECKSUM_BYTES + 8) }
  return Number.isSafeInteger(decoded.seq) && encodePosition(decoded) === position ? decoded : undefined
}

function checksum (payload: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(VERSION), payload]), 'hex').slice(0, CHECKSUM_BYTES * 2)
}
