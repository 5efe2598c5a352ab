import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { sign } from '../src/signature/hmac-sha256.ts'
import { SECRET, message } from './helper.ts'
import { COVERED, ask, deliverTo, serve } from './process.ts'

/** Opens a connection and sends a delivery but for its last byte: a request in flight. */
async function begun (port: number): Promise<{ finish (): Promise<string> }> {
  const body = JSON.stringify(message())
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  // Answered before the rest of the request: the server has read this far.
  socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  socket.write(
    `POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Signature: ${sign(Buffer.from(body), SECRET)}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`
  )
  return {
    finish () {
      socket.write(body.slice(-1))
      return text(socket)
    }
  }
}

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

t.test('after SIGTERM it says that it is not ready, still takes connections, and ends within two seconds', async t => {
  const service = await serve(t, t.testdir())
  t.equal((await ask(`${service.url}/health/ready`)).status, 200)
  const begin = performance.now()
  service.child.kill('SIGTERM')
  t.match(await service.logged('shutting down'), { signal: 'SIGTERM' })
  const { status, body } = await ask(`${service.url}/health/ready`)
  t.equal(status, 503)
  t.strictSame(JSON.parse(body), { detail: 'not ready: the process is shutting down' })
  t.equal((await ask(`${service.url}/health/live`)).status, 200)
  t.equal((await deliverTo(service.url, message())).status, 200, 'a late delivery is stored')

  t.strictSame(await service.exited, { code: 0, signal: null, stderr: '' })
  t.ok(performance.now() - begin < 2000)
  t.equal(JSON.parse(service.stdout.at(-1) ?? '').msg, 'stopped')
})

t.test('SIGINT ends it at once and in order', async t => {
  const service = await serve(t, t.testdir(), { SHUTDOWN_DELAY: '60000' }, COVERED)
  t.equal((await deliverTo(service.url, message())).status, 200)
  t.strictSame(await service.end('SIGINT'), { code: 0, signal: null, stderr: '' })
})

t.test('a second signal ends it at once', async t => {
  for (const [first, second] of [['SIGTERM', 'SIGTERM'], ['SIGTERM', 'SIGINT']] as const) {
    const service = await serve(t, t.testdir(), { SHUTDOWN_DELAY: '8000' })
    service.child.kill(first)
    await service.logged('shutting down')
    const begin = performance.now()
    const { code, stderr } = await service.end(second)
    t.equal(code, 1)
    t.equal(stderr, '')
    t.ok(performance.now() - begin < 2000)
  }
})

t.test('a request in flight at SIGTERM is answered', async t => {
  const cwd = t.testdir()
  const service = await serve(t, cwd, { SHUTDOWN_DELAY: '0' })
  const { finish } = await begun(service.port)
  service.child.kill('SIGTERM')
  await service.logged('shutting down')
  t.match(await finish(), /200 OK.*\{"status":"ok"\}$/s)
  t.strictSame(await service.exited, { code: 0, signal: null, stderr: '' })

  const again = await serve(t, cwd)
  t.strictSame(JSON.parse((await ask(`${again.url}/messages`)).body).data, [message()])
  await again.end('SIGTERM')
})

t.test('idle connections do not hold the end up', async t => {
  const service = await serve(t, t.testdir(), { SHUTDOWN_DELAY: '0' })
  const socket = connect(service.port, '127.0.0.1')
  socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  const begin = performance.now()
  t.equal((await service.end('SIGTERM')).code, 0)
  t.ok(performance.now() - begin < 2000)
})

t.test('a request that never ends is cut off, and the end is in order', async t => {
  const service = await serve(t, t.testdir(), { SHUTDOWN_DELAY: '0' }, COVERED)
  await begun(service.port)
  const begin = performance.now()
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
  t.ok(performance.now() - begin < 9000)
  t.equal(JSON.parse(service.stdout.at(-1) ?? '').msg, 'stopped')
})
