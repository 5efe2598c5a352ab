import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'

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
  // In the order in which they came.
  const open = new Map<FastifyRequest, number>()
  app.addHook('onRequest', (request, _reply, done) => {
    open.set(request, performance.now())
    done()
  })
  app.onCompletion(({ request }) => { open.delete(request) })

  const timer = setInterval(() => {
    const latest = performance.now() - limit
    for (const [request, begun] of open) {
      if (begun > latest) return
      request.raw.socket.destroy()
    }
  }, interval).unref()
  app.addHook('onClose', async () => { clearInterval(timer) })
}, { name: 'deadline', dependencies: ['completion'] })
