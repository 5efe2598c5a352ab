import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import completion from '../../plugins/completion.ts'
import connections from '../../plugins/connections.ts'
import deadline from '../../plugins/deadline.ts'
import { listen } from '../helper.ts'
import { exchange, open } from '../wire.ts'

t.test('a client that does not read its answer is cut off, whatever it sends; others are not', { timeout: 30_000 }, async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(completion)
  await app.register(connections)
  await app.register(deadline, { limit: 500, interval: 50 })
  app.get('/large', async () => Buffer.alloc(32 * 1024 * 1024))
  app.get('/small', async () => delay(100, 'answered'))
  const { port } = await listen(app)

  const connected: Promise<Socket[]> = once(app.server, 'connection')
  const client = await open(port)
  const [socket] = await connected
  client.on('error', () => {}).pause().write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  // More requests, which wait for the answer to the first.
  const talk = setInterval(() => client.write('GET /small HTTP/1.1\r\nHost: x\r\n\r\n'), 50)
  t.teardown(() => {
    clearInterval(talk)
    client.destroy()
  })
  const cutOff = socket && once(socket, 'close')
  t.match(await exchange(port, 'GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), [{ status: 200, body: 'answered' }])
  await cutOff
  t.equal(socket?.destroyed, true)
})

t.test('a client that takes a stream slowly is not cut off; one that stops taking it is', { timeout: 30_000 }, async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(completion)
  await app.register(connections)
  await app.register(deadline, { limit: 200, streamLimit: 1000, interval: 50 })
  app.get('/stream', { config: { isStream: true } }, async (_request, reply) => reply.send(Readable.from((function * () {
    for (;;) yield Buffer.alloc(64 * 1024)
  })(), { objectMode: false })))
  const { port } = await listen(app)

  const connected: Promise<Socket[]> = once(app.server, 'connection')
  const client = await open(port)
  const [socket] = await connected
  t.teardown(() => client.destroy())
  client.on('error', () => {}).pause().write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n')
  let seen = 0
  for (const begun = performance.now(); performance.now() < begun + 3000;) {
    await delay(10)
    // What has arrived, and never all that there is.
    seen += client.read()?.length ?? 0
  }
  t.ok(seen > 1024 * 1024, `${seen} bytes`)
  t.equal(socket?.destroyed, false, 'long behind both limits')
  const cutOff = socket && once(socket, 'close')
  await cutOff
  t.equal(socket?.destroyed, true)
})
