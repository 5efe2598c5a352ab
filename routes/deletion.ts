import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { DeletedAnswer, errorAnswer, InvalidInputAnswer, UnavailableAnswer, UNKNOWN_MESSAGE, UnknownMessageAnswer } from '../src/answers.ts'
import { filterOf, FilterQuery } from '../src/filter.ts'
import { MessagePath } from '../src/message.ts'
import { reasonOf } from '../src/storage/insist.ts'

export interface DeletionOptions {
  /** Whether there are keys. Without any, everybody could delete: nobody may. */
  readonly hasApiKeys: boolean
}

const FORBIDDEN = 'API_KEYS is not set, and deleting needs an API key'

const { description = '', examples = [] } = FilterQuery.properties.from
/** A filter that was ignored, as unknown parameters are elsewhere, would delete too much. */
const Query = Type.Object({ from: Type.String({ description, examples }) }, { additionalProperties: false })

/** A person's right to be forgotten: DELETE /messages and DELETE /messages/{message_id}. */
const deletion: FastifyPluginAsyncTypebox<DeletionOptions> = async (app, { hasApiKeys }) => {
  const { messages, httpErrors } = app
  /** Where nobody may, nothing else is answered. */
  const answers = (response: Record<number, object>): Record<number, object> =>
    hasApiKeys ? { 200: DeletedAnswer, 503: UnavailableAnswer, ...response } : { 403: errorAnswer('Nobody may: no key is configured', FORBIDDEN) }

  app.addHook('onRequest', async () => {
    if (!hasApiKeys) throw httpErrors.forbidden(FORBIDDEN)
  })

  app.delete('/messages', {
    config: { isLong: true },
    schema: {
      tags: ['messages'],
      summary: 'Delete the messages of a sender',
      description: 'All of them, in small steps: it can take minutes, and goes on when the client goes away. What was deleted does not come back by being ' +
        'delivered again: hashes of the ids are kept for DEDUPE_DAYS. No other filter is taken.',
      querystring: Query,
      response: answers({ 422: InvalidInputAnswer })
    }
  }, async request => {
    // From now on it tells whether the client is there.
    const { signal } = request
    const { from = '' } = filterOf(request.query)
    let deleted = 0
    request.details = { deleted }
    try {
      for (let step = await messages.remove({ from }); step > 0; step = await messages.remove({ from })) {
        deleted += step
        request.details = { deleted }
      }
    } catch (error) {
      if (signal.aborted) app.log.error({ api_key: request.apiKey, deleted, error: reasonOf(error as Error) }, 'a deletion failed without its client')
      throw error
    }
    // Its line was written when the client went.
    if (signal.aborted) app.log.info({ api_key: request.apiKey, deleted }, 'a deletion was finished without its client')
    return { deleted }
  })

  app.delete('/messages/:message_id', {
    schema: {
      tags: ['messages'],
      summary: 'Delete one message',
      params: MessagePath,
      response: answers({ 404: UnknownMessageAnswer })
    }
  }, async request => {
    const deleted = await messages.remove({ messageId: request.params.message_id })
    request.details = { deleted }
    if (deleted === 0) throw httpErrors.notFound(UNKNOWN_MESSAGE)
    return { deleted }
  })
}

export default deletion
