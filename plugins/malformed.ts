import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { requestOn } from './completion.ts'
import { newRequestId } from './request-id.ts'

/**
 * For requests that Fastify would answer by itself, past every hook: these two options of the server keep the promises
 * about errors, ids and logs for them too.
 */
export const malformedRequests = { rewriteUrl: routableUrl, clientErrorHandler: answerMalformed }

/** Matches no route. */
const NOWHERE = '*'

/** A path whose percent escapes decode to nothing names no resource: it is routed to where the 404 comes from. */
function routableUrl ({ url = NOWHERE }: Pick<IncomingMessage, 'url'>): string {
  if (!url.includes('%')) return url
  try {
    const [path = ''] = url.split('?', 1)
    decodeURIComponent(path)
    return url
  } catch {
    return NOWHERE
  }
}

const STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Answers bytes that are no HTTP request, and requests that took too long to arrive. */
function answerMalformed (this: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  // The client is gone: there is nobody to answer.
  if (error.code === 'ECONNRESET' || socket.destroyed) return

  const status = STATUS[error.code ?? ''] ?? 400
  const request = requestOn.get(socket)
  const id = request?.id ?? newRequestId({ headers: {} })
  // A request whose head was good has its line from request-log.
  if (request === undefined) this.log.info({ request_id: id, status, error: error.code }, 'malformed request')
  else request.rawStatus = status
  if (socket.writable) {
    const body = JSON.stringify({ detail: STATUS_CODES[status]?.toLowerCase() })
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
      `X-Request-Id: ${id}\r\nConnection: close\r\n\r\n${body}`
    )
  }
  socket.destroySoon()
}
