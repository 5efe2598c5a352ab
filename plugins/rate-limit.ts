import { isIP } from 'node:net'
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorAnswer, InvalidSignatureAnswer } from '../src/answers.ts'
import { documentRoutes } from './document.ts'
import { MonotonicStore } from './rate-limit-store.ts'

/**
 * Counts a request against its API key, or against its address when it has none, and sets `RateLimit-*`.
 *
 * @throws 429, with `Retry-After`, once that is over the limit
 */
type Count = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Reads, and deliveries that turned out not to be signed, are counted apart: neither takes anything from the other. */
export interface Limits {
  readonly countRead: Count
  /** Counts and throws only where `countRead` would throw, and does nothing else. */
  readonly refuseIfOver: Count
  readonly countRefusal: Count
}

declare module 'fastify' {
  interface FastifyInstance {
    limits: Limits
    /** Counts every request of this scope as a read. */
    limitReads (): void
    /** Documents what `limits.countRefusal` does to the routes of this scope. */
    documentRefusals (): void
  }
}

export interface RateLimitOptions {
  /** Undefined: there is no limit. */
  readonly perMinute: number | undefined
}

/** A customer's network has a /64 at least, and every address in it is his (RFC 6177). */
const IPV6_PREFIX = 64

const seconds = { type: 'integer', examples: [42] } as const
const headers = {
  'RateLimit-Limit': { description: 'requests a minute', type: 'integer', examples: [600] },
  'RateLimit-Remaining': { description: 'how many of them are left', type: 'integer', examples: [599] },
  'RateLimit-Reset': { description: 'seconds until all of them are left again', ...seconds }
}
const TOO_MANY = 'too many requests, try again later'
const tooMany = errorAnswer('The API key or the address is over RATE_LIMIT', TOO_MANY)
const TooManyAnswer = { ...tooMany, headers: { ...headers, 'Retry-After': { description: 'seconds to wait', ...seconds } } }

const none = async (): Promise<void> => {}

/**
 * RATE_LIMIT. A delivery whose signature is right never comes here: a provider that is told to go away may not come back.
 */
export default fp<RateLimitOptions>(async (root, { perMinute }) => {
  if (perMinute === undefined) {
    root.decorate('limits', { countRead: none, refuseIfOver: none, countRefusal: none })
    root.decorate('limitReads', () => {})
    root.decorate('documentRefusals', () => {})
    return
  }

  await root.register(rateLimit, {
    global: false,
    enableDraftSpec: true,
    max: perMinute,
    timeWindow: 60_000,
    store: MonotonicStore,
    keyGenerator: clientOf,
    errorResponseBuilder: () => root.httpErrors.tooManyRequests(TOO_MANY)
  })
  // The first two share a store; options, even none, bring another.
  const [limitRead, peek, limitRefusal] = [root.rateLimit(), root.createRateLimit(), root.rateLimit({})]
  const countRead: Count = (request, reply) => limitRead.call(root, request, reply)
  root.decorate('limits', {
    countRead,
    async refuseIfOver (request, reply) {
      const seen = await peek(request, { increment: false })
      if (!seen.isAllowed && seen.isExceeded) await countRead(request, reply)
    },
    countRefusal: (request, reply) => limitRefusal.call(root, request, reply)
  })

  root.decorate('limitReads', function () {
    documentRoutes(this, { headers, response: { 429: TooManyAnswer } })
    this.addHook('onRequest', async (request, reply) => { await countRead(request, reply) })
  })

  root.decorate('documentRefusals', function () {
    documentRoutes(this, { response: { 401: { ...InvalidSignatureAnswer, headers }, 429: TooManyAnswer } })
  })
}, { name: 'rate-limit', dependencies: ['@fastify/sensible', 'errors'] })

/** Whom a request is counted against. No address holds a space. */
function clientOf ({ apiKey, ip, socket }: FastifyRequest): string {
  if (apiKey !== null) return `key ${apiKey}`
  // Of what a trusted proxy forwards, a client may have written a part.
  return normalizeIP(isIP(ip) === 0 ? String(socket.remoteAddress) : ip, IPV6_PREFIX)
}
