import fp from 'fastify-plugin'

export interface DeadlineOptions {
  /** How long a request may take, from its headers to the last byte of its answer, in ms. */
  readonly limit?: number
  /** How often that is looked at, in ms. */
  readonly interval?: number
}

const LIMIT = 60_000
const INTERVAL = 5000

/**
 * Cuts off clients that do not read their answer, or too slowly. A socket's own timeout does not: whatever the client sends
 * meanwhile begins it anew.
 */
export default fp<DeadlineOptions>(async (app, { limit = LIMIT, interval = INTERVAL }) => {
  const timer = setInterval(() => {
    for (const [socket, reply] of app.connections) {
      if (reply !== undefined && !reply.raw.writableFinished && reply.elapsedTime > limit) socket.destroy()
    }
  }, interval).unref()
  app.addHook('onClose', async () => { clearInterval(timer) })
}, { name: 'deadline', dependencies: ['connections'] })
