/**
 * The words of this code base.
 *
 * - A **message** is what is stored and answered: one row, known by its `message_id`.
 * - A **delivery** is one POST of a message. A provider that saw no 200 delivers the same message again; the first
 *   delivery is the one that is kept, every later one is a **duplicate**.
 * - A **signature** is the provider's HMAC over the raw bytes of a delivery. Bytes that passed it are `Verified`.
 * - A **source** is whoever delivers: one provider, one route, one adapter.
 * - A **MSISDN** is a phone number in international form with its leading `+`.
 * - The **moment** of a message is its `ts`, written so that it sorts as time (timestamp.ts).
 * - A **position** is a place in the list of messages between two rows; a **cursor** is a position as clients see it.
 *
 * The schemas below are the only description of a message: they validate it, type it and document it. Each description
 * is a noun phrase, because it also ends the sentence "must be …" in the answer to a delivery that breaks the rule.
 */
import { Type, type Static } from '@sinclair/typebox'
import { STORABLE } from './storable.ts'
import { canonicalTimestamp } from './timestamp.ts'

export const MessageId = Type.String({
  minLength: 1,
  maxLength: 600,
  pattern: STORABLE,
  description: 'a string of 1 to 600 characters without U+0000 and lone surrogates',
  examples: ['m1']
})

export const Msisdn = Type.String({
  pattern: '^\\+[0-9]{1,32}$',
  description: 'a phone number: + and 1 to 32 ASCII digits',
  examples: ['+919876543210']
})

export const Timestamp = Type.String({
  format: 'date-time',
  description: 'an existing moment as RFC 3339 in UTC, YYYY-MM-DDThh:mm:ss[.f…]Z, with at most nine fraction digits',
  examples: ['2025-01-15T10:00:00Z']
})

export const Text = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  maxLength: 4096,
  pattern: STORABLE,
  description: 'null or a string of at most 4096 characters without U+0000 and lone surrogates',
  examples: ['Hello']
})

/** A message as it is stored and answered. */
export const Message = Type.Object({
  message_id: MessageId,
  from: Msisdn,
  to: Type.String({ ...Msisdn, examples: ['+14155550100'] }),
  ts: Timestamp,
  text: Text
})
export type Message = Static<typeof Message>

/** The part of a path that names one message. */
export const MessagePath = Type.Object({ message_id: Type.String({ description: 'percent-encoded', examples: ['m1'] }) })

/** A message and how it came in. */
export const StoredMessage = Type.Object({
  ...Message.properties,
  source: Type.String({ description: 'whose delivery it was', examples: ['whatsapp'] }),
  type: Type.Union([Type.String(), Type.Null()], { description: 'what kind of message, in its provider\'s words; null where that tells none', examples: ['text'] }),
  received_at: Type.String({ description: 'when it was stored: RFC 3339 in UTC, to the millisecond', examples: ['2025-01-15T10:00:01.250Z'] }),
  raw: Type.Union([Type.String(), Type.Null()], { description: 'JSON: the item of the delivery that the message was read from; null where that was the message' })
})
export type StoredMessage = Static<typeof StoredMessage>

/** How a message came in. */
export type Origin = Pick<StoredMessage, 'source' | 'type' | 'received_at' | 'raw'>

/** A message to be stored. What is missing of its origin is that of one that comes now, as it is stored. */
export type Arrival = Message & Partial<Origin>

/** An item of a verified delivery that no message could be read from. It is kept, so that nothing is lost. */
export interface UnreadItem {
  readonly source: string
  /** Of the item, as JSON. */
  readonly raw: string
}

/** A message as a provider sends it: `text` may be missing, and fields that are not named here are ignored. */
export const IncomingMessage = Type.Object({
  ...Message.properties,
  text: Type.Optional(Text)
}, {
  description: 'a JSON object with message_id, from, to, ts and, optionally, text'
})
export type IncomingMessage = Static<typeof IncomingMessage>

/** The message that a valid delivery carries. */
export function toMessage ({ message_id, from, to, ts, text = null }: IncomingMessage): Message {
  return { message_id, from, to, ts: canonicalTimestamp(ts), text }
}
