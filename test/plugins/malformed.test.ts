/** What Node.js and Fastify would answer by themselves keeps the promises about errors, ids and logs. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Completion } from '../../plugins/completion.ts'
import { buildApp, deliver, get, listen, message, rowsStored, type TestApp } from '../helper.ts'
import { chunk, exchange, head, open, post, signed, type Answer } from '../wire.ts'

/** Checks the shape of an error and that exactly one log line has its id. */
function promised (t: Test, { lines }: TestApp, answer: Answer | undefined, status: number, detail: string): void {
  t.equal(answer?.status, status)
  t.equal(answer?.body, JSON.stringify({ detail }))
  t.match(answer?.headers, { 'content-type': /^application\/json/, 'x-request-id': /^[\w-]{36}$/, connection: 'close', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  t.strictSame(lines.filter(line => line['request_id'] === answer?.headers['x-request-id']).map(line => line['status']), [status])
}

t.test('bytes that are no HTTP request are 400', async t => {
  const service = await buildApp(t)
  const { port } = await listen(service.app)
  const requests = [
    'garbage\r\n\r\n', '\0\0\0\0', 'GET /messages HTTP/9.9\r\n\r\n', 'get /messages HTTP/1.1\r\n\r\n', 'FETCH / HTTP/1.1\r\n\r\n',
    'GET /messages HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 'GET /messages HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n', head('Content-Length: x'),
    head('Content-Length: -1'), head('Content-Length: 1', 'Content-Length: 2'), head('Content-Length: 1', 'Transfer-Encoding: chunked'),
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET /m\u00e9 x HTTP/1.1\r\nHost: x\r\n\r\n'
  ]
  for (const request of requests) {
    const answers = await exchange(port, request)
    t.equal(answers.length, 1)
    promised(t, service, answers[0], 400, 'bad request')
  }
  t.equal(service.requestLines().length, requests.length)
  t.equal((await get(service.app, '/messages')).status, 200)
})

t.test('the log line of bytes that are no request says so, and nothing of the bytes', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  await exchange(port, 'X-Signature: +919876543210\r\n\r\n')
  const [{ ts, request_id: id, ...line } = {}] = requestLines()
  t.match([ts, id], [/Z$/, /^[\w-]{36}$/])
  t.strictSame(line, { level: 'info', status: 400, error: 'HPE_INVALID_METHOD', msg: 'malformed request' })
})

t.test('headers that are too large are 431', async t => {
  const service = await buildApp(t)
  const { port } = await listen(service.app)
  for (const request of [`GET /messages HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, `GET /messages?q=${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`]) {
    const [answer] = await exchange(port, request)
    promised(t, service, answer, 431, 'request header fields too large')
  }
})

t.test('HTTP/1.1 without Host is 400, HTTP/1.0 does not need it', async t => {
  const service = await buildApp(t)
  const { port } = await listen(service.app)
  for (const request of ['GET /stats HTTP/1.1\r\nConnection: close\r\n\r\n', 'POST /webhook HTTP/1.1\r\nConnection: close\r\n\r\n']) {
    const [answer] = await exchange(port, request)
    promised(t, service, answer, 400, 'the Host header is missing')
  }
  t.match(service.requestLines()[1], { path: '/webhook', dup: false, result: 'validation_error' })
  t.match(await exchange(port, 'GET /stats HTTP/1.0\r\n\r\n'), [{ status: 200 }])
})

t.test('an expectation that is not known is ignored', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  const answers = await exchange(port, 'GET /stats HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nConnection: close\r\n\r\n')
  t.match(answers, [{ status: 200, headers: { 'x-request-id': /./ } }])
  t.match(requestLines(), [{ path: '/stats', status: 200 }])
})

t.test('a body that breaks off in bad framing is 400 under the id of its request, in one log line', async t => {
  const service = await buildApp(t)
  const { port } = await listen(service.app)
  const body = Buffer.from(JSON.stringify(message()))
  const [answer] = await exchange(port, head(...signed(body), 'Transfer-Encoding: chunked', 'X-Request-Id: aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa'), chunk(body), 'zz\r\n')
  promised(t, service, answer, 400, 'bad request')
  t.equal(answer?.headers['x-request-id'], 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa')
  t.match(service.requestLines(), [{ method: 'POST', path: '/webhook', status: 400, result: 'validation_error' }])
  t.match((await get(service.app, '/stats')).body, { total_messages: 0 })
})

t.test('bad framing of a client that leaves at once is one log line too', async t => {
  const { app, lines } = await buildApp(t)
  const { port } = await listen(app)
  const ended = new Promise<Completion>(resolve => app.onCompletion(resolve))
  const begun = once(app.server, 'request')
  const socket = await open(port)
  socket.write(head('Transfer-Encoding: chunked'))
  await begun
  socket.write('zz\r\n', () => socket.resetAndDestroy())
  await ended
  await app.close()
  t.match(lines.filter(({ msg }) => msg === undefined || !/listening/.test(String(msg))), [{ path: '/webhook', result: 'validation_error' }])
  t.equal(lines.length, 2)
})

t.test('a body that breaks off after its answer ends the connection and logs nothing more', async t => {
  const { app, requestLines } = await buildApp(t, { BODY_LIMIT: '10' })
  const { port } = await listen(app)
  const socket = await open(port)
  // More than 64 times the limit is answered at once.
  socket.write(Buffer.concat([Buffer.from(head('Transfer-Encoding: chunked')), chunk('x'.repeat(700))]))
  const [answer] = await once(socket.setEncoding('latin1'), 'data')
  t.match(answer, /^HTTP\/1\.1 413 /)
  const ended = once(socket, 'close')
  socket.write('zz\r\n')
  await ended
  t.match(requestLines(), [{ status: 413 }])
  t.equal(requestLines().length, 1)
})

t.test('bad framing of a body that nobody reads takes no answer away, and ends the connection', async t => {
  const { app, lines, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  const paths = ['/messages?from=%2B1&q=secret', '/export', '/stats', '/nowhere']
  for (const path of paths) {
    const [answer, ...more] = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, 'zz\r\n')
    t.equal(answer?.status, path === '/nowhere' ? 404 : 200, path)
    t.strictSame(more, [])
  }
  t.match(requestLines().map(({ path }) => path), paths.map(path => path.split('?')[0]))
  t.notMatch(JSON.stringify(lines), /secret/)
})

t.test('bad framing behind an answer that has begun ends the connection, and nothing else', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  const socket = await open(port)
  socket.write('GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  await once(socket, 'data')
  socket.pause().write('Z\r\n')
  await once(socket.resume(), 'close')
  t.match((await get(app, '/health/live')).body, { status: 'alive' })
  t.match(requestLines()[0], { path: '/docs/static/swagger-ui-bundle.js', status: 200 })
})

t.test('a body that breaks off beyond the limit, before its answer, is 400', async t => {
  const service = await buildApp(t, { BODY_LIMIT: '10' })
  const { port } = await listen(service.app)
  const [answer, ...more] = await exchange(port, head('Transfer-Encoding: chunked'), chunk('x'.repeat(11)), 'zz\r\n')
  promised(t, service, answer, 400, 'bad request')
  t.strictSame(more, [])
  t.equal(service.requestLines().length, 1)
})

for (const [code, status, detail] of [['ERR_HTTP_REQUEST_TIMEOUT', 408, 'request timeout'], [undefined, 400, 'bad request']] as const) {
  t.test(`a body that Node.js gives up on, with ${code ?? 'no code'}, is ${status} under the id of its request`, async t => {
    const service = await buildApp(t)
    const { port } = await listen(service.app)
    const begun = once(service.app.server, 'request')
    const connected: Promise<Socket[]> = once(service.app.server, 'connection')
    const received = exchange(port, head('Content-Length: 100'), 'x')
    await begun
    const [socket] = await connected
    // What Node.js does when requestTimeout is over; its clock ticks every 30 s.
    service.app.server.emit('clientError', Object.assign(new Error(), { code }), socket)
    const [answer] = await received
    promised(t, service, answer, status, detail)
    t.equal(service.requestLines().length, 1)
  })
}

t.test('a client that leaves without a word, or in its headers, gets no answer and does no harm', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  for (const bytes of ['', 'GET /messages HT']) {
    const connected: Promise<Socket[]> = once(app.server, 'connection')
    const client = await open(port)
    const [socket] = await connected
    const closed = socket && once(socket, 'close').catch(() => {})
    client.write(bytes, () => client.resetAndDestroy())
    await closed
  }
  t.strictSame(requestLines(), [])
  t.equal((await get(app, '/messages')).status, 200)
})

t.test('a path that cannot be decoded is 404, and is logged as it came', async t => {
  const { app, requestLines } = await buildApp(t)
  for (const path of ['/%', '/messages/%FF', '/messages/%zz', '/%E0%A4%A']) {
    const { statusCode, body } = await app.inject(`${path}?from=+91`)
    t.equal(statusCode, 404)
    t.equal(body, '{"detail":"not found"}')
    t.equal(requestLines().at(-1)?.['path'], path)
  }
  t.equal((await get(app, '/messages?q=%')).status, 200, 'what follows the ? may be anything')
})

t.test('a target that is no path is 404, an absolute one is its path', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  const nowhere = ['*', 'http://', 'http:///stats', 'http://x', 'http://x?/stats', 'http://x/stats#y', 'http://[/stats', 'ftp://x/stats', 'http://x/%']
  for (const target of [...nowhere, 'http://x/stats', 'HTTPS://user:password@elsewhere:1/stats?from=%', 'http://x/%73tats']) {
    const answers = await exchange(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    const right = nowhere.includes(target) ? { status: 404, body: '{"detail":"not found"}' } : { status: 200 }
    t.match(answers, [{ ...right, headers: { 'x-request-id': requestLines().at(-1)?.['request_id'] } }], target)
  }
  t.equal(requestLines().length, nowhere.length + 3)
  t.match(requestLines().at(-2), { path: '/stats' }, 'the log has neither host nor password')
})

t.test('CONNECT is answered like any other method that no route knows', async t => {
  const service = await buildApp(t)
  const { port } = await listen(service.app)
  for (const target of ['x:80', '/stats']) {
    const [answer, ...more] = await exchange(port, `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\nGET /stats HTTP/1.1\r\n\r\n`)
    promised(t, service, answer, 404, 'not found')
    t.strictSame(more, [])
  }
  t.match(service.requestLines(), [{ method: 'CONNECT', status: 404 }, { method: 'CONNECT', status: 404 }])
})

t.test('a tunnel that breaks does no harm', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  const connected: Promise<[unknown, Socket]> = once(app.server, 'connect') as never
  const client = await open(port)
  client.write('CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n')
  const [, socket] = await connected
  const ended = new Promise(resolve => socket.once('close', resolve))
  socket.destroy(new Error('the network is down'))
  await ended
  t.match(requestLines(), [{ method: 'CONNECT' }])
  t.equal((await get(app, '/messages')).status, 200)
})

t.test('bytes that are no request do not take the answers of those before them', async t => {
  const service = await buildApp(t)
  const { port } = await listen(service.app)
  const deliveries = ['m1', 'm2', 'm3'].map(id => post(JSON.stringify(message({ message_id: id }))))
  const answers = await exchange(port, Buffer.concat([...deliveries, Buffer.from('garbage\r\n\r\n')]), 'and more\r\n')
  t.match(answers, [{ status: 200 }, { status: 200 }, { status: 200 }, { status: 400 }])
  promised(t, service, answers[3], 400, 'bad request')
  t.equal(service.requestLines().length, 4)
  t.equal(await rowsStored(t), 3)
})

t.test('bytes behind the last request of a connection do not take its answer', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const answers = await exchange(port, Buffer.concat([post(JSON.stringify(message()), 'Connection: close'), Buffer.from('x')]))
  t.match(answers, [{ status: 200, body: '{"status":"ok"}' }])
  t.equal(answers.length, 1)
})

t.test('the time that clients may take is limited', async t => {
  const { app } = await buildApp(t)
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = app.server
  t.strictSame({ headersTimeout, requestTimeout, timeout, keepAliveTimeout }, {
    headersTimeout: 15_000, requestTimeout: 30_000, timeout: 30_000, keepAliveTimeout: 72_000
  })
})

/** Long enough for one turn of the check, which comes once a second. */
const SHORT = 200

t.test('headers and bodies that come too slowly, and connections without a word, are 408', async t => {
  const service = await buildApp(t)
  const { app } = service
  app.server.headersTimeout = app.server.requestTimeout = SHORT
  const { port } = await listen(app)
  const body = Buffer.from(JSON.stringify(message()))
  const starts = ['', 'GET /messages HTTP/1.1\r\nHo', head(...signed(body), `Content-Length: ${body.length}`) + body.toString().slice(0, 10)]
  for (const [answer, ...more] of await Promise.all(starts.map(start => exchange(port, start)))) {
    promised(t, service, answer, 408, 'request timeout')
    t.strictSame(more, [])
  }
  t.match((await get(app, '/stats')).body, { total_messages: 0 })
})

t.test('a client that does not read its answers is cut off', async t => {
  const { app } = await buildApp(t)
  app.server.timeout = SHORT
  await deliver(t, app, ...Array.from({ length: 100 }, (_, index) => message({ message_id: `m${index}`, text: 'x'.repeat(4096) })))
  const { port } = await listen(app)
  const connected: Promise<Socket[]> = once(app.server, 'connection')
  const client = await open(port)
  client.on('error', () => {})
  t.teardown(() => client.destroy())
  const [socket] = await connected
  // Far more than the buffers between the two hold.
  client.pause().write('GET /messages?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50))
  if (socket !== undefined) await once(socket, 'close')
  t.equal(socket?.destroyed, true)
})
