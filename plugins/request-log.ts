import fp from 'fastify-plugin'
import type { Completion } from './completion.ts'
import { deliveryResult } from '../src/delivery.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** More that the log line of this request says: how many messages it was about. */
    details: Record<string, number> | null
  }
}

/** One line a request, when it is over. It never holds a secret, a signature, a phone number or a text. */
export default fp(async app => {
  app.decorateRequest('details', null)

  app.onCompletion(completion => {
    const line = requestLine(completion)
    // What failed after its answer had begun has the status of that.
    if (completion.request.failure !== null || completion.status >= 500 || line.result === 'invalid_signature') app.log.error(line)
    else if (line.unread) app.log.warn(line)
    else app.log.info(line)
  })
}, { name: 'request-log', dependencies: ['api-keys', 'completion', 'errors', 'signature', 'tracing'] })

/** What is undefined is not written. One shape for every request: an object put together from parts takes twice the memory. */
function requestLine ({ request, status, latency }: Completion) {
  const { apiKey, delivery, details, failure, trace } = request
  const line = {
    request_id: request.id,
    method: request.method,
    path: pathOf(request.originalUrl),
    status,
    latency_ms: Math.round(latency * 1000) / 1000,
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    api_key: apiKey ?? undefined,
    source: delivery?.source,
    message_id: delivery?.messageId,
    dup: delivery?.dup,
    result: delivery === null ? undefined : deliveryResult(status, delivery.dup),
    refusal: delivery?.refusal,
    messages: delivery?.items?.message,
    unread: delivery?.items?.unread || undefined,
    error: failure === null ? undefined : describe(failure)
  }
  return details === null ? line : { ...line, ...details }
}

/** Before the path, a target that was meant for a proxy (RFC 9112, section 3.2.2) has a host, and may have a password. */
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

function pathOf (url: string): string {
  const target = url.startsWith('/') ? url : url.replace(AUTHORITY, '')
  const end = target.search(/[?#]/)
  return end === -1 ? target : target.slice(0, end)
}

/** An error and its causes, outermost first, without stacks. */
function describe (error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message
}
