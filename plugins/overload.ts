import fp from 'fastify-plugin'
import { CommitPace } from '../src/storage/commit-pace.ts'
import { StoreUnavailable } from '../src/storage/errors.ts'
import { answerUnavailable } from './errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes every delivery in this scope that could be stored be refused while more saves wait than can be stored in time. */
    shedOverload (): void
  }
}

/** How long the saves that wait may take to be stored before no more are let in, in ms. */
const MAX_WAIT = 500

/** One for all: making an error, with its stack, for each would make refusing dearer. */
const OVERLOADED = new StoreUnavailable('more deliveries wait than can be stored in time')

/**
 * While the store has more to do than it can do in time, no more is given to it: 503 with `Retry-After`. What was let in is
 * then answered in time, however much comes. It comes last in the order of judgement: what is wrong with a delivery by itself
 * is told in an overload too, or its sender would send it again and again.
 */
export default fp(async root => {
  const pace = new CommitPace()
  const observer = root.storeObserver
  root.storeObserver = {
    ...observer,
    committed (saves, seconds, least = seconds) {
      observer.committed(saves, seconds, least)
      pace.committed(saves, least)
    }
  }

  root.decorate('shedOverload', function () {
    const { messages } = this
    this.addHook('preHandler', (request, reply, done) => {
      if (pace.timeFor(messages.queueDepth) <= MAX_WAIT) done()
      else answerUnavailable(request, reply, OVERLOADED)
    })
  })
}, { name: 'overload', dependencies: ['errors', 'metrics'] })
