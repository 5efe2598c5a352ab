import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { invalidQuery } from '../plugins/validation.ts'
import { InvalidInputAnswer, StatsAnswer, UnavailableAnswer, VolumeAnswer } from '../src/answers.ts'
import { filterOf, FilterQuery } from '../src/filter.ts'
import { INTERVALS, isReversed, lengthOf, MOST_INTERVALS, seriesOf, spanOf, timestampOf, type Interval } from '../src/volume.ts'

const { from, since, until } = FilterQuery.properties
const Query = Type.Object({
  interval: Type.Optional(Type.Unsafe<Interval>({ type: 'string', enum: INTERVALS, default: 'hour', description: 'minute, hour or day', examples: ['hour'] })),
  since,
  until,
  from
})

/** Numbers: GET /stats and GET /stats/volume. */
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

  app.get('/stats/volume', {
    schema: {
      tags: ['messages'],
      summary: 'Messages a minute, hour or day',
      description: `A series for plotting, by ts, empty intervals included. \`since\` and \`until\` are widened to whole intervals, ${MOST_INTERVALS} at most; ` +
        'by default they are the last 60 minutes, 48 hours or 30 days, the interval under way included.',
      querystring: Query,
      response: { 200: VolumeAnswer, 422: InvalidInputAnswer, 503: UnavailableAnswer }
    }
  }, async ({ query, signal }) => {
    const { from, since, until } = filterOf(query)
    const span = spanOf(query.interval ?? 'hour', since, until, Date.now())
    if (isReversed(since, until) || lengthOf(span) < 0) throw invalidQuery('/since', 'must not be later than until')
    if (lengthOf(span) > MOST_INTERVALS) throw invalidQuery('/interval', `must be one of which at most ${MOST_INTERVALS} are between since and until`)
    return {
      interval: span.interval,
      since: timestampOf(span.since),
      until: timestampOf(span.until),
      data: seriesOf(span, await messages.volume(span, from, signal))
    }
  })
}

export default stats
