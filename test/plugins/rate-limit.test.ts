import t from 'tap'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { buildApp, deliver, delivery, get, listen, message } from '../helper.ts'
import { exchange } from '../wire.ts'

const API_KEYS = 'reader:reader-key-0123456789,other:other-key-0123456789'
const AS_READER = { authorization: 'Bearer reader-key-0123456789' }
const AS_OTHER = { authorization: 'Bearer other-key-0123456789' }
const WRONG = { authorization: 'Bearer wrong' }
const TOO_MANY = '{"detail":"too many requests, try again later"}'

const read = (headers: Record<string, string> = {}, remoteAddress = '192.0.2.1'): InjectOptions => ({ url: '/stats', headers, remoteAddress })
const forged = (remoteAddress = '192.0.2.1', headers: Record<string, string> = {}): InjectOptions => ({ ...delivery(message(), headers, 'wrong'), remoteAddress })

/** The statuses of these requests, one after the other. */
async function statuses (app: FastifyInstance, ...requests: InjectOptions[]): Promise<number[]> {
  const seen: number[] = []
  for (const request of requests) seen.push((await app.inject(request)).statusCode)
  return seen
}

t.test('without RATE_LIMIT nothing is counted', async t => {
  const { app } = await buildApp(t, { API_KEYS })
  for (let n = 0; n < 50; n++) t.strictSame(await statuses(app, read(AS_READER), read(WRONG), forged()), [200, 401, 401])
  t.notMatch(Object.keys((await app.inject(read(AS_READER))).headers).join(), 'ratelimit')
  t.notMatch(JSON.stringify((await get(app, '/openapi.json')).body), /RateLimit|"429"/)
})

