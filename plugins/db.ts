import fp from 'fastify-plugin'
import type { MessageStore } from '../src/storage/message-store.ts'
import { openMessageStore } from '../src/storage/open.ts'

declare module 'fastify' {
  interface FastifyInstance {
    messages: MessageStore
  }
}

export interface DbOptions {
  readonly url: string
}

/** `app.messages`: opened before the first request is taken, closed when the last one is answered. */
export default fp<DbOptions>(async (app, { url }) => {
  const messages = await openMessageStore(url, app.storeObserver)
  app.decorate('messages', messages)
  app.addHook('onClose', () => messages.close())
}, { name: 'db', dependencies: ['metrics'] })
