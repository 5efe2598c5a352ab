import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { invalidQuery } from '../plugins/validation.ts'
import { InvalidInputAnswer, UnavailableAnswer } from '../src/answers.ts'
import { sinkOf } from '../src/feed/sink.ts'
import { filterOf, FilterQuery } from '../src/filter.ts'
import { StoredMessage } from '../src/message.ts'
import { BEGINNING, decodePosition, encodePosition, positionBehind } from '../src/storage/feed-position.ts'
import { UnknownPosition } from '../src/storage/errors.ts'
import type { FeedPosition } from '../src/storage/message-store.ts'

const POSITION = encodePosition(positionBehind({ seq: 42, message_id: 'm1' }))
/** The place behind everything that is there. */
const LATEST = 'latest'
const AFTER = 'one position that the feed gave, of this database, or latest'

const { from, source } = FilterQuery.properties
const Query = Type.Object({
  after: Type.Optional(Type.String({ description: AFTER, examples: [LATEST] })),
  from,
  source,
  limit: Type.Optional(Type.Integer({ default: 100, minimum: 1, maximum: 1000, description: 'an integer from 1 to 1000: messages of a page' })),
  wait: Type.Optional(Type.Integer({ default: 0, minimum: 0, maximum: 30, description: 'an integer from 0 to 30: seconds that a page waits for its first message' }))
})

const { raw: _raw, ...properties } = StoredMessage.properties
const Page = Type.Object({
  data: Type.Array(Type.Object(properties)),
  position: Type.String({ description: 'what `after` takes for the next page', examples: [POSITION] })
})

const EVENT = `id: ${POSITION}\nevent: message\ndata: {"message_id":"m1",…}\n\n`

const STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' } as const

/** Every message, in the order in which it was committed: GET /feed. */
const route: FastifyPluginAsyncTypebox = async app => {
  app.get('/feed', {
    config: { isStream: true },
    schema: {
      tags: ['messages'],
      summary: 'Every message in the order of commits, as it comes',
      description: 'With `Accept: text/event-stream` a stream of Server-Sent Events that goes on; else a page, which waits up to `wait` seconds for its ' +
        'first message. `after`, or `Last-Event-ID`, which wins, is where to go on: without either from the first message, with `latest` from now. ' +
        'Nothing is left out, and nothing comes twice.',
      headers: Type.Object({
        accept: Type.Optional(Type.String({ description: 'text/event-stream for a stream', examples: ['text/event-stream'] })),
        'last-event-id': Type.Optional(Type.String({ description: 'The id of the last event that was received; EventSource sends it by itself' }))
      }),
      querystring: Query,
      response: {
        200: {
          description: 'The messages behind the position, as in `GET /messages/{message_id}` without `raw`',
          headers: { 'X-Accel-Buffering': { description: '`no` on a stream: proxies are to pass it on as it comes', type: 'string', examples: ['no'] } },
          content: {
            'application/json': { schema: Page },
            'text/event-stream': { schema: Type.String({ description: 'an event each message', examples: [EVENT] }) }
          }
        },
        422: InvalidInputAnswer,
        503: UnavailableAnswer
      }
    }
  }, async (request, reply) => {
    const { limit = 100, wait = 0 } = request.query
    const { from, source } = filterOf(request.query)
    const filter = { from, source }
    const asked = request.headers['last-event-id'] || request.query.after
    try {
      const after = await place(String(asked ?? ''), request.signal)
      if (wantsStream(request)) return await stream(filter, after, request, reply)
      const { entries, position } = await app.feed.page(filter, after, limit, wait * 1000, request.signal)
      return reply.type('application/json; charset=utf-8')
        .send(`{"data":[${entries.map(({ json }) => json).join()}],"position":"${encodePosition(position)}"}`)
    } catch (error) {
      throw error instanceof UnknownPosition ? invalidQuery('/after', `must be ${AFTER}`) : error
    }
  })

  async function place (position: string, signal: AbortSignal): Promise<FeedPosition> {
    if (position === '') return BEGINNING
    if (position === LATEST) return app.messages.feedEnd(signal)
    const decoded = decodePosition(position)
    if (decoded === undefined) throw new UnknownPosition()
    return decoded
  }

  async function stream (filter: Parameters<typeof app.feed.stream>[0], after: FeedPosition, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { raw } = reply
    if (request.method === 'HEAD') return reply.headers(STREAM).send('')
    const close = await app.feed.stream(filter, after, request.signal, () => {
      reply.hijack()
      // A connection that was a stream is nothing else any more, so the end of the process need not wait for it.
      const headers = { ...reply.getHeaders(), ...STREAM, connection: 'close' }
      raw.writeHead(200, headers as Record<string, string>)
      return sinkOf(raw)
    })
    raw.on('close', close)
    if (raw.destroyed) close()
    return reply
  }
}

/** Whoever takes events takes them. What else is asked for gets a page. */
function wantsStream ({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.split(',').some(range => /^\s*text\/event-stream\s*(?:;|$)/i.test(range))
}

export default route
