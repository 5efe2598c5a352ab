import secureJson from 'secure-json-parse'
import { isUtf8 } from 'node:buffer'
import type { Verified } from './signature/verifier.ts'

/** What became of a delivery, as logs and metrics say it. */
export const DELIVERY_RESULTS = [
  'created', 'duplicate', 'invalid_signature', 'validation_error', 'too_large', 'unsupported_type', 'unavailable'
] as const
export type DeliveryResult = typeof DELIVERY_RESULTS[number]

/** The result that an answer with this HTTP status stands for. `dup` tells the two kinds of 200 apart. */
export function deliveryResult (status: number, dup: boolean): DeliveryResult {
  switch (status) {
    case 200: return dup ? 'duplicate' : 'created'
    case 401: return 'invalid_signature'
    // Only a delivery that is not signed is ever told to come less often.
    case 429: return 'invalid_signature'
    case 413: return 'too_large'
    case 415: return 'unsupported_type'
    // The client went away before it was answered, and will deliver again.
    case 499: return 'unavailable'
    default: return status < 500 ? 'validation_error' : 'unavailable'
  }
}

/**
 * What a delivery may hold: messages, statuses of messages that were sent, items that no message could be read from, and what
 * tells of anything else.
 */
export const ITEM_KINDS = ['message', 'status', 'unread', 'ignored'] as const
export type Items = Readonly<Record<typeof ITEM_KINDS[number], number>>

const JSON_TYPE = /^application\/(?:[^\s/;]+\+)?json$/i

/**
 * Whether a Content-Type says JSON: `application/json` or `application/*+json` (RFC 6839), in any letter case, with any
 * parameters. No type at all is taken for JSON.
 */
export function isJsonType (contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === '' || contentType === 'application/json') return true
  const [essence = ''] = contentType.split(';', 1)
  return JSON_TYPE.test(essence.trim())
}

/** A Content-Type that this endpoint does not take. */
export class UnsupportedType extends Error {
  override name = 'UnsupportedType'
  readonly statusCode = 415
}

/** A body that is not UTF-8 or not JSON. Its message completes "the body …". */
export class UnreadableBody extends Error {
  override name = 'UnreadableBody'
}

/**
 * Parses a verified body of JSON. Keys that would reach an object's prototype are dropped like every unknown field.
 *
 * @throws {UnsupportedType} when its type is another
 * @throws {UnreadableBody} when the bytes are not UTF-8, or the text is not JSON
 */
export function parseJson (body: Verified, contentType?: string): unknown {
  if (!isJsonType(contentType)) throw new UnsupportedType('the Content-Type must be application/json or application/*+json')
  if (!isUtf8(body)) throw new UnreadableBody('must be UTF-8')
  try {
    return secureJson.parse(body.toString(), { protoAction: 'remove', constructorAction: 'remove' })
  } catch (cause) {
    throw new UnreadableBody('must be JSON', { cause })
  }
}

/** The JSON of a body that {@link parseJson} has taken, as it was sent; a byte order mark is no part of it. */
export function jsonOf (body: Verified): string {
  return body.toString().replace(/^\uFEFF/, '')
}

/** How much of a delivery that is not signed is read for the log, in bytes: whoever sends it must not make much work. */
export const CLAIMED_BYTES = 65_536
const MESSAGE_ID = /"message_id"\s*:\s*("(?:[^"\\]|\\.)*")/s

/**
 * The `message_id` for the log line of a delivery that was refused, even if its body is broken or cut off.
 * The bytes may be anybody's: nothing but the log may use this.
 *
 * @param find where it stands in a body that is not broken
 */
export function claimedMessageId (body: Buffer, find: (parsed: unknown) => string | undefined = messageIdOf): string | undefined {
  try {
    if (body.length <= CLAIMED_BYTES) return find(secureJson.parse(body.toString(), { protoAction: 'ignore' }))
  } catch {
    // It is broken, or cut off.
  }
  const [, literal] = MESSAGE_ID.exec(body.subarray(0, CLAIMED_BYTES).toString()) ?? []
  return literal === undefined ? undefined : messageIdOf({ message_id: unquote(literal) })
}

function unquote (literal: string): unknown {
  try {
    return JSON.parse(literal)
  } catch {
    return undefined
  }
}

/** The `message_id` of a parsed body, valid or not, as the log line carries it: its first 600 characters. */
export function messageIdOf (parsed: unknown): string | undefined {
  if (typeof parsed !== 'object' || parsed === null || !('message_id' in parsed)) return undefined
  const { message_id: id } = parsed
  if (typeof id !== 'string' || id.length <= 600) return typeof id === 'string' ? id : undefined
  return [...id.slice(0, 1200)].slice(0, 600).join('')
}
