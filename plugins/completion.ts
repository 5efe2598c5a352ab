import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'

/** What is known of a request when it is over. */
export interface Completion {
  readonly request: FastifyRequest
  /** The HTTP status that was answered; 499 when the client went away before any answer. */
  readonly status: number
  /** From the request's arrival to the end of its answer, in ms. */
  readonly latency: number
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Calls `listener` once for every request, answered or abandoned, when it is over. */
    onCompletion (listener: (completion: Completion) => void): void
  }
}

/**
 * One event for the end of a request. Fastify's `onResponse` is not called for a request whose client went away before
 * it was answered; the close of the response always comes.
 */
export default fp(async app => {
  const listeners: ((completion: Completion) => void)[] = []
  app.decorate('onCompletion', listener => { listeners.push(listener) })

  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => {
      const status = reply.raw.headersSent ? reply.raw.statusCode : 499
      const completion = { request, status, latency: reply.elapsedTime }
      for (const listener of listeners) listener(completion)
    })
    done()
  })
}, { name: 'completion' })
