import { createHash } from 'node:crypto'
import { isStorable } from '../storable.ts'
import { isTimestamp } from '../timestamp.ts'
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

  const [ts = '', ...id] = payload.toString().split('\n')
  const position = { ts, message_id: id.join('\n') }
  // Whoever reads this can make a checksum, too, but no page ends in a message that cannot be.
  const exists = isTimestamp(ts) && position.message_id !== '' && isStorable(position.message_id)
  return exists && encodeCursor(position) === cursor ? position : undefined
}

function checksum (payload: Buffer): Buffer {
  return createHash('sha256').update(VERSION).update(payload).digest().subarray(0, CHECKSUM_BYTES)
}
