import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyReply } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every open connection, with the answer to its latest request; undefined before the first. */
    connections: ReadonlyMap<Socket, FastifyReply | undefined>
  }
}

/** Knows what each connection is at. It costs a request next to nothing: an entry lives as long as its connection. */
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
}, { name: 'connections' })
