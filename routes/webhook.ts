import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { verifiedDelivery } from '../plugins/signature.ts'
import { deliveryAnswers } from '../src/answers.ts'
import { IncomingMessage, toMessage } from '../src/message.ts'
import { plain } from '../src/provider/plain.ts'
import { hmacVerifier, sign, signaturePattern, type HmacScheme } from '../src/signature/hmac.ts'

export interface WebhookOptions {
  /** Keys under which a delivery may be signed. */
  readonly secrets: readonly string[]
  readonly scheme: HmacScheme
  /** Bytes. */
  readonly bodyLimit: number
}

/** Messages in: POST /webhook. */
const webhook: FastifyPluginAsyncTypebox<WebhookOptions> = async (app, { secrets, scheme, bodyLimit }) => {
  const verify = secrets.length === 0 ? undefined : hmacVerifier(scheme, secrets)
  app.requireSignature({ provider: plain, verify, bodyLimit, onRefusal: app.limits.countRefusal })
  app.documentRefusals()
  app.shedOverload()

  app.post('/webhook', {
    schema: {
      tags: ['webhook'],
      summary: 'Deliver a message',
      description: 'Stores the message if its `message_id` is new. A 200 means that it is on disk. ' +
        'Whatever else is answered, nothing was stored, or a 503 leaves it open: deliver again.',
      headers: Type.Object({
        [scheme.header]: Type.String({
          pattern: signaturePattern(scheme),
          description: describe(scheme),
          examples: [sign(Buffer.from('{}'), 'secret', scheme)]
        })
      }),
      body: IncomingMessage,
      response: deliveryAnswers
    }
  }, async request => {
    const result = await app.messages.save(toMessage(request.body), request.trace)
    verifiedDelivery(request).dup = result === 'duplicate'
    return { status: 'ok' as const }
  })
}

function describe ({ prefix, encoding, algorithm }: HmacScheme): string {
  const digest = `HMAC-${algorithm.replace('sha', 'SHA')} of the raw body bytes under WEBHOOK_SECRET, in ${encoding}`
  return prefix === '' ? digest : `\`${prefix}\` and the ${digest}`
}

export default webhook
