import t, { type Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { buildApp, delivery, listen, message, SECRET, type LogLine } from '../helper.ts'
import { exchange, post } from '../wire.ts'
import { sign } from '../../src/signature/hmac.ts'

/** A line without what differs each time, which is checked here. */
function steady (t: Test, { ts, request_id: id, latency_ms: latency, ...line }: LogLine = {}): LogLine {
  t.match(ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.match(id, /^[\w-]{36}$/)
  t.type(latency, 'number')
  t.ok(Number(latency) >= 0)
  return line
}

t.test('a request that is no delivery is one line with exactly the promised fields', async t => {
  const { app, lines } = await buildApp(t)
  const info = { level: 'info', method: 'GET' }
  for (const [url, fields] of Object.entries({
    '/messages?from=+91&q=secret': { ...info, path: '/messages', status: 200 },
    '/messages?limit=x': { ...info, path: '/messages', status: 422 },
    '/messages/a%2Fb?x': { ...info, path: '/messages/a%2Fb', status: 404 },
    '/stats?': { ...info, path: '/stats', status: 200 },
    '/metrics': { ...info, path: '/metrics', status: 200 },
    '/health/live': { ...info, path: '/health/live', status: 200 },
    '/docs/static/swagger-ui.css': { ...info, path: '/docs/static/swagger-ui.css', status: 200 },
    '/nowhere?a=b?c': { ...info, path: '/nowhere', status: 404 }
  })) {
    const before = lines.length
    await app.inject(url)
    t.equal(lines.length, before + 1, url)
    t.strictSame(steady(t, lines.at(-1)), fields)
  }
})

t.test('a fragment is cut off like a query string, which the router takes it for', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  for (const rest of ['#from=+919876543210', '?from=+919876543210', '#?+919876543210', '?#+919876543210']) {
    await exchange(port, `GET /messages${rest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    t.equal(requestLines().at(-1)?.['path'], '/messages')
  }
})

t.test('a delivery is one line with exactly the promised fields, whatever became of it', async t => {
  const { app, lines } = await buildApp(t)
  const at = (level: string, status: number, fields: LogLine) => ({ level, method: 'POST', path: '/webhook', status, source: 'webhook', dup: false, ...fields })
  const refused = { message_id: 'm1', result: 'invalid_signature' }
  const cases: [InjectOptions, LogLine][] = [
    [delivery(message()), at('info', 200, { message_id: 'm1', result: 'created' })],
    [delivery(message({ text: 'other' })), at('info', 200, { message_id: 'm1', dup: true, result: 'duplicate' })],
    [delivery(message(), { 'x-signature': 'zz' }), at('error', 401, { ...refused, refusal: 'malformed' })],
    [delivery(message(), {}, 'wrong'), at('error', 401, { ...refused, refusal: 'mismatch' })],
    [{ method: 'POST', url: '/webhook?x=1', payload: message() }, at('error', 401, { ...refused, refusal: 'missing' })],
    [{ method: 'POST', url: '/webhook' }, at('error', 401, { result: 'invalid_signature', refusal: 'missing' })],
    [delivery('{', {}, 'wrong'), at('error', 401, { result: 'invalid_signature', refusal: 'mismatch' })],
    [delivery({ message_id: 5 }, {}, 'wrong'), at('error', 401, { result: 'invalid_signature', refusal: 'mismatch' })],
    [delivery(message(), { 'content-type': 'text/plain' }), at('info', 415, { message_id: 'm1', result: 'unsupported_type' })],
    [delivery(message({ from: '1' })), at('info', 422, { message_id: 'm1', result: 'validation_error' })],
    [delivery(message({ message_id: 'x'.repeat(601) })), at('info', 422, { message_id: 'x'.repeat(600), result: 'validation_error' })],
    [delivery('{"message_id":'), at('info', 422, { result: 'validation_error' })],
    [delivery('[{"message_id":"m1"}]'), at('info', 422, { result: 'validation_error' })],
    [delivery('null'), at('info', 422, { result: 'validation_error' })],
    [delivery('x'.repeat(1_048_577)), at('info', 413, { result: 'too_large' })],
    [delivery({ ...message(), text: 'x'.repeat(1_048_577) }), at('info', 413, { result: 'too_large', message_id: 'm1' })]
  ]
  for (const [request, expected] of cases) {
    const before = lines.length
    await app.inject(request)
    t.equal(lines.length, before + 1)
    t.strictSame(steady(t, lines.at(-1)), expected)
  }
})

t.test('a 5xx is one line at level error with what went wrong inside', async t => {
  const { app, lines } = await buildApp(t)
  await app.messages.close()
  await app.inject(delivery(message()))
  await app.inject('/stats')
  t.equal(lines.length, 2)
  const [first, second] = [steady(t, lines[0]), steady(t, lines[1])]
  t.strictSame(first, { level: 'error', method: 'POST', path: '/webhook', status: 503, source: 'webhook', message_id: 'm1', dup: false, result: 'unavailable', error: 'the store is closed' })
  t.strictSame(second, { level: 'error', method: 'GET', path: '/stats', status: 503, error: 'the store is closed' })
})

t.test('without a secret a delivery is one line at level error', async t => {
  const { app, lines } = await buildApp(t, { WEBHOOK_SECRET: undefined })
  for (const [request, id] of [[delivery(message()), { message_id: 'm1' }], [delivery('x'.repeat(1_048_577)), {}]] as const) {
    await app.inject(request)
    t.strictSame(steady(t, lines.at(-1)), {
      level: 'error', method: 'POST', path: '/webhook', status: 503, source: 'webhook', ...id, dup: false, result: 'unavailable', error: 'WEBHOOK_SECRET is not set'
    })
  }
  t.equal(lines.length, 2)
})

t.test('no line ever holds a secret, a signature, a phone number or a text', async t => {
  const { app, lines } = await buildApp(t, { WEBHOOK_SECRET: SECRET, WEBHOOK_SECRET_PREVIOUS: 'the-other-key', LOG_LEVEL: 'TRACE' })
  const { port } = await listen(app)
  const [from, to, text] = ['+919876543210', '+14155550100', 'attack at dawn']
  const valid = message({ from, to, text })
  const body = JSON.stringify(valid)
  const requests: (InjectOptions | string)[] = [
    delivery(valid), delivery(valid), delivery(valid, {}, 'the-other-key'), delivery(valid, {}, 'wrong'), delivery(valid, { 'content-type': 'text/plain' }),
    delivery(valid, { 'x-signature': `sha256=${sign(Buffer.from(body), SECRET)}` }), delivery({ ...valid, ts: text }), delivery({ ...valid, from: `${from} ${text}` }),
    delivery({ ...valid, text: text.repeat(400) }), delivery(body.slice(0, -1)), delivery(body + body), delivery(text.repeat(100_000)),
    `/messages?from=${from}&to=${to}&q=${encodeURIComponent(text)}`, `/messages?from=${from}&since=${from}`, `/nowhere?from=${from}`, '/stats', '/metrics'
  ]
  for (const request of requests) await app.inject(request)
  await exchange(port, post(body, 'Connection: close'), post(body))
  await exchange(port, `${from} ${text}\r\n\r\n`)
  await app.messages.close()
  for (const request of requests) await app.inject(request)

  const raw = lines.map(line => JSON.stringify(line)).join('\n')
  t.ok(lines.length > requests.length * 2)
  const signatures = [SECRET, 'the-other-key', 'wrong'].map(secret => sign(Buffer.from(body), secret))
  for (const private_ of [SECRET, 'the-other-key', '919876543210', '14155550100', 'attack', 'dawn', ...signatures]) t.notOk(raw.includes(private_), private_)
})

t.test('the level can hide lines and changes nothing else', async t => {
  const { app, lines } = await buildApp(t, { LOG_LEVEL: 'error' })
  await app.inject(delivery(message()))
  await app.inject(delivery(message(), { 'x-signature': '' }))
  t.match(lines, [{ level: 'error', status: 401 }])
  t.equal(lines.length, 1)
})
