import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the answers of this route may take any time, as long as the client takes some of it again and again. */
    isStream?: boolean
  }
}

export interface DeadlineOptions {
  /** How long a client may leave a part of what it was answered unread, in ms. */
  readonly limit?: number
  /** The same for a stream: how long it may take nothing of it. The system takes some MB on its behalf, and says so in large steps. */
  readonly streamLimit?: number
  /** How often that is looked at, in ms. */
  readonly interval?: number
}

const LIMIT = 60_000
const STREAM_LIMIT = 300_000
const INTERVAL = 5000

/**
 * Cuts off clients that do not read their answers, or too slowly. A socket's own timeout does not: whatever the client sends
 * meanwhile begins it anew, and so would the next of several requests that it sent at once. Of a stream the client need not have
 * taken all, but some.
 */
export default fp<DeadlineOptions>(async (app, { limit = LIMIT, streamLimit = STREAM_LIMIT, interval = INTERVAL }) => {
  /** Since when there is something that the client has not taken, and how much it had taken then. */
  const behind = new WeakMap<Socket, { since: number, taken: number }>()

  const timer = setInterval(() => {
    const now = performance.now()
    for (const [socket, reply] of app.connections) {
      const { bytesWritten, writableLength } = socket
      const taken = bytesWritten - writableLength
      const before = behind.get(socket)
      const isStream = reply?.routeOptions.config.isStream === true
      if (writableLength === 0) behind.delete(socket)
      else if (before === undefined || (isStream && taken > before.taken)) behind.set(socket, { since: now, taken })
      else if (now - before.since > (isStream ? streamLimit : limit)) socket.destroy()
    }
  }, interval).unref()
  app.addHook('onClose', async () => { clearInterval(timer) })
}, { name: 'deadline', dependencies: ['connections'] })
