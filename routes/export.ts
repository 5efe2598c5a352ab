import { Readable, pipeline } from 'node:stream'
import accepts from '@fastify/accepts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { InvalidInputAnswer, UnavailableAnswer } from '../src/answers.ts'
import { gzip } from '../src/export-file.ts'
import { FORMATS, written, type FormatName } from '../src/export.ts'
import { filterOf, FilterQuery } from '../src/filter.ts'
import type { StoredMessage } from '../src/message.ts'
import { StoreUnavailable } from '../src/storage/errors.ts'

/** So many exports may be under way at once: each is read and written as fast as its client takes it. */
const MOST = 4

const Query = Type.Object({
  format: Type.Optional(Type.Unsafe<FormatName>({ type: 'string', enum: Object.keys(FORMATS), description: 'ndjson or csv; without it, Accept decides', examples: ['csv'] })),
  ...FilterQuery.properties
})

/** What is streamed, as it is documented. */
const File = (example: string) => Type.Unsafe<Readable>(Type.String({ examples: [example] }))

/** Everything out: GET /export. */
const route: FastifyPluginAsyncTypebox = async app => {
  const { messages } = app
  await app.register(accepts)
  let underWay = 0

  app.get('/export', {
    // Of hours, maybe: plugins/deadline.ts goes by what the client takes meanwhile.
    config: { isStream: true },
    schema: {
      tags: ['messages'],
      summary: 'Every message, as a file',
      description: 'In the order of the list, with the filters of the list: what is stored when it begins, and nothing that comes later. Without its end ' +
        '(the last chunk of HTTP) it is not whole: something went wrong on the way, and the log says what. ' +
        'CSV is RFC 4180 with every cell to the byte: numbers begin with `+` and texts with anything, which spreadsheets may take for formulas.',
      querystring: Query,
      response: {
        200: {
          description: 'One message a line, as GET /messages/{message_id} answers it; gzip where Accept-Encoding allows it',
          content: {
            'application/x-ndjson': { schema: File('{"message_id":"m1","from":"+919876543210","to":"+14155550100","ts":"2025-01-15T10:00:00Z","text":"Hello","source":"webhook","type":null,"received_at":"2025-01-15T10:00:01.250Z","raw":null}\n') },
            'text/csv': { schema: File('message_id,from,to,ts,text,source,type,received_at,raw\r\nm1,+919876543210,+14155550100,2025-01-15T10:00:00Z,Hello,webhook,,2025-01-15T10:00:01.250Z,\r\n') }
          },
          headers: {
            'Content-Disposition': { description: 'a name for the file', type: 'string', examples: ['attachment; filename="messages.ndjson"'] },
            'Content-Encoding': { description: '`gzip` where it is', type: 'string', examples: ['gzip'] },
            Vary: { description: 'what the answer depends on', type: 'string', examples: ['accept, accept-encoding'] }
          }
        },
        422: InvalidInputAnswer,
        503: UnavailableAnswer
      }
    }
  }, async (request, reply) => {
    const name = request.query.format ?? (request.accepts().type(['application/x-ndjson', 'text/csv']) === 'text/csv' ? 'csv' : 'ndjson')
    const isZipped = request.accepts().encoding(['gzip', 'identity']) === 'gzip'
    const headers = {
      'content-type': FORMATS[name].type,
      'content-disposition': `attachment; filename="messages.${name}"`,
      vary: 'accept, accept-encoding',
      ...isZipped && { 'content-encoding': 'gzip' }
    }
    if (request.method === 'HEAD') return reply.headers(headers).send(Readable.from([]))

    if (underWay >= MOST) throw new StoreUnavailable(`${MOST} exports are under way`)
    underWay++
    reply.raw.once('close', () => { underWay-- })

    const pages = messages.snapshot(filterOf(request.query), request.signal)
    // Before anything is answered: a store that cannot be read is a 503.
    const first = await pages.next()
    const bytes = Readable.from(written(observed(request, first, pages), FORMATS[name]), { objectMode: false })
    return reply.headers(headers).send(isZipped ? pipeline(bytes, gzip(), () => {}) : bytes)
  })
}

/** The pages, while the request's log line learns how many messages they hold, and what ends them before their end. */
async function * observed (
  request: FastifyRequest, first: IteratorResult<StoredMessage[], void>, rest: AsyncIterable<StoredMessage[]>
): AsyncGenerator<StoredMessage[], void, undefined> {
  const counted = (page: StoredMessage[]): StoredMessage[] => {
    request.details = { exported: (request.details?.['exported'] ?? 0) + page.length }
    return page
  }
  request.details = { exported: 0 }
  try {
    if (first.done !== true) yield counted(first.value)
    for await (const page of rest) yield counted(page)
  } catch (error) {
    request.failure = error as Error
    throw error
  }
}

export default route
