import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyReply } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every open connection, with the answer to its latest request; undefined where that is over. */
    connections: ReadonlyMap<Socket, FastifyReply | undefined>
  }
}

/**
 * Knows what each connection is at. It costs a request next to nothing: an entry lives as long as its connection. What is over is
 * let go of: an idle connection would else keep its last request in memory, body and all.
 */
export default fp(async app => {
  const latest = new Map<Socket, FastifyReply | undefined>()
  app.decorate('connections', latest)

  app.server.on('connection', (socket: Socket) => {
    latest.set(socket, undefined)
    socket.once('close', () => { latest.delete(socket) })
  })
  app.addHook('onRequest', ({ raw: { socket } }, reply, done) => {
    // What `inject` sends comes by no connection.
    if (latest.has(socket)) latest.set(socket, reply)
    done()
  })
  app.onCompletion(({ request }) => {
    const { socket, complete } = request.raw
    // Of a request that was answered early, the rest may be arriving still.
    if (complete && latest.get(socket)?.request === request) latest.set(socket, undefined)
  })
}, { name: 'connections', dependencies: ['completion'] })
