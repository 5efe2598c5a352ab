import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import completion from '../../plugins/completion.ts'
import connections from '../../plugins/connections.ts'
import deadline, { type DeadlineOptions } from '../../plugins/deadline.ts'
import errors from '../../plugins/errors.ts'
import { malformedRequests } from '../../plugins/malformed.ts'
import validation from '../../plugins/validation.ts'
import { listen } from '../helper.ts'
import { exchange, open } from '../wire.ts'

/** With the server's own limits as production has them, but for how long a connection may be silent, in ms. */
async function buildWith (t: Test, options: DeadlineOptions, silence: number): Promise<{ app: FastifyInstance, failures: (string | undefined)[] }> {
  const app = Fastify({ ...malformedRequests, connectionTimeout: silence })
  t.teardown(() => app.close())
  for (const plugin of [validation, errors, completion, connections]) await app.register(plugin)
  await app.register(deadline, options)
  const failures: (string | undefined)[] = []
  app.onCompletion(({ request }) => { failures.push(request.failure?.message) })
  return { app, failures }
}

t.test('a client that does not read its answer is cut off, whatever it sends; others are not', { timeout: 30_000 }, async t => {
  const { app, failures } = await buildWith(t, { limit: 500, interval: 50 }, 60_000)
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
  t.ok(failures.includes('the client did not take its answer in time'), 'and the log can say so')
})

t.test('a client that takes a stream slowly is not cut off; one that stops taking it is', { timeout: 30_000 }, async t => {
  const { app, failures } = await buildWith(t, { limit: 200, streamLimit: 1000, interval: 50 }, 300)
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
  for (const begun = performance.now(); performance.now() < begun + 2200;) {
    // At first nothing, for longer than a connection may be silent.
    await delay(seen === 0 ? 600 : 10)
    // What has arrived, and never all that there is.
    seen += client.read()?.length ?? 0
  }
  t.ok(seen > 1024 * 1024, `${seen} bytes`)
  if (!t.equal(socket?.destroyed, false, 'long behind both limits')) return
  const cutOff = socket && once(socket, 'close')
  await cutOff
  t.equal(socket?.destroyed, true)
  t.strictSame(failures, ['the client took nothing more'])
})

for (const kind of ['isStream', 'isLong']) {
  t.test(`the server does not hang up before an answer that may be long in coming, and does so again once it is over (${kind})`, async t => {
    const { app } = await buildWith(t, {}, 150)
    app.get('/long', { config: { [kind]: true } }, async () => delay(400, 'answered'))
    app.get('/never', async () => new Promise(() => {}))
    const { port } = await listen(app)
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

    const begun = performance.now()
    const [answers, hungUp] = await Promise.all([exchange(port, get('/long') + get('/never')), exchange(port, get('/never'))])
    t.match(answers, [{ status: 200, body: 'answered' }])
    t.equal(answers.length, 1)
    t.strictSame(hungUp, [])
    t.ok(performance.now() - begun < 5000)

    const kept = await open(port)
    kept.write(get('/long'))
    await once(kept, 'data')
    const [server] = [...app.connections.keys()]
    t.ok((server?.timeout ?? 0) > 60_000, 'an idle connection is kept as long as any')
    kept.write(get('/never'))
    await once(kept, 'close')
  })
}
