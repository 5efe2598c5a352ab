import { connect } from 'node:net'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { sign } from '../src/signature/hmac.ts'
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
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
  t.equal(JSON.parse(service.stdout.at(-1) ?? '').msg, 'stopped')
})
