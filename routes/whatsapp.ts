import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { verifiedDelivery } from '../plugins/signature.ts'
import { deliveryAnswers, errorAnswer } from '../src/answers.ts'
import { readWhatsapp, whatsapp, WhatsappPayload } from '../src/provider/whatsapp.ts'
import { hmacVerifier, sign, signaturePattern } from '../src/signature/hmac.ts'
import { tokenVerifier, WHATSAPP_SCHEME } from '../src/signature/whatsapp.ts'

export interface WhatsappOptions {
  /** App secrets under which a delivery may be signed, the current one first. */
  readonly secrets: readonly string[]
  /** What Meta presents when it asks whether it may deliver. Undefined: it may not. */
  readonly verifyToken: string | undefined
  /** Bytes; never less than Meta sends. */
  readonly bodyLimit: number
}

/** Meta sends up to 3 MB, and repeats for days what is refused. In bytes. */
const LARGEST = 3 * 1024 * 1024

const NOT_TOKEN = 'hub.mode must be subscribe, and hub.verify_token the WHATSAPP_VERIFY_TOKEN'

const Handshake = Type.Object({
  'hub.mode': Type.Literal('subscribe', { examples: ['subscribe'] }),
  'hub.verify_token': Type.String({ description: 'WHATSAPP_VERIFY_TOKEN', examples: ['a token of your own'] }),
  'hub.challenge': Type.String({ minLength: 1, description: 'what is answered', examples: ['1158201444'] })
})

/** Messages in, from WhatsApp's Cloud API: GET and POST /webhook/whatsapp. */
const route: FastifyPluginAsyncTypebox<WhatsappOptions> = async (app, { verifyToken, ...options }) => {
  const isRight = tokenVerifier(verifyToken)

  app.get('/webhook/whatsapp', {
    // Whatever is wrong with it is the same 403.
    attachValidation: true,
    schema: {
      tags: ['webhook'],
      summary: 'Let Meta deliver here',
      description: 'What Meta asks once, when the URL is set in its console. It is not signed.',
      querystring: Handshake,
      response: {
        200: { description: 'It may: hub.challenge, as it came', content: { 'text/plain': { schema: Type.String({ examples: ['1158201444'] }) } } },
        403: errorAnswer('It may not', NOT_TOKEN)
      }
    }
  }, async ({ query, validationError }, reply) => {
    if (validationError !== undefined || !isRight(query['hub.verify_token'])) throw app.httpErrors.forbidden(NOT_TOKEN)
    return reply.type('text/plain; charset=utf-8').send(query['hub.challenge'])
  })

  // A scope of its own: in it, nothing comes in that is not signed.
  await app.register(deliveries, options)
}

const deliveries: FastifyPluginAsyncTypebox<Omit<WhatsappOptions, 'verifyToken'>> = async (app, { secrets, bodyLimit }) => {
  app.requireSignature({
    provider: whatsapp, verify: hmacVerifier(WHATSAPP_SCHEME, secrets), bodyLimit: Math.max(bodyLimit, LARGEST), onRefusal: app.limits.countRefusal
  })
  app.documentRefusals()
  app.shedOverload()

  app.post('/webhook/whatsapp', {
    schema: {
      tags: ['webhook'],
      summary: "Deliver messages by WhatsApp's Cloud API",
      description: 'Stores every message that is new, all in one transaction. An item that is no message is kept as it is; statuses are counted.',
      headers: Type.Object({
        [WHATSAPP_SCHEME.header]: Type.String({
          pattern: signaturePattern(WHATSAPP_SCHEME),
          description: '`sha256=` and the HMAC-SHA256 of the raw body bytes under WHATSAPP_APP_SECRET, in hex',
          examples: [sign(Buffer.from('{}'), 'secret', WHATSAPP_SCHEME)]
        })
      }),
      body: WhatsappPayload,
      response: {
        ...deliveryAnswers,
        200: { ...deliveryAnswers[200], description: 'Every message is stored, now or by an earlier delivery' },
        413: errorAnswer('The body is larger than 3 MiB, and than BODY_LIMIT', 'the body is too large')
      }
    }
  }, async request => {
    const delivery = verifiedDelivery(request)
    const { messages, unread, statuses, ignored } = readWhatsapp(request.body)
    const results = messages.length + unread.length === 0 ? [] : await app.messages.saveAll(messages, unread, request.trace)
    delivery.dup = results.length > 0 && results.every(result => result === 'duplicate')
    delivery.items = { message: messages.length, status: statuses, unread: unread.length, ignored }
    return { status: 'ok' as const }
  })
}

export default route