t.test('an address reads so often a minute, by whatever path, and is told how often', async t => {
  const { app, requestLines } = await buildApp(t, { RATE_LIMIT: '3' })
  for (const [n, [method, url]] of ([['GET', '/stats'], ['HEAD', '/messages'], ['GET', '/messages/none']] as const).entries()) {
    const { statusCode, headers } = await app.inject({ ...read(), method, url })
    t.not(statusCode, 429)
    t.match(headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': `${2 - n}`, 'ratelimit-reset': /^(60|[1-5]?\d)$/ })
    t.notOk('retry-after' in headers)
  }
  for (const url of ['/stats', '/messages', '/messages?limit=x', '/messages/m1']) {
    const { statusCode, body, headers } = await app.inject({ ...read(), url })
    t.strictSame([statusCode, body], [429, TOO_MANY])
    t.match(headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': '0', 'retry-after': /^(60|[1-5]?\d)$/, 'content-type': /^application\/json/, 'x-request-id': String })
  }
  t.match(requestLines().at(-1), { level: 'info', status: 429, path: '/messages/m1' })
  for (const url of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs/', '/nowhere']) t.not((await app.inject({ ...read(), url })).statusCode, 429, url)
  t.strictSame(await statuses(app, read({}, '192.0.2.2')), [200], 'another address')
})

t.test('a key is counted by itself, from wherever it comes, and leaves its address alone', async t => {
  const { app, requestLines } = await buildApp(t, { API_KEYS, RATE_LIMIT: '2' })
  t.strictSame(await statuses(app, read(AS_READER), read(AS_READER, '192.0.2.2'), read(AS_READER, '192.0.2.3'), read(AS_OTHER), read(AS_OTHER), read(AS_OTHER)), [200, 200, 429, 200, 200, 429])
  t.match(requestLines()[2], { status: 429, api_key: 'reader' })
  t.strictSame(await statuses(app, read(), read(WRONG), read()), [401, 401, 429])
})

t.test('guessing ends: over the limit, a right key is not told from a wrong one', async t => {
  const { app } = await buildApp(t, { API_KEYS, RATE_LIMIT: '3' })
  t.strictSame(await statuses(app, read(WRONG), read(AS_READER), read(), read(AS_READER), read(WRONG)), [401, 200, 401, 200, 401])
  t.strictSame(await statuses(app, read(AS_READER), read(WRONG), read(AS_OTHER)), [429, 429, 429])
  t.strictSame(await statuses(app, read(AS_READER, '192.0.2.2'), read(AS_OTHER, '192.0.2.2')), [200, 200], 'who has the key elsewhere does not notice')
})

t.test('guesses that arrive all at once are no more than the limit', async t => {
  const { app } = await buildApp(t, { API_KEYS, RATE_LIMIT: '3' })
  const { port } = await listen(app)
  const guess = (key: string, ...headers: string[]): string => ['GET /stats HTTP/1.1', 'Host: x', `Authorization: Bearer ${key}`, ...headers, '', ''].join('\r\n')
  const packet = [...Array(20).keys()].map(n => guess(`wrong${n}`)).join('') + guess('reader-key-0123456789', 'Connection: close')
  t.strictSame((await exchange(port, packet)).map(({ status }) => status), [401, 401, 401, ...Array(18).fill(429)])
})

t.test('deliveries that are not signed become 429, and signed ones never do', async t => {
  const { app, requestLines } = await buildApp(t, { RATE_LIMIT: '3' })
  t.strictSame(await statuses(app, forged(), forged(), { ...forged(), headers: {} }), [401, 401, 401])
  const { statusCode, body, headers } = await app.inject(forged())
  t.strictSame([statusCode, body], [429, TOO_MANY])
  t.match(headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': '0', 'retry-after': /^(60|[1-5]?\d)$/ })
  t.match(requestLines().at(-1), { level: 'error', status: 429, message_id: 'm1', dup: false, result: 'invalid_signature', refusal: 'mismatch' })

  for (let n = 0; n < 20; n++) await deliver(t, app, message({ message_id: `m${n}` }))
  const signed = [delivery(message()), delivery('{'), delivery(message({ from: 5 })), delivery(message(), { 'content-type': 'text/plain' })]
  t.strictSame(await statuses(app, ...signed.map(each => ({ ...each, remoteAddress: '192.0.2.1' }))), [200, 422, 422, 415])
  t.notOk('ratelimit-limit' in (await app.inject({ ...delivery(message()), remoteAddress: '192.0.2.1' })).headers)
  t.match((await app.inject('/metrics')).body, /webhook_requests_total\{result="invalid_signature"\} 4\n/)
  t.match((await app.inject('/metrics')).body, /http_requests_total\{method="POST",path="\/webhook",status="429"\} 1\n/)
})

t.test('deliveries and reads take nothing from each other', async t => {
  const { app } = await buildApp(t, { RATE_LIMIT: '1' })
  t.strictSame(await statuses(app, forged(), forged(), read(), read(), forged()), [401, 429, 200, 429, 429])
  const { app: other } = await buildApp(t, { RATE_LIMIT: '1', DATABASE_URL: 'sqlite:///:memory:' })
  t.strictSame(await statuses(other, read(), read(), forged(), forged()), [200, 429, 401, 429])
})

t.test('without a secret a delivery is a 503 and not counted', async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET: undefined, RATE_LIMIT: '1' })
  t.strictSame(await statuses(app, forged(), forged(), forged()), [503, 503, 503])
})

t.test('the document tells of the limit where there is one', async t => {
  const { app } = await buildApp(t, { RATE_LIMIT: '600' })
  const { body } = await get<{ paths: Record<string, Record<string, { responses: Record<string, { headers: Record<string, unknown> }> }>> }>(app, '/openapi.json')
  const operations = Object.entries(body.paths).flatMap(([path, item]) => ['get', 'post', 'delete'].flatMap(method => item[method] === undefined ? [] : [{ path, method, ...item[method] }]))
  t.equal(operations.filter(({ method }) => method === 'delete').length, 2)
  for (const { path, method, responses } of operations) {
    const limited = Object.entries(responses).filter(([, { headers }]) => 'RateLimit-Limit' in headers).map(([status]) => status)
    if (path === '/webhook') t.strictSame(limited, ['401', '429'])
    else t.strictSame(limited, ['/messages', '/messages/{message_id}', '/stats', '/stats/volume', '/export', '/feed'].includes(path) ? Object.keys(responses) : [], `${method} ${path}`)
    t.equal('429' in responses, limited.length > 0, `${method} ${path}`)
    if (limited.length > 0) t.ok(responses['429']?.headers['Retry-After'])
  }
})
