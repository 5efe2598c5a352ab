import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import { invalidQuery } from '../plugins/validation.ts'
import { InvalidInputAnswer, UnavailableAnswer, UNKNOWN_MESSAGE, UnknownMessageAnswer } from '../src/answers.ts'
import { filterOf, FilterQuery } from '../src/filter.ts'
import { Message, MessagePath, StoredMessage } from '../src/message.ts'
import { decodeCursor, encodeCursor } from '../src/storage/cursor.ts'
import type { Position } from '../src/storage/message-store.ts'

const Query = Type.Object({
  limit: Type.Optional(Type.Integer({ default: 50, minimum: 1, maximum: 100, description: 'an integer from 1 to 100' })),
  offset: Type.Optional(Type.Integer({
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'an integer from 0 to 9007199254740991'
  })),
  cursor: Type.Optional(Type.String({ description: 'one cursor from the Link header of a page' })),
  ...FilterQuery.properties
})
type Query = Static<typeof Query>

const OffsetPage = Type.Object({
  data: Type.Array(Message),
  total: Type.Integer({ description: 'how many messages the filters let through, whatever the page', examples: [4] }),
  limit: Type.Integer({ examples: [2] }),
  offset: Type.Integer({ examples: [0] })
}, { title: 'a page by offset' })

const CursorPage = Type.Object({
  data: Type.Array(Message),
  limit: Type.Integer({ examples: [2] })
}, { title: 'a page by cursor' })

/** `raw` is answered as the JSON that it is. */
const { raw: _text, ...withoutRaw } = StoredMessage.properties
const OneMessage = Type.Object({
  ...withoutRaw,
  raw: Type.Unknown({ description: 'the item of the delivery that the message was read from; null where that was the message', examples: [null] })
}, { description: 'The message, and how it came in' })
const Head = Type.Object(withoutRaw)

/** Messages out: GET /messages and GET /messages/{message_id}. */
const messages: FastifyPluginAsyncTypebox = async app => {
  const { messages, httpErrors } = app

  app.get('/messages', {
    schema: {
      tags: ['messages'],
      summary: 'List messages',
      description: 'Filters combine with AND: `since` is inclusive, `until` is not. While more rows follow, ' +
        '`Link: <…>; rel="next"` (RFC 8288) leads to the next page at the same cost anywhere in the list; a page by ' +
        '`offset` costs the more, the larger that is. `cursor` takes no `offset`.',
      querystring: Query,
      response: {
        200: {
          ...Type.Union([OffsetPage, CursorPage], { description: 'Messages by ts, then by message_id by code point' }),
          headers: { Link: { description: '`</messages?…&cursor=…>; rel="next"` while more rows follow', type: 'string' } }
        },
        422: InvalidInputAnswer,
        503: UnavailableAnswer
      }
    }
  }, async (request, reply) => {
    const { limit = 50, offset, cursor } = request.query
    const filter = filterOf(request.query)

    if (cursor === undefined) {
      const { messages: data, total, next } = await messages.page(filter, limit, offset ?? 0, request.signal)
      if (next !== undefined) reply.header('link', nextLink(request.query, next))
      serializeAs(reply, OffsetPage)
      return { data, total, limit, offset: offset ?? 0 }
    }

    const position = decodeCursor(cursor)
    if (position === undefined) throw invalidQuery('/cursor', 'must be one cursor from the Link header of a page')
    if (offset !== undefined) throw invalidQuery('/offset', 'must not be combined with cursor')
    const { messages: data, next } = await messages.pageAfter(filter, limit, position, request.signal)
    if (next !== undefined) reply.header('link', nextLink(request.query, next))
    serializeAs(reply, CursorPage)
    return { data, limit }
  })

  app.get('/messages/:message_id', {
    schema: {
      tags: ['messages'],
      summary: 'One message',
      params: MessagePath,
      response: {
        200: OneMessage,
        404: UnknownMessageAnswer,
        503: UnavailableAnswer
      }
    }
  }, async (request, reply) => {
    const message = await messages.get(request.params.message_id, request.signal)
    if (message === undefined) throw httpErrors.notFound(UNKNOWN_MESSAGE)
    reply.type('application/json').serializer(({ raw, ...head }: StoredMessage) => `${reply.serializeInput(head, Head).slice(0, -1)},"raw":${raw}}`)
    return message
  })
}

/** Serialises the answer by one of the shapes that it may have; left to itself, Fastify would try them out on the data. */
function serializeAs (reply: FastifyReply, schema: TSchema): void {
  reply.type('application/json').serializer((page: Record<string, unknown>) => reply.serializeInput(page, schema))
}

/** A Link (RFC 8288) to the page that begins at `next`, with the same filters and limit. */
function nextLink ({ offset: _, ...query }: Query, next: Position): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, cursor: encodeCursor(next) })) parameters.set(name, String(value))
  return `</messages?${parameters}>; rel="next"`
}

export default messages
