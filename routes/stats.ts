import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { StatsAnswer, UnavailableAnswer } from '../src/answers.ts'

/** Totals: GET /stats. */
const stats: FastifyPluginAsyncTypebox = async app => {
  const { messages } = app

  app.get('/stats', {
    schema: {
      tags: ['messages'],
      summary: 'Totals, top senders, first and last moment',
      description: 'A message that was answered 200 is counted in the next answer.',
      response: { 200: StatsAnswer, 503: UnavailableAnswer }
    }
  }, async request => messages.stats(request.signal))
}

export default stats
