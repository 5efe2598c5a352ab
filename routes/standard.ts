import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { verifiedDelivery } from '../plugins/signature.ts'
import { deliveryAnswers } from '../src/answers.ts'
import { readStandard, standard, StandardPayload } from '../src/provider/standard.ts'
import { standardVerifier, type StandardSecret } from '../src/signature/standard.ts'

export interface StandardOptions {
  /** Keys under which a delivery may be signed, the current one first. */
  readonly secrets: readonly StandardSecret[]
  /** Bytes. */
  readonly bodyLimit: number
}

/** Messages in, by Standard Webhooks: POST /webhook/standard. */
const route: FastifyPluginAsyncTypebox<StandardOptions> = async (app, { secrets, bodyLimit }) => {
  app.requireSignature({ provider: standard, verify: standardVerifier(secrets), bodyLimit, onRefusal: app.limits.countRefusal })
  app.documentRefusals()
  app.shedOverload()

  app.post('/webhook/standard', {
    schema: {
      tags: ['webhook'],
      summary: 'Deliver a message by Standard Webhooks',
      description: 'As POST /webhook. `message_id` is by default `webhook-id`, and `ts` the event\'s timestamp, or else that of the signature. ' +
        'The three headers may also be named `svix-…`.',
      headers: Type.Object({
        'webhook-id': Type.String({ description: 'The id of the delivery, the same each time it is tried', examples: ['msg_p5jXN8AQM9LWM0D4loKWxJek'] }),
        'webhook-timestamp': Type.String({
          pattern: '^[0-9]{1,15}$', description: 'When it was signed, in seconds since 1970: at most five minutes from now', examples: ['1614265330']
        }),
        'webhook-signature': Type.String({
          description: '`v1,` and the HMAC-SHA256 of webhook-id, a full stop, webhook-timestamp, a full stop and the raw body bytes under ' +
            'STANDARD_WEBHOOKS_SECRET, in base64; or several of them, separated by spaces',
          examples: ['v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=']
        })
      }),
      body: StandardPayload,
      response: deliveryAnswers
    }
  }, async request => {
    const delivery = verifiedDelivery(request)
    const result = await app.messages.save(readStandard(request.body, request.headers, delivery.body), request.trace)
    delivery.dup = result === 'duplicate'
    return { status: 'ok' as const }
  })
}

export default route
