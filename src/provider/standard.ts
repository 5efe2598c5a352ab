/** Standard Webhooks: an event `{type, timestamp, data}` whose data is the message, or the message by itself. */
import { Type, type Static } from '@sinclair/typebox'
import type { IncomingHttpHeaders } from 'node:http'
import { claimedMessageId, jsonOf, messageIdOf, parseJson, UnreadableBody } from '../delivery.ts'
import { Message, toMessage, type Arrival } from '../message.ts'
import { standardHeaders } from '../signature/standard.ts'
import type { Verified } from '../signature/verifier.ts'
import { inUtc } from '../timestamp.ts'
import type { Provider } from './provider.ts'
import { storableText } from './text.ts'

const ID_LENGTH = 600

const { from, to } = Message.properties
const Data = Type.Object({
  message_id: Type.Optional(Message.properties.message_id),
  from,
  to,
  ts: Type.Optional(Message.properties.ts),
  // Not as strict as a message's own: see storableText.
  text: Type.Optional(Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 4096, description: 'null or a string of at most 4096 characters', examples: ['Hello']
  }))
}, { description: 'a JSON object with from, to and, optionally, message_id, ts and text' })

const Event = Type.Object({
  type: Type.Optional(Type.String({ description: 'a string', examples: ['message.received'] })),
  timestamp: Type.Optional(Type.String({
    format: 'date-time-offset',
    description: 'an existing moment as RFC 3339, with any offset and at most nine fraction digits',
    examples: ['2025-01-15T15:30:00+05:30']
  })),
  data: Data
})

type Data = Static<typeof Data>
export type StandardPayload = Data | Static<typeof Event>

/** The schema says by its condition which of the two it is, so that an answer tells of one only. */
export const StandardPayload = Type.Unsafe<StandardPayload>({
  type: 'object',
  description: 'a JSON object: an event {type, timestamp, data} with the message in data, or the message',
  if: { type: 'object', properties: { data: { type: 'object' } }, required: ['data'] },
  then: Event,
  else: Data,
  examples: [
    { type: 'message.received', timestamp: '2025-01-15T10:00:00.5Z', data: { message_id: 'm1', from: '+919876543210', to: '+14155550100', text: 'Hello' } },
    { from: '+919876543210', to: '+14155550100', ts: '2025-01-15T10:00:00Z', text: 'Hello' }
  ]
})

export const standard: Provider = {
  source: 'standard',
  parse: parseJson,
  idOf: (parsed, headers) => messageIdOf(dataOf(parsed)) ?? idIn(headers),
  claimedId: (body, headers) => claimedMessageId(body, parsed => messageIdOf(dataOf(parsed))) ?? idIn(headers)
}

/**
 * The message of a valid payload. `message_id` is by default `webhook-id`, and `ts` the event's timestamp, or else the
 * moment at which the delivery was signed.
 *
 * @param headers of the delivery
 * @param body of the delivery
 * @throws {UnreadableBody} when nothing gives it an id that can be stored
 */
export function readStandard (payload: StandardPayload, headers: IncomingHttpHeaders, body: Verified): Arrival {
  const data = 'data' in payload && isObject(payload.data) ? payload.data : payload as Data
  const { type, timestamp }: Partial<Static<typeof Event>> = data === payload ? {} : payload as Static<typeof Event>
  const { id = '', timestamp: signed = '' } = standardHeaders(headers) ?? {}
  const message_id = data.message_id ?? id
  if (data.message_id === undefined && id.length > ID_LENGTH) throw new UnreadableBody(`must have a message_id, since webhook-id is longer than ${ID_LENGTH} characters`)
  const ts = data.ts ?? (timestamp === undefined ? undefined : inUtc(timestamp)) ?? new Date(Number(signed) * 1000).toISOString()
  const text = typeof data.text === 'string' ? storableText(data.text) : null
  return {
    ...toMessage({ message_id, from: data.from, to: data.to, ts, text }),
    source: standard.source,
    type: type === undefined ? null : storableText(type),
    raw: jsonOf(body)
  }
}

function dataOf (parsed: unknown): unknown {
  return isObject(parsed) && 'data' in parsed && isObject(parsed.data) ? parsed.data : parsed
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function idIn (headers: IncomingHttpHeaders): string | undefined {
  return standardHeaders(headers)?.id.slice(0, ID_LENGTH)
}
