import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { verifiedDelivery } from '../plugins/signature.ts'
import { deliveryAnswers, errorAnswer } from '../src/answers.ts'
import { readTwilio, twilio, TWILIO_TYPES, TwilioPayload } from '../src/provider/twilio.ts'
import { twilioVerifier } from '../src/signature/twilio.ts'

export interface TwilioOptions {
  /** Auth tokens under which a delivery may be signed, the current one first. */
  readonly tokens: readonly string[]
  /** What stands before the path in the URL that Twilio was given. */
  readonly publicUrl: string
  /** Bytes. */
  readonly bodyLimit: number
}

/** TwiML that says: do nothing. */
const NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

/** Messages in, from Twilio: POST /webhook/twilio. */
const route: FastifyPluginAsyncTypebox<TwilioOptions> = async (app, { tokens, publicUrl, bodyLimit }) => {
  app.requireSignature({ provider: twilio, verify: twilioVerifier(tokens, publicUrl), bodyLimit, onRefusal: app.limits.countRefusal })
  app.documentRefusals()
  app.shedOverload()

  app.post('/webhook/twilio', {
    schema: {
      tags: ['webhook'],
      summary: 'Deliver a message by Twilio',
      description: 'As POST /webhook. `message_id` is MessageSid, `ts` the moment of receipt. Who is no phone number gets one of his own behind `+0`.',
      consumes: ['application/x-www-form-urlencoded', 'application/json'],
      headers: Type.Object({
        'x-twilio-signature': Type.String({
          pattern: '^[A-Za-z0-9+/]{27}=$',
          description: 'HMAC-SHA1 of the public URL and the sorted form parameters under TWILIO_AUTH_TOKEN, in base64',
          examples: ['0/KCTR6DLpKmkAf8muzZqo1nDgQ=']
        })
      }),
      querystring: Type.Object({
        bodySHA256: Type.Optional(Type.String({ description: 'SHA-256 of a body that is no form, in hex' }))
      }),
      body: TwilioPayload,
      response: {
        ...deliveryAnswers,
        200: {
          description: 'The message is stored, now or by an earlier delivery: TwiML that does nothing',
          content: { 'text/xml': { schema: Type.String({ examples: [NOTHING] }) } }
        },
        415: errorAnswer('The Content-Type is neither a form nor JSON', TWILIO_TYPES)
      }
    }
  }, async (request, reply) => {
    const delivery = verifiedDelivery(request)
    const result = await app.messages.save(readTwilio(request.body, new Date(), delivery.body, delivery.contentType), request.trace)
    delivery.dup = result === 'duplicate'
    return reply.type('text/xml; charset=utf-8').send(NOTHING)
  })
}

export default route
