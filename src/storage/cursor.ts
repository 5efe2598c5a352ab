import { createHash } from 'node:crypto'
import type { Position } from './message-store.ts'

/**
 * A cursor is a position in base64url (RFC 4648): eight bytes of checksum, then the `ts`, a newline and the `message_id`.
 *
 * The checksum tells a cursor that was damaged or edited from one that was handed out. It needs no key: a position
 * reveals nothing that its holder did not read on the page before, and the filters are not part of it.
 */
const CHECKSUM_BYTES = 8
const VERSION = 'letterbox cursor 1\n'

export function encodeCursor ({ ts, message_id: messageId }: Position): string {
  const payload = Buffer.from(`${ts}\n${messageId}`)
  return Buffer.concat([checksum(payload), payload]).toString('base64url')
}

/** @returns undefined when `cursor` is not, to the letter, one that {@link encodeCursor} made */
export function decodeCursor (cursor: string): Position | undefined {
  const bytes = Buffer.from(cursor, 'base64url')
  const payload = bytes.subarray(CHECKSUM_BYTES)
  if (!checksum(payload).equals(bytes.subarray(0, CHECKSUM_BYTES))) return undefined
  if (bytes.toString('base64url') !== cursor) return undefined

  const text = payload.toString()
  const end = text.indexOf('\n')
  return { ts: text.slice(0, end), message_id: text.slice(end + 1) }
}

function checksum (payload: Buffer): Buffer {
  return createHash('sha256').update(VERSION).update(payload).digest().subarray(0, CHECKSUM_BYTES)
}
