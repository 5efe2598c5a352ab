import bearerAuth from '@fastify/bearer-auth'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorAnswer } from '../src/answers.ts'
import { keyNames, type ApiKey } from '../src/api-keys.ts'
import { documentRoutes } from './document.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Asks every request of this scope for one of the keys, as `Authorization: Bearer …` (RFC 6750); for none when there are none. */
    requireApiKey (): void
  }
  interface FastifyRequest {
    /** The name of the key that the request came with; null without a right one. */
    apiKey: string | null
  }
}

export interface ApiKeysOptions {
  readonly keys: readonly ApiKey[]
}

const UNAUTHORIZED = 'a valid API key is needed, as Authorization: Bearer …'

/** The name of the security scheme in the OpenAPI document. */
export const API_KEY_SCHEME = 'apiKey'

const documentation = {
  security: [{ [API_KEY_SCHEME]: [] }],
  response: {
    401: {
      ...errorAnswer('The API key is missing or wrong', UNAUTHORIZED),
      headers: { 'WWW-Authenticate': { description: 'what is asked for (RFC 6750)', type: 'string', examples: ['Bearer realm="letterbox"'] } }
    }
  }
}

/** The door for those who read. A key is taken from the header only: a query string would be in other people's logs. */
export default fp<ApiKeysOptions>(async (root, { keys }) => {
  const nameOf = keyNames(keys)
  root.decorateRequest('apiKey', null)

  await root.register(bearerAuth, {
    addHook: false,
    // Letter case does not matter in the name of a scheme (RFC 9110, section 11.1).
    specCompliance: 'rfc6749',
    // A request is one line, and that is request-log's.
    verifyErrorLogLevel: 'silent',
    keys: [],
    auth (key, request) {
      request.apiKey = nameOf(key) ?? null
      return request.apiKey !== null
    }
  })

  root.decorate('requireApiKey', function () {
    if (keys.length === 0) return
    documentRoutes(this, documentation)

    this.addHook('onRequest', async (request, reply) => {
      // Before the key is looked at, and not after: of a thousand guesses that arrive at once, all would be looked at.
      await root.limits.countRead(request, reply)
      if (await isAuthorized(request, reply)) return root.limits.giveBack(request)
      const error = request.headers.authorization === undefined ? '' : ', error="invalid_token"'
      reply.header('www-authenticate', `Bearer realm="letterbox"${error}`)
      throw root.httpErrors.unauthorized(UNAUTHORIZED)
    })
  })

  function isAuthorized (request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    return new Promise(resolve => root.verifyBearerAuth?.(request, reply, error => resolve(error === undefined)))
  }
}, { name: 'api-keys', dependencies: ['@fastify/sensible', 'errors', 'rate-limit'] })
