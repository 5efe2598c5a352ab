/** The bodies of answers other than messages, as they are documented and serialised. */
import { Type, type Static } from '@sinclair/typebox'

/** An answer of 400 and above: what was wrong, in one sentence. */
export function errorAnswer (description: string, example: string) {
  return Type.Object({ detail: Type.String({ examples: [example] }) }, { description })
}

export const UNAVAILABLE = 'the service cannot do this now, try again'

/** 503: the same request can succeed later. */
export const UnavailableAnswer = {
  ...errorAnswer('The service cannot do this now: try again', UNAVAILABLE),
  headers: { 'Retry-After': { description: 'seconds to wait', type: 'integer' } }
}

export const UNKNOWN_MESSAGE = 'no message has this id'

export const UnknownMessageAnswer = errorAnswer('No message has this id', UNKNOWN_MESSAGE)

/** What any route answers to what is no request, or not all of one, in time. */
export const MalformedAnswers = {
  400: errorAnswer('The bytes are no HTTP/1.1 request', 'bad request'),
  408: errorAnswer('The request did not arrive in time', 'request timeout'),
  431: errorAnswer('The head of the request is too large', 'request header fields too large')
}

/** 401: the same whatever was wrong with the signature. */
export const InvalidSignatureAnswer = Type.Object({
  detail: Type.Literal('invalid signature', { examples: ['invalid signature'] })
}, { description: 'The signature is missing, malformed or wrong; nothing was stored' })

/** 422: the input, with every rule that it breaks. */
export const InvalidInputAnswer = Type.Object({
  detail: Type.String({ examples: ['body/from must be a phone number: + and 1 to 32 ASCII digits'] }),
  errors: Type.Array(Type.Object({
    path: Type.String({ description: 'where, as a JSON Pointer (RFC 6901); empty for the whole', examples: ['/from'] }),
    message: Type.String({ examples: ['must be a phone number: + and 1 to 32 ASCII digits'] })
  }))
}, { description: 'The input breaks a rule' })
export type InvalidInputAnswer = Static<typeof InvalidInputAnswer>

/** What a delivery is answered. */
export const deliveryAnswers = {
  200: Type.Object({ status: Type.Literal('ok', { examples: ['ok'] }) }, { description: 'The message is stored, now or by an earlier delivery' }),
  401: InvalidSignatureAnswer,
  413: errorAnswer('The body is larger than BODY_LIMIT', 'the body is too large'),
  415: errorAnswer('The Content-Type is not JSON', 'the Content-Type must be application/json or application/*+json'),
  422: InvalidInputAnswer,
  503: UnavailableAnswer
}

export const StatsAnswer = Type.Object({
  total_messages: Type.Integer({ examples: [123] }),
  senders_count: Type.Integer({ description: 'how many numbers have sent', examples: [10] }),
  messages_per_sender: Type.Array(Type.Object({
    from: Type.String({ examples: ['+919876543210'] }),
    count: Type.Integer({ examples: [50] })
  }), { description: 'the ten busiest senders: by count descending, then by number ascending' }),
  first_message_ts: Type.Union([Type.String(), Type.Null()], {
    description: 'the least ts; null while there is no message', examples: ['2025-01-15T09:00:00Z']
  }),
  last_message_ts: Type.Union([Type.String(), Type.Null()], {
    description: 'the greatest ts; null while there is no message', examples: ['2025-01-15T10:00:00Z']
  })
}, { description: 'Totals over all stored messages' })

export const VolumeAnswer = Type.Object({
  interval: Type.String({ examples: ['hour'] }),
  since: Type.String({ description: 'when the first interval begins', examples: ['2025-01-15T10:00:00Z'] }),
  until: Type.String({ description: 'when the last interval ends; the last moment there is, where that is the year 10000', examples: ['2025-01-15T11:00:00Z'] }),
  data: Type.Array(Type.Object({
    ts: Type.String({ description: 'when the interval begins', examples: ['2025-01-15T10:00:00Z'] }),
    count: Type.Integer({ description: 'messages whose ts is in it', examples: [3] })
  }), { description: 'every interval, by time' })
}, { description: 'How many messages there are in each interval' })

export const DeletedAnswer = Type.Object({
  deleted: Type.Integer({ description: 'how many messages', examples: [1] })
}, { description: 'They are gone, on disk' })
