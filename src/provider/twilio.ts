/** Twilio's messages, as forms or as JSON: https://www.twilio.com/docs/messaging/guides/webhook-request */
import { Type, type Static } from '@sinclair/typebox'
import { claimedMessageId, isJsonType, jsonOf, messageIdOf, parseJson, UnreadableBody, UnsupportedType } from '../delivery.ts'
import { MessageId, toMessage, type Arrival } from '../message.ts'
import { bodyDigest, parseForm } from '../signature/twilio.ts'
import type { Verified } from '../signature/verifier.ts'
import { numberOf } from './number.ts'
import type { Provider } from './provider.ts'
import { storableText } from './text.ts'

const party = (example: string) => Type.String({
  maxLength: 1000, description: 'a string of at most 1000 characters: a phone number, with whatsapp: before it or not, a short code or a name', examples: [example]
})

export const TwilioPayload = Type.Object({
  MessageSid: Type.String({ ...MessageId, examples: ['SM00000000000000000000000000000001'] }),
  From: party('whatsapp:+919876543210'),
  To: party('+14155550100'),
  Body: Type.Optional(Type.String({ maxLength: 4096, description: 'a string of at most 4096 characters', examples: ['Hello'] })),
  MessageType: Type.Optional(Type.String({ description: 'a string', examples: ['text'] }))
}, { description: 'a form or a JSON object with MessageSid, From, To and, optionally, Body' })
export type TwilioPayload = Static<typeof TwilioPayload>

const FORM_TYPE = /^application\/x-www-form-urlencoded$/i

export const TWILIO_TYPES = 'the Content-Type must be application/x-www-form-urlencoded, or JSON with bodySHA256 in the URL'

export const twilio: Provider = {
  source: 'twilio',
  /** A form that was signed as one must not be read as JSON: its signature does not tell where a name ends. */
  parse (body, contentType = '', target = '') {
    if (isForm(contentType)) return fields(body)
    if (!isJsonType(contentType) || bodyDigest(target) === undefined) throw new UnsupportedType(TWILIO_TYPES)
    return parseJson(body, contentType)
  },
  idOf: sidOf,
  claimedId: body => claimedMessageId(body, sidOf) ?? sidOf(Object.fromEntries(parseForm(body) ?? []))
}

function isForm (contentType: string): boolean {
  const [essence = ''] = contentType.split(';', 1)
  return essence.trim() === '' || FORM_TYPE.test(essence.trim())
}

/** A name that stands more than once has a list of values, which no field of a message is: their order was not signed. */
function fields (body: Buffer): Record<string, unknown> {
  const form = parseForm(body)
  if (form === undefined) throw new UnreadableBody('must be a form of some hundred fields at most')
  return Object.fromEntries([...form].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

function sidOf (parsed: unknown): string | undefined {
  if (typeof parsed !== 'object' || parsed === null || !('MessageSid' in parsed)) return undefined
  const { MessageSid: sid } = parsed
  return messageIdOf({ message_id: Array.isArray(sid) ? sid[0] : sid })
}

/** The message of a valid payload. Twilio does not tell when it was sent. Of a form, the raw JSON is an object of its fields. */
export function readTwilio (payload: TwilioPayload, receivedAt: Date, body: Verified, contentType = ''): Arrival {
  const { MessageSid, From, To, Body, MessageType } = payload
  return {
    ...toMessage({
      message_id: MessageSid,
      from: numberOf(withoutChannel(From)),
      to: numberOf(withoutChannel(To)),
      ts: receivedAt.toISOString(),
      text: Body === undefined ? null : storableText(Body)
    }),
    source: twilio.source,
    type: MessageType === undefined ? null : storableText(MessageType),
    raw: isForm(contentType) ? JSON.stringify(payload) : jsonOf(body)
  }
}

function withoutChannel (party: string): string {
  return party.replace(/^whatsapp:(?=\+)/, '')
}
