import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

export interface DeadlineOptions {
  /** How long a client may leave a part of what it was answered unread, in ms. */
  readonly limit?: number
  /** How often that is looked at, in ms. */
  readonly interval?: number
}

const LIMIT = 60_000
const INTERVAL = 5000

/**
 * Cuts off clients that do not read their answers, or too slowly. A socket's own timeout does not: whatever the client sends
 * meanwhile begins it anew, and so would the next of several requests that it sent at once.
 */
export default fp<DeadlineOptions>(async (app, { limit = LIMIT, interval = INTERVAL }) => {
  /** Since when there is something that the client has not taken. */
  const behind = new WeakMap<Socket, number>()

  const timer = setInterval(() => {
    const now = performance.now()
    for (const socket of app.connections.keys()) {
      if (socket.writableLength === 0) behind.delete(socket)
      else if (!behind.has(socket)) behind.set(socket, now)
      else if (now - (behind.get(socket) as number) > limit) socket.destroy()
    }
  }, interval).unref()
  app.addHook('onClose', async () => { clearInterval(timer) })
}, { name: 'deadline', dependencies: ['connections'] })
