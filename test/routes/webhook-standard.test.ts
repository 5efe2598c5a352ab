/** POST /webhook/standard, signed by the library of Standard Webhooks. */
import t from 'tap'
import type { InjectOptions } from 'fastify'
import { Webhook } from 'standardwebhooks'
import { buildApp, get, listen, message, rowsStored } from '../helper.ts'
import { ask } from '../process.ts'

const [CURRENT, PREVIOUS] = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_b2xkZXIgc2VjcmV0IG9sZGVyIHNlY3JldA==']
const ENV = { STANDARD_WEBHOOKS_SECRET: `${CURRENT} ${PREVIOUS}` }
const REFUSED = '{"detail":"invalid signature"}'
const DATA = { from: '+919876543210', to: '+14155550100', text: 'Hello' }

interface Signing { readonly id?: string, readonly at?: number, readonly secret?: string, readonly prefix?: string, readonly headers?: Record<string, string> }

/** A delivery as a sender makes it, for `inject`. */
function signed (body: unknown, { id = 'msg_1', at = Date.now(), secret = CURRENT, prefix = 'webhook', headers = {} }: Signing = {}): InjectOptions {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    method: 'POST',
    url: '/webhook/standard',
    payload,
    headers: {
      'content-type': 'application/json',
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(Math.floor(at / 1000)),
      [`${prefix}-signature`]: new Webhook(secret).sign(id, new Date(at), payload),
      ...headers
    }
  }
}

t.test('without its secret there is no such path', async t => {
  const { app } = await buildApp(t)
  const { statusCode, body } = await app.inject(signed(message()))
  t.strictSame([statusCode, body], [404, '{"detail":"not found"}'])
  t.notMatch(Object.keys((await get<{ paths: object }>(app, '/openapi.json')).body.paths), ['/webhook/standard'])
})

t.test('a message is stored once, whether it is an event or by itself', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const event = { type: 'message.received', timestamp: '2025-01-15T15:30:00.5+05:30', data: DATA }
  for (const request of [
    signed(event), signed(event, { prefix: 'svix' }), signed({ ...event, timestamp: '2026-01-01T00:00:00Z' }, { secret: PREVIOUS }),
    signed(message({ message_id: 'm2', ts: '2025-01-15T11:00:00Z' }), { id: 'msg_2' }), signed({ data: message({ message_id: 'm3', ts: '2025-01-15T12:00:00Z' }) })
  ]) {
    const { statusCode, body } = await app.inject(request)
    t.strictSame([statusCode, body], [200, '{"status":"ok"}'])
  }
  t.strictSame((await get(app, '/messages')).body['data'], [
    { message_id: 'msg_1', ...DATA, ts: '2025-01-15T10:00:00.5Z' },
    message({ message_id: 'm2', ts: '2025-01-15T11:00:00Z' }),
    message({ message_id: 'm3', ts: '2025-01-15T12:00:00Z' })
  ])
  t.match((await get(app, '/messages/msg_1')).body, { source: 'standard', type: 'message.received', raw: event })
  t.match((await get(app, '/messages?source=standard&limit=1')).body, { total: 3, data: [{ message_id: 'msg_1' }] })
  const line = { level: 'info', path: '/webhook/standard', status: 200, source: 'standard', message_id: 'msg_1' }
  t.match(requestLines().slice(0, 3), [{ ...line, dup: false, result: 'created' }, { ...line, dup: true, result: 'duplicate' }, { ...line, dup: true, result: 'duplicate' }])
  t.match((await app.inject('/metrics')).body, /^webhook_verified_total\{source="standard",secret="previous"\} 1$/m)
})

t.test('without a moment of its own a message has that of its signature', async t => {
  const { app } = await buildApp(t, ENV)
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000
  t.equal((await app.inject(signed(DATA, { at }))).statusCode, 200)
  t.equal((await get(app, '/messages/msg_1')).body['ts'], new Date(at).toISOString().replace('.000Z', 'Z'))
})

t.test('what is not signed, or not now, is 401 with one and the same body, and the log says why', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const { headers: _, ...bare } = signed(DATA)
  const cases: [InjectOptions, string][] = [
    [bare, 'missing'], [signed(DATA, { headers: { 'webhook-id': '' } }), 'missing'], [signed(DATA, { headers: { 'webhook-signature': 'v1,banana' } }), 'malformed'],
    [signed(DATA, { headers: { 'webhook-timestamp': '1e9' } }), 'malformed'], [signed(DATA, { secret: 'whsec_b3RoZXIgc2VjcmV0IG90aGVyIHNlY3JldA==' }), 'mismatch'],
    [{ ...signed(DATA), payload: JSON.stringify({ ...DATA, text: 'forged' }) }, 'mismatch'], [signed(DATA, { headers: { 'webhook-id': 'msg_2' } }), 'mismatch'],
    [signed(DATA, { at: Date.now() - 302_000 }), 'too_old'], [signed(DATA, { at: Date.now() + 302_000 }), 'too_new'], [signed('{', { at: 0 }), 'too_old'],
    [{ method: 'POST', url: '/webhook/standard', headers: { 'content-type': '???' } }, 'missing']
  ]
  for (const [request, refusal] of cases) {
    const { statusCode, body } = await app.inject(request)
    t.strictSame([statusCode, body], [401, REFUSED], refusal)
    t.match(requestLines().at(-1), { level: 'error', path: '/webhook/standard', source: 'standard', dup: false, result: 'invalid_signature', refusal })
  }
  t.equal(await rowsStored(t), 0)
  const { body } = await app.inject('/metrics')
  for (const reason of ['missing', 'malformed', 'mismatch', 'too_old', 'too_new']) {
    t.match(body, `webhook_refused_total{source="standard",reason="${reason}"} ${cases.filter(([, refusal]) => refusal === reason).length}\n`)
  }
  t.match(body, `webhook_requests_total{result="invalid_signature"} ${cases.length}\n`)
})

