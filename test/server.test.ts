import { lookup } from 'node:dns/promises'
import { createServer, connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { SECRET, message } from './helper.ts'
import { COVERED, SERVER, ask, deliverTo, run, serve } from './process.ts'

t.test('a whole session is JSON lines on standard output and silence on standard error', async t => {
  const service = await serve(t, t.testdir(), { LOG_LEVEL: 'trace' }, COVERED)
  t.equal((await deliverTo(service.url, message())).status, 200)
  t.equal((await deliverTo(service.url, message())).status, 200)
  t.equal((await deliverTo(service.url, message(), 'wrong')).status, 401)
  t.equal((await deliverTo(service.url, message({ ts: 'never' }))).status, 422)
  for (const [path, status] of [
    ['/messages', 200], ['/messages?limit=x', 422], ['/messages/m1', 200], ['/nowhere', 404], ['/stats', 200], ['/metrics', 200],
    ['/openapi.json', 200], ['/docs/', 200], ['/health/live', 200], ['/health/ready', 200]
  ] as const) t.equal((await ask(service.url + path)).status, status, path)
  const socket = connect(service.port, '127.0.0.1')
  socket.write('banana\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1.1 400/)

  const { code, stderr } = await service.end('SIGTERM')
  t.equal(code, 0)
  t.equal(stderr, '')
  for (const line of service.stdout) t.match(JSON.parse(line), { ts: /^\d{4}-.*Z$/, level: /^[a-z]+$/ }, line)
  const requests = service.stdout.map(line => JSON.parse(line)).filter(line => 'method' in line)
  t.equal(requests.length, 14)
  t.notMatch(service.stdout.join('\n'), /testsecret|\+91|Hello/)
})

t.test('it listens on HOST and PORT', async t => {
  const { url, port, end } = await serve(t, t.testdir(), { HOST: '127.0.0.2' })
  t.equal(url, `http://127.0.0.2:${port}`)
  t.equal((await ask(`${url}/health/live`)).status, 200)
  await t.rejects(ask(`http://127.0.0.1:${port}/health/live`), { code: 'ECONNREFUSED' })
  await end('SIGTERM')

  const again = await serve(t, t.testdir(), { PORT: String(port) })
  t.equal(again.url, `http://127.0.0.1:${port}`)
  await again.end('SIGTERM')
})

t.test('localhost is one address, so that every connection is within the limits', async t => {
  const { url, port, stdout, end } = await serve(t, t.testdir(), { HOST: 'localhost' })
  const { address, family } = await lookup('localhost')
  t.equal(url, `http://${family === 6 ? `[${address}]` : address}:${port}`)
  t.equal((await ask(`${url}/health/live`)).status, 200)
  t.equal(stdout.filter(line => line.includes('Server listening at')).length, 1)
  await end('SIGTERM')
})

t.test('the database is where DATABASE_URL says, and its messages are there after a restart', async t => {
  const cwd = t.testdir()
  for (const env of [{}, { DATABASE_URL: `sqlite:///${join(cwd, 'elsewhere', 'x.db')}` }]) {
    const first = await serve(t, cwd, env)
    t.equal(JSON.parse((await ask(`${first.url}/messages`)).body).total, 0)
    t.equal((await deliverTo(first.url, message())).status, 200)
    t.equal((await first.end('SIGTERM')).code, 0)
    const second = await serve(t, cwd, env)
    t.strictSame(JSON.parse((await ask(`${second.url}/messages`)).body).data, [message()])
    t.equal((await deliverTo(second.url, message({ text: 'other' }))).status, 200)
    t.equal(JSON.parse((await ask(`${second.url}/stats`)).body).total_messages, 1)
    t.equal((await second.end('SIGTERM')).code, 0)
  }
})

t.test('on HOST and PORT that it cannot listen on it does not start, and says so in one line', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  for (const [env, execArgv, reason] of [[{ PORT: `${port}` }, COVERED, /EADDRINUSE/], [{ HOST: '192.0.2.1', PORT: '0' }, [], /EADDRNOTAVAIL/]] as const) {
    const { code, stdout, stderr } = await run(t, SERVER, t.testdir(), { env: { WEBHOOK_SECRET: SECRET, ...env }, execArgv })
    t.equal(code, 1)
    t.equal(stderr, '')
    t.match(stdout, /^[^\n]+\n$/, 'one line')
    const line = JSON.parse(stdout)
    t.match(line, { level: 'fatal', msg: /^HOST and PORT must be an address to listen on that is free: / })
    t.match(line.msg, reason)
  }
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.destroy()
  t.ok(taken.listening, 'who listens there goes on')
})
