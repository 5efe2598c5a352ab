import fp from 'fastify-plugin'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What may be taken over from a client into logs and headers. */
const SANE = /^[\w.:/=@-]{1,128}$/

/** The id of a request: the client's `X-Request-Id` when it is sane, else a new UUID. */
export function newRequestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}

/** Puts `X-Request-Id` on every answer. */
export default fp(async app => {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
}, { name: 'request-id' })
