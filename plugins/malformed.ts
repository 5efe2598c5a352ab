import { ServerResponse, STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { MalformedAnswers } from '../src/answers.ts'
import { newRequestId } from './request-id.ts'
import { API_HEADERS } from './security-headers.ts'

/** How long a request may take to arrive, and its head, in ms. */
const REQUEST_TIMEOUT = 30_000
const HEADERS_TIMEOUT = 15_000
/** How long a connection may go without a byte, in ms: while its client does not read the answer, for instance. */
const SILENCE_TIMEOUT = 30_000
/** How long one may be kept for the next request: longer than proxies do, or they would send into connections that close. */
const KEEP_ALIVE_TIMEOUT = 72_000

/**
 * For requests that Node.js or Fastify would answer by themselves, past every hook: these options of the server, and the
 * plugin below, keep the promises about errors, ids and logs for them too.
 */
export const malformedRequests = {
  rewriteUrl: routableUrl,
  clientErrorHandler: answerMalformed,
  http: { requireHostHeader: false, headersTimeout: HEADERS_TIMEOUT, connectionsCheckingInterval: 1000 },
  requestTimeout: REQUEST_TIMEOUT,
  connectionTimeout: SILENCE_TIMEOUT,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT
}

/** Connections of which no further byte is a request. */
const broken = new WeakSet<Socket>()

export default fp(async app => {
  app.addHook('onRoute', ({ schema }) => {
    if (schema !== undefined) schema.response = { ...MalformedAnswers, ...schema.response as object }
  })

  // RFC 9112, section 3.2. Later than onRequest, so that the log line has what every line of its route has.
  app.addHook('preParsing', (request, _reply, _payload, done) => {
    const hostless = request.raw.httpVersion === '1.1' && request.headers.host === undefined
    done(hostless ? app.httpErrors.badRequest('the Host header is missing') : null)
  })

  // RFC 9110, section 10.1.1: an expectation that the server does not know may be ignored.
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })

  // Node.js would close the connection without a word, and leaves the socket to whoever listens here.
  app.server.on('connect', (request, socket: Socket) => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket.on('error', () => {}))
    response.on('finish', () => socket.destroySoon())
    app.server.emit('request', request, response)
  })
}, { name: 'malformed', dependencies: ['@fastify/sensible', 'connections'] })

/** Matches no route. Without a slash before it, the router would take it for the path of as many characters: `*` for `/`. */
const NOWHERE = '/*'

/** RFC 9112, section 3.2.2: what a client sends to a proxy. A server takes it for the path in it. */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]+(\/[^#]*)$/i

/**
 * The path to route by. A target that is none, and a path whose percent escapes decode to nothing, name no resource: they
 * are routed to where the 404 comes from.
 */
function routableUrl ({ url = NOWHERE }: Pick<IncomingMessage, 'url'>): string {
  const target = url.startsWith('/') ? url : URL.canParse(url) ? ABSOLUTE_FORM.exec(url)?.[1] ?? NOWHERE : NOWHERE
  if (!target.includes('%')) return target
  try {
    const [path = ''] = target.split('?', 1)
    decodeURIComponent(path)
    return target
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
  // Of the latest request: the one whose body may be arriving still.
  const reply = this.connections.get(socket)
  if (reply !== undefined && !reply.request.raw.complete) {
    // It broke inside the body of a request that has an id, and will have a log line, of its own.
    if (error.code === 'HPE_INVALID_EOF_STATE' || reply.sent || reply.raw.headersSent) {
      socket.destroy()
      return
    }
    // Only a delivery waits for its body. Any other request is being answered, and is the last of its connection.
    if (reply.request.delivery === null) {
      reply.header('connection', 'close')
      return
    }
    // Nobody waits for the rest of the body any more.
    reply.request.raw.removeAllListeners('error')
    reply.code(status).header('connection', 'close').send({ detail: detailOf(status) })
    return
  }

  if (broken.has(socket)) return
  broken.add(socket)
  // The answers to what came before it come first: one in their place would be taken for one of them.
  if (reply !== undefined && !reply.raw.writableFinished) reply.raw.once('close', () => refuse(this, socket, status, error.code))
  else refuse(this, socket, status, error.code)
}

/** Answers what never became a request. */
function refuse (app: FastifyInstance, socket: Socket, status: number, error: string | undefined): void {
  const id = newRequestId({ headers: {} })
  app.log.info({ request_id: id, status, error }, 'malformed request')
  if (socket.writable) {
    const body = JSON.stringify({ detail: detailOf(status) })
    const headers = {
      ...API_HEADERS, 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length, 'X-Request-Id': id, Connection: 'close'
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  }
  socket.destroySoon()
}

function detailOf (status: number): string | undefined {
  return STATUS_CODES[status]?.toLowerCase()
}
