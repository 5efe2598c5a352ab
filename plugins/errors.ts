import fp from 'fastify-plugin'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { UNAVAILABLE } from '../src/answers.ts'
import { UnreadableBody } from '../src/delivery.ts'
import { StoreUnavailable } from '../src/storage/errors.ts'
import { invalidInput } from './validation.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What went wrong inside, for the log line of a 5xx. */
    failure: Error | null
  }
}

/**
 * Every error becomes `{"detail":"…"}`. A 5xx says nothing of the inside: the request's log line does, and
 * `X-Request-Id` leads to it.
 */
export default fp(async app => {
  app.decorateRequest('failure', null)

  app.setErrorHandler((error: Partial<FastifyError> & Error, request, reply) => {
    // Fastify judges a malformed Content-Type even where there is nothing to send it to.
    if (request.is404) return notFound(request, reply)
    if (error instanceof StoreUnavailable) return answerUnavailable(request, reply, error)
    const status = statusOf(error)
    reply.code(status)
    if (status >= 500) request.failure = error

    if (error instanceof UnreadableBody) return reply.send(invalidInput('body', [error]))
    if (error.validation !== undefined) return reply.send(invalidInput(error.validationContext ?? 'input', error.validation))
    return reply.send({ detail: status < 500 ? error.message : 'internal error' })
  })

  app.setNotFoundHandler(notFound)
}, { name: 'errors', dependencies: ['validation'] })

/** 503, thrown or not: where many are refused, nothing need be thrown. */
export function answerUnavailable (request: FastifyRequest, reply: FastifyReply, error: StoreUnavailable): FastifyReply {
  request.failure = error
  return reply.code(503).header('retry-after', error.retryAfter).send({ detail: UNAVAILABLE })
}

function notFound (_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ detail: 'not found' })
}

/** The HTTP status that an error is answered with; 500 when nobody foresaw it. */
export function statusOf (error: Error): number {
  const { statusCode, validation } = error as Partial<FastifyError>
  if (error instanceof StoreUnavailable) return 503
  if (error instanceof UnreadableBody || validation !== undefined) return 422
  return statusCode !== undefined && statusCode < 500 ? statusCode : 500
}
