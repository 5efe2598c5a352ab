import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Items } from '../src/delivery.ts'
import type { Provider } from '../src/provider/provider.ts'
import type { Refusal, Verified, Verifier } from '../src/signature/verifier.ts'
import { StoreUnavailable } from '../src/storage/errors.ts'
import { statusOf } from './errors.ts'
import { takeRawBodies } from './raw-body.ts'

/** What is known of a delivery so far, for the route that takes it and for its log line. */
export interface Delivery {
  /** The name of its provider. */
  readonly source: string
  contentType: string | undefined
  /** As it was received, once its signature was found right. */
  body: Verified | undefined
  messageId: string | undefined
  /** Whether the message was known already; of several, whether all of them were. */
  dup: boolean
  /** What it held, once that is stored, where a delivery may hold other than one message. */
  items: Items | undefined
  refusal: Refusal | undefined
  /** The place of the key under which it was signed, in the list of them. */
  secret: number | undefined
}

/** A delivery whose signature was found right. */
export interface VerifiedDelivery extends Delivery { readonly body: Verified }

/** The delivery that a route of a scope that requires signatures has before it. */
export function verifiedDelivery ({ delivery }: FastifyRequest): VerifiedDelivery {
  return delivery as VerifiedDelivery
}

export interface SignatureOptions {
  /** Reads what this scope's deliveries carry. */
  readonly provider: Provider
  /** Undefined while there is no secret: nothing is ever accepted. */
  readonly verify: Verifier | undefined
  /** Bytes. */
  readonly bodyLimit: number
  /** Called for a delivery whose signature is missing or wrong, and for no other. What it throws is answered instead of the 401. */
  readonly onRefusal?: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes every POST in this scope a signed delivery: its body is parsed only once its signature was found right. */
    requireSignature (options: SignatureOptions): void
    /** The names of the providers whose deliveries some scope takes. */
    readonly deliverySources: readonly string[]
  }
  interface FastifyRequest {
    /** Set in a scope that requires signatures. */
    delivery: Delivery | null
  }
}

/**
 * The door for signed deliveries. Within the scope that asks for it, in this order: no secret 503, too large 413,
 * signature 401, type 415, not readable 422. What a signature is, and how a body is read, the scope says.
 */
export default fp(async root => {
  root.decorateRequest('delivery', null)

  const sources: string[] = []
  root.decorate('deliverySources', sources)

  root.decorate('requireSignature', function ({ provider, verify, bodyLimit, onRefusal }) {
    const { source } = provider
    sources.push(source)
    takeRawBodies(this, bodyLimit)

    this.addHook('onRequest', (request, _reply, done) => {
      request.delivery = {
        source,
        contentType: request.headers['content-type'],
        body: undefined,
        messageId: undefined,
        dup: false,
        items: undefined,
        refusal: undefined,
        secret: undefined
      }
      // Fastify answers 415 to a malformed type before any hook of ours could answer 401. It is judged below instead.
      request.headers['content-type'] = undefined
      done()
    })

    // A hook and not a parser: a request without a body never meets a parser.
    this.addHook('preValidation', async (request, reply) => {
      const delivery = request.delivery as Delivery
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      if (verify === undefined) throw new StoreUnavailable('WEBHOOK_SECRET is not set')
      const verified = request.trace?.begin('verify')
      const verdict = verify(request.headers, body, request.originalUrl)
      verified?.()
      if (verdict.body === undefined) {
        delivery.refusal = verdict.refusal
        delivery.messageId = provider.claimedId(body, request.headers)
        await onRefusal?.(request, reply)
        return reply.code(401).send({ detail: 'invalid signature' })
      }
      delivery.secret = verdict.secret
      delivery.body = verdict.body
      request.body = provider.parse(verdict.body, delivery.contentType, request.originalUrl)
      delivery.messageId = provider.idOf(request.body, request.headers)
    })

    // An error that nobody foresaw leaves open whether the message is stored. Only a 503 makes the provider send again.
    this.setErrorHandler((error: Error, { body, delivery, headers }) => {
      if (delivery !== null && Buffer.isBuffer(body)) delivery.messageId = provider.claimedId(body, headers)
      if (verify === undefined) throw new StoreUnavailable('WEBHOOK_SECRET is not set')
      throw statusOf(error) === 500 ? new StoreUnavailable('an unforeseen error', { cause: error }) : error
    })
  })
}, { name: 'signature', dependencies: ['@fastify/sensible', 'errors', 'tracing'] })
