import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { claimedMessageId, isJsonType, messageIdOf, parseBody } from '../src/delivery.ts'
import { hmacSha256Verifier } from '../src/signature/hmac-sha256.ts'
import type { Refusal } from '../src/signature/verifier.ts'
import { StoreUnavailable } from '../src/storage/message-store.ts'
import { statusOf } from './errors.ts'
import { takeRawBodies } from './raw-body.ts'

/** What is known of a delivery so far, for the route that takes it and for its log line. */
export interface Delivery {
  contentType: string | undefined
  messageId: string | undefined
  /** Whether the message was known already. */
  dup: boolean
  refusal: Refusal | undefined
  /** The place of the key under which it was signed, in the list of them. */
  secret: number | undefined
}

export interface SignatureOptions {
  /** The header that carries the signature, in lower case. */
  readonly header: string
  /** Keys under which a delivery may be signed. */
  readonly secrets: readonly string[]
  /** Bytes. */
  readonly bodyLimit: number
  /** Called for a delivery whose signature is missing or wrong, and for no other. What it throws is answered instead of the 401. */
  readonly onRefusal?: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes every POST in this scope a signed delivery: its body is parsed only once its signature was found right. */
    requireSignature (options: SignatureOptions): void
  }
  interface FastifyRequest {
    /** Set in a scope that requires signatures. */
    delivery: Delivery | null
  }
}

/**
 * The door for signed deliveries. Within the scope that asks for it, in this order: no secret 503, too large 413,
 * signature 401, type 415, not JSON 422.
 */
export default fp(async root => {
  root.decorateRequest('delivery', null)

  root.decorate('requireSignature', function ({ header, secrets, bodyLimit, onRefusal }) {
    const verify = hmacSha256Verifier(header, secrets)

    takeRawBodies(this, bodyLimit)

    this.addHook('onRequest', (request, _reply, done) => {
      request.delivery = {
        contentType: request.headers['content-type'], messageId: undefined, dup: false, refusal: undefined, secret: undefined
      }
      // Fastify answers 415 to a malformed type before any hook of ours could answer 401. It is judged below instead.
      request.headers['content-type'] = undefined
      done()
    })

    // A hook and not a parser: a request without a body never meets a parser.
    this.addHook('preValidation', async (request, reply) => {
      const delivery = request.delivery as Delivery
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const verdict = verify(request.headers, body)
      if (verdict.body === undefined) {
        if (secrets.length === 0) throw new StoreUnavailable('WEBHOOK_SECRET is not set')
        delivery.refusal = verdict.refusal
        delivery.messageId = claimedMessageId(body)
        await onRefusal?.(request, reply)
        return reply.code(401).send({ detail: 'invalid signature' })
      }
      delivery.secret = verdict.secret
      if (!isJsonType(delivery.contentType)) {
        throw root.httpErrors.unsupportedMediaType('the Content-Type must be application/json or application/*+json')
      }
      request.body = parseBody(verdict.body)
      delivery.messageId = messageIdOf(request.body)
    })

    // An error that nobody foresaw leaves open whether the message is stored. Only a 503 makes the provider send again.
    this.setErrorHandler((error: Error, { body, delivery }) => {
      if (delivery !== null && Buffer.isBuffer(body)) delivery.messageId = claimedMessageId(body)
      if (secrets.length === 0) throw new StoreUnavailable('WEBHOOK_SECRET is not set')
      throw statusOf(error) === 500 ? new StoreUnavailable('an unforeseen error', { cause: error }) : error
    })
  })
}, { name: 'signature', dependencies: ['@fastify/sensible', 'errors'] })
