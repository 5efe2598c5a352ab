import fp from 'fastify-plugin'
import type { MessageStore } from '../src/storage/message-store.ts'
import { openMessageStore, type ServerOptions } from '../src/storage/open.ts'

declare module 'fastify' {
  interface FastifyInstance {
    messages: MessageStore
  }
}

export interface DbOptions extends ServerOptions {
  readonly url: string
}

/** `app.messages`: opened before the first request is taken, closed when the last one is answered. */
export default fp<DbOptions>(async (app, { url, ...options }) => {
  const messages = await openMessageStore(url, app.storeObserver, options)
  app.decorate('messages', messages)
  app.addHook('onClose', () => messages.close())
}, { name: 'db', dependencies: ['metrics'] })
