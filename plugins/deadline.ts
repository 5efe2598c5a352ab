import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the answers of this route may take any time, as long as the client takes some of it again and again. */
    isStream?: boolean
    /** Whether the answers of this route may be minutes in coming. */
    isLong?: boolean
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
 * taken all, but some; and where nothing moves for a while, between two steps of the system's or before a long answer, a socket's
 * own timeout would cut what is meant to go on: it is lifted for as long as such an answer is due.
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
      else if (now - before.since > (isStream ? streamLimit : limit)) {
        if (reply !== undefined) reply.request.failure = new Error(isStream ? 'the client took nothing more' : 'the client did not take its answer in time')
        socket.destroy()
      }
    }
  }, interval).unref()
  app.addHook('onClose', async () => { clearInterval(timer) })

  /** How many long answers each connection waits for: a client may send several requests at once. */
  const long = new WeakMap<Socket, number>()
  app.addHook('onRequest', ({ raw: { socket }, routeOptions: { config } }, reply, done) => {
    // What `inject` sends comes by no connection.
    if ((config.isStream === true || config.isLong === true) && app.connections.has(socket)) {
      long.set(socket, (long.get(socket) ?? 0) + 1)
      socket.setTimeout(0)
      reply.raw.once('close', () => {
        const left = (long.get(socket) ?? 1) - 1
        long.set(socket, left)
        // Where no other request waits, Node.js has set that of an idle connection by now.
        if (left === 0 && socket.timeout === 0) socket.setTimeout(app.server.timeout)
      })
    }
    done()
  })
}, { name: 'deadline', dependencies: ['connections', 'errors'] })