t.test('a body is judged as on /webhook, in the same order', async t => {
  const { app } = await buildApp(t, { ...ENV, BODY_LIMIT: '1000' })
  const { headers: _, ...unsigned } = signed('x'.repeat(1001))
  t.equal((await app.inject(unsigned)).statusCode, 413)
  t.equal((await app.inject(signed('{', { headers: { 'content-type': 'text/plain' } }))).statusCode, 415)
  t.strictSame((await app.inject(signed('{'))).json(), { detail: 'body must be JSON', errors: [{ path: '', message: 'must be JSON' }] })
  await app.messages.close()
  t.equal((await app.inject(signed({}))).statusCode, 422)
  const { statusCode, headers } = await app.inject(signed(DATA))
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '1')
})

t.test('what breaks a rule is told where it stands', async t => {
  const { app } = await buildApp(t, ENV)
  const errors = async (body: unknown, signing?: Signing): Promise<unknown> => {
    const response = await app.inject(signed(body, signing))
    t.equal(response.statusCode, 422, JSON.stringify(body))
    return response.json().errors
  }
  const digits = 'must be a phone number: + and 1 to 32 ASCII digits'
  t.strictSame(await errors({ data: { to: '14155550100' } }), [{ path: '/data/from', message: 'is required' }, { path: '/data/to', message: digits }])
  t.strictSame(await errors({ ...DATA, from: 'BANK' }), [{ path: '/from', message: digits }])
  t.match(await errors({ timestamp: '2025-01-15', data: DATA }), [{ path: '/timestamp', message: /^must be an existing moment as RFC 3339, with any offset/ }])
  t.match(await errors({ data: { ...DATA, ts: '2025-01-15T15:30:00+05:30' } }), [{ path: '/data/ts', message: /in UTC/ }])
  t.match(await errors({ ...DATA, text: 'x'.repeat(4097) }), [{ path: '/text' }])
  t.match(await errors({ ...DATA, message_id: 5 }), [{ path: '/message_id' }])
  for (const body of [[], null, 5, 'x']) t.match(await errors(JSON.stringify(body)), [{ path: '', message: /^must be a JSON object/ }])
  t.match(await errors(DATA, { id: 'x'.repeat(601) }), [{ path: '', message: 'must have a message_id, since webhook-id is longer than 600 characters' }])
  t.equal(await rowsStored(t), 0)
})

t.test('what people sent is mended, not refused', async t => {
  const { app } = await buildApp(t, ENV)
  t.equal((await app.inject(signed('{"from":"+1","to":"+2","text":"a\\u0000b\\ud800"}'))).statusCode, 200)
  t.equal((await get(app, '/messages/msg_1')).body['text'], 'a\uFFFDb\uFFFD')
})

t.test('refusals are limited, verified deliveries are not', async t => {
  const { app } = await buildApp(t, { ...ENV, RATE_LIMIT: '1' })
  const forged = signed(DATA, { headers: { 'webhook-id': 'x' } })
  t.equal((await app.inject(forged)).statusCode, 401)
  t.equal((await app.inject(forged)).statusCode, 429)
  for (let n = 0; n < 5; n++) t.equal((await app.inject(signed(DATA, { id: `msg_${n}` }))).statusCode, 200)
})

t.test('it works without WEBHOOK_SECRET, which /webhook and readiness go on to miss', async t => {
  const { app } = await buildApp(t, { ...ENV, WEBHOOK_SECRET: undefined })
  t.equal((await app.inject(signed(DATA))).statusCode, 200)
  t.equal((await app.inject('/health/ready')).statusCode, 503)
})

t.test('over a real socket, too', async t => {
  const { app } = await buildApp(t, ENV)
  const { url } = await listen(app)
  const { headers = {}, payload } = signed({ data: { ...DATA, text: 'Grüße 😀' } })
  const { status } = await ask(`${url}/webhook/standard`, { method: 'POST', headers: headers as Record<string, string>, body: String(payload) })
  t.equal(status, 200)
  t.equal((await get(app, '/messages/msg_1')).body['text'], 'Grüße 😀')
})
