import fp from 'fastify-plugin'
import { Feed, type FeedOptions } from '../src/feed/feed.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly feed: Feed
  }
}

/** `app.feed`: told of every commit, and ended before the last request is waited for. Before the db, whose commits it hears of. */
export default fp<FeedOptions>(async (app, options) => {
  let feed: Feed | undefined
  let closing = false
  const observer = app.storeObserver
  app.storeObserver = {
    ...observer,
    committed (...commit) {
      observer.committed(...commit)
      feed?.wake()
    }
  }
  app.decorate('feed', {
    getter () {
      feed ??= new Feed(app.messages, options)
      if (closing) feed.close()
      return feed
    }
  })
  app.addHook('preClose', async () => {
    closing = true
    feed?.close()
  })
}, { name: 'feed', dependencies: ['metrics'] })
