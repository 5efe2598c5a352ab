import fp from 'fastify-plugin'
import { CommitPace } from '../src/storage/commit-pace.ts'
import { StoreUnavailable } from '../src/storage/message-store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes every request in this scope be refused at the door while more saves wait than can be stored in time. */
    shedOverload (): void
  }
}

/** How long the saves that wait may take to be stored before no more are let in, in ms. */
const MAX_WAIT = 500

/** One for all: making an error, with its stack, for each would make refusing dearer. */
const OVERLOADED = new StoreUnavailable('more deliveries wait than can be stored in time')

/**
 * While the store has more to do than it can do in time, deliveries are refused before they are read or verified: 503 with
 * `Retry-After`, at a third to a half of what a delivery costs. What was let in is then answered in time, however much comes.
 */
export default fp(async root => {
  const pace = new CommitPace()
  const observer = root.storeObserver
  root.storeObserver = {
    ...observer,
    committed (saves, seconds) {
      observer.committed(saves, seconds)
      pace.committed(saves, seconds)
    }
  }

  root.decorate('shedOverload', function () {
    const { messages } = this
    this.addHook('onRequest', (request, reply, done) => {
      if (pace.timeFor(messages.queueDepth) <= MAX_WAIT) return done()
      request.failure = OVERLOADED
      reply.code(503).header('retry-after', OVERLOADED.retryAfter).send({ detail: 'the service cannot do this now, try again' })
    })
  })
}, { name: 'overload', dependencies: ['errors', 'metrics'] })
