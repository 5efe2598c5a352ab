import { isIP } from 'node:net'
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errorAnswer, InvalidSignatureAnswer } from '../src/answers.ts'
import { documentRoutes } from './document.ts'
import { MonotonicStore } from './rate-limit-store.ts'

/**
 * Counts a request against its API key, or against its address when it has none, and sets `RateLimit-*`.
 *
 * @throws 429, with `Retry-After`, once that is over the limit
 */
type Count = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/** Reads, and deliveries that turned out not to be signed, are counted apart: neither takes anything from the other. */
export interface Limits {
  readonly countRead: Count
  /** Takes back what `countRead` has just counted against the address. */
  readonly giveBack: (request: FastifyRequest) => void
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

type Counted = Awaited<ReturnType<ReturnType<FastifyInstance['createRateLimit']>>>

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

const UNLIMITED: Limits = { countRead: async () => {}, giveBack () {}, countRefusal: async () => {} }

/**
 * RATE_LIMIT. A delivery whose signature is right never comes here: a provider that is told to go away may not come back.
 */
export default fp<RateLimitOptions>(async (root, { perMinute }) => {
  if (perMinute === undefined) {
    root.decorate('limits', UNLIMITED)
    root.decorate('limitReads', () => {})
    root.decorate('documentRefusals', () => {})
    return
  }

  let store = new MonotonicStore()
  await root.register(rateLimit, {
    global: false,
    max: perMinute,
    timeWindow: 60_000,
    keyGenerator: request => request.apiKey === null ? addressOf(request) : `key ${request.apiKey}`,
    store: class extends MonotonicStore {
      constructor () {
        super()
        store = this
      }
    }
  })
  // Options, even none, bring a store of their own.
  const [read, refusal] = [root.createRateLimit(), root.createRateLimit({})]
  const countRead: Count = async (request, reply) => tell(reply, await read(request))
  root.decorate('limits', {
    countRead,
    giveBack: request => store.giveBack(addressOf(request)),
    countRefusal: async (request, reply) => tell(reply, await refusal(request))
  })

  root.decorate('limitReads', function () {
    documentRoutes(this, { headers, response: { 429: TooManyAnswer } })
    this.addHook('onRequest', countRead)
  })

  root.decorate('documentRefusals', function () {
    documentRoutes(this, { response: { 401: { ...InvalidSignatureAnswer, headers }, 429: TooManyAnswer } })
  })

  function tell (reply: FastifyReply, counted: Counted): void {
    // As nobody is on a list of those who may do as they like.
    if (!counted.isAllowed) {
      const { max, remaining, ttlInSeconds, isExceeded } = counted
      reply.headers({ 'ratelimit-limit': max, 'ratelimit-remaining': remaining, 'ratelimit-reset': ttlInSeconds })
      if (isExceeded) {
        reply.header('retry-after', ttlInSeconds)
        throw root.httpErrors.tooManyRequests(TOO_MANY)
      }
    }
  }
}, { name: 'rate-limit', dependencies: ['@fastify/sensible', 'errors'] })

/** Of what a trusted proxy forwards, a client may have written a part: what is no address counts as the proxy. */
function addressOf ({ ip, socket }: FastifyRequest): string {
  return normalizeIP(isIP(ip) === 0 ? String(socket.remoteAddress) : ip, IPV6_PREFIX)
}
