import t, { type Test } from 'tap'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { FastifyInstance } from 'fastify'
import { COMMENT, parse, type Samples } from '../exposition.ts'
import { buildApp, deliver, delivery, listen, message } from '../helper.ts'
import { sign } from '../../src/signature/hmac.ts'
import { WHATSAPP_SCHEME } from '../../src/signature/whatsapp.ts'
import { exchange, head } from '../wire.ts'

async function scrape (t: Test, app: FastifyInstance): Promise<Samples> {
  const { statusCode, body, headers } = await app.inject('/metrics')
  t.equal(statusCode, 200)
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  return parse(t, body)
}

/** The samples of one family without their zeros, by their labels. */
function counts (samples: Samples, family: string): Record<string, number> {
  return Object.fromEntries([...samples].filter(([name, value]) => name.startsWith(`${family}{`) && value !== 0)
    .map(([name, value]) => [name.slice(family.length), value]))
}

const RESULTS = ['created', 'duplicate', 'invalid_signature', 'validation_error', 'too_large', 'unsupported_type', 'unavailable']

t.test('every result of a delivery is there from the start at 0', async t => {
  const { app } = await buildApp(t)
  const samples = await scrape(t, app)
  for (const result of RESULTS) t.equal(samples.get(`webhook_requests_total{result="${result}"}`), 0)
  t.strictSame([...samples.keys()].filter(name => name.startsWith('webhook_requests_total')).length, RESULTS.length)
})

t.test("the first two families stand within the first ten lines, and the service's own come before all others", async t => {
  const { app } = await buildApp(t)
  for (const url of ['/messages', '/messages?limit=x', '/messages/none', '/stats', '/health/live', '/nowhere', '/docs', '/openapi.json', '/docs/static/none']) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const) await app.inject({ url, method })
  }
  for (const request of [delivery(message()), delivery('{'), delivery('', { 'x-signature': '' })]) await app.inject(request)
  const { body } = await app.inject('/metrics')
  const lines = body.split('\n')
  const ten = lines.slice(0, 10).join('\n')
  t.match(ten, /^# TYPE webhook_requests_total counter$/m)
  t.match(ten, /^# HELP http_requests_total .+$/m)
  t.equal(lines[10], '# TYPE http_requests_total counter')
  const families = lines.flatMap(line => COMMENT.exec(line)?.[1] === 'TYPE' ? line.split(' ').slice(2) : [])
  t.strictSame(families.slice(0, 28), [
    'webhook_requests_total', 'counter', 'http_requests_total', 'counter', 'request_latency_ms', 'histogram', 'messages_stored', 'gauge',
    'store_queue_depth', 'gauge', 'store_commit_seconds', 'histogram', 'store_batch_size', 'histogram',
    'store_wal_bytes', 'gauge', 'store_disk_free_bytes', 'gauge', 'connections_open', 'gauge', 'connections_refused_total', 'counter', 'webhook_deliveries_total', 'counter',
    'webhook_verified_total', 'counter', 'webhook_refused_total', 'counter'
  ])
  t.strictSame(families.slice(28, 34), ['webhook_items_total', 'counter', 'feeds_open', 'gauge', 'feed_messages_total', 'counter'])
  for (const other of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds', 'http_request_duration_seconds']) t.ok(families.includes(other), other)
})

t.test('requests are timed by route, as fastify-metrics does', async t => {
  const { app } = await buildApp(t)
  for (const request of [delivery(message()), delivery(message()), delivery('{'), '/messages/m1', '/messages/m2', '/nowhere', { method: 'HEAD', url: '/stats' } as const]) await app.inject(request)
  const samples = await scrape(t, app)
  t.strictSame(counts(samples, 'http_request_duration_seconds_count'), {
    '{method="POST",route="/webhook",status_code="200"}': 2,
    '{method="POST",route="/webhook",status_code="422"}': 1,
    '{method="GET",route="/messages/:message_id",status_code="200"}': 1,
    '{method="GET",route="/messages/:message_id",status_code="404"}': 1
  })
  t.equal(samples.get('http_request_duration_seconds_bucket{le="10",method="POST",route="/webhook",status_code="200"}'), 2)
})

t.test('whoever still signs with the previous secret can be counted', async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET_PREVIOUS: 'old' })
  t.strictSame([...await scrape(t, app)].filter(([name]) => name.startsWith('webhook_verified_total')), [
    ['webhook_verified_total{source="webhook",secret="current"}', 0], ['webhook_verified_total{source="webhook",secret="previous"}', 0]
  ], 'both from the start')
  for (const request of [
    delivery(message()), delivery(message(), {}, 'old'), delivery(message({ message_id: 'm2' }), {}, 'old'), delivery('{', {}, 'old'), delivery(message(), {}, 'older'),
    { method: 'POST', url: '/webhook' } as const, '/stats'
  ]) await app.inject(request)
  t.strictSame(counts(await scrape(t, app), 'webhook_verified_total'), { '{source="webhook",secret="current"}': 1, '{source="webhook",secret="previous"}': 3 })
})

t.test('why deliveries were refused can be read', async t => {
  const { app } = await buildApp(t, { RATE_LIMIT: '3' })
  t.strictSame([...await scrape(t, app)].filter(([name]) => name.startsWith('webhook_refused_total')), [
    ['webhook_refused_total{source="webhook",reason="missing"}', 0],
    ['webhook_refused_total{source="webhook",reason="malformed"}', 0],
    ['webhook_refused_total{source="webhook",reason="mismatch"}', 0],
    ['webhook_refused_total{source="webhook",reason="too_old"}', 0],
    ['webhook_refused_total{source="webhook",reason="too_new"}', 0]
  ], 'every reason from the start')
  for (const request of [
    delivery(message()), delivery('{'), { method: 'POST', url: '/webhook' } as const, delivery(message(), { 'x-signature': 'banana' }),
    delivery(message(), {}, 'wrong'), delivery(message(), {}, 'wrong'), delivery('x'.repeat(1_048_577)), '/webhook'
  ]) await app.inject(request)
  t.strictSame(counts(await scrape(t, app), 'webhook_refused_total'), {
    '{source="webhook",reason="missing"}': 1, '{source="webhook",reason="malformed"}': 1, '{source="webhook",reason="mismatch"}': 2
  }, 'the one that became a 429, too')
})

t.test('what becomes of deliveries can be read for each provider that is on', async t => {
  const { app } = await buildApp(t, { STANDARD_WEBHOOKS_SECRET: 'whsec_c2VjcmV0' })
  const all = [...await scrape(t, app)].filter(([name]) => name.startsWith('webhook_deliveries_total'))
  t.strictSame(all, ['webhook', 'standard'].flatMap(source => RESULTS.map(result => [`webhook_deliveries_total{source="${source}",result="${result}"}`, 0])))
  for (const request of [delivery(message()), delivery(message()), delivery('{'), { method: 'POST', url: '/webhook/standard' } as const]) await app.inject(request)
  const samples = await scrape(t, app)
  t.strictSame(counts(samples, 'webhook_deliveries_total'), {
    '{source="webhook",result="created"}': 1,
    '{source="webhook",result="duplicate"}': 1,
    '{source="webhook",result="validation_error"}': 1,
    '{source="standard",result="invalid_signature"}': 1
  })
  t.match(counts(samples, 'webhook_requests_total'), { '{result="created"}': 1, '{result="invalid_signature"}': 1 }, 'those of all providers')
  t.strictSame(counts(samples, 'webhook_refused_total'), { '{source="standard",reason="missing"}': 1 })
})

t.test('what deliveries held can be read, one message where nothing else can be', async t => {
  const { app } = await buildApp(t, { WHATSAPP_APP_SECRET: 'app' })
  t.strictSame([...await scrape(t, app)].filter(([name]) => name.startsWith('webhook_items_total')), ['webhook', 'whatsapp'].flatMap(source =>
    ['message', 'status', 'unread', 'ignored'].map(kind => [`webhook_items_total{source="${source}",kind="${kind}"}`, 0])), 'every kind from the start')
  const messages = ['a', 'b', 5].map(id => ({ from: '1', id, timestamp: '1' }))
  const payload = JSON.stringify({ entry: [{ changes: [{ value: { messages, statuses: [{}, {}] } }, {}] }] })
  const whatsapp = (secret: string) => ({ ...delivery(payload, { 'x-hub-signature-256': sign(Buffer.from(payload), secret, WHATSAPP_SCHEME) }), url: '/webhook/whatsapp' })
  for (const request of [delivery(message()), delivery(message()), delivery('{'), delivery(message(), {}, 'wrong'), whatsapp('app'), whatsapp('app'), whatsapp('wrong')]) await app.inject(request)
  t.strictSame(counts(await scrape(t, app), 'webhook_items_total'), {
    '{source="webhook",kind="message"}': 2,
    '{source="whatsapp",kind="message"}': 4,
    '{source="whatsapp",kind="status"}': 4,
    '{source="whatsapp",kind="unread"}': 2,
    '{source="whatsapp",kind="ignored"}': 2
  })
})

t.test('counts are exact', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message(), message({ message_id: 'm2' }), message())
  for (const request of [
    delivery('{'), delivery('[]'), delivery(message({ ts: 'x' })), delivery('{}', { 'x-signature': '' }), delivery('{}', {}, 'wrong'),
    delivery('x'.repeat(1_048_577)), delivery(message(), { 'content-type': 'text/plain' }), '/messages', '/messages', '/messages?limit=x', '/messages/m1',
    '/messages/none', '/stats', '/nowhere', '/%', '/messages/%FF'
  ]) await app.inject(request)
  await app.messages.close()
  await app.inject(delivery(message()))

  const samples = await scrape(t, app)
  t.strictSame(counts(samples, 'webhook_requests_total'), {
    '{result="created"}': 2,
    '{result="duplicate"}': 1,
    '{result="validation_error"}': 3,
    '{result="invalid_signature"}': 2,
    '{result="too_large"}': 1,
    '{result="unsupported_type"}': 1,
    '{result="unavailable"}': 1
  })
  t.strictSame(counts(samples, 'http_requests_total'), {
    '{method="POST",path="/webhook",status="200"}': 3,
    '{method="POST",path="/webhook",status="422"}': 3,
    '{method="POST",path="/webhook",status="401"}': 2,
    '{method="POST",path="/webhook",status="413"}': 1,
    '{method="POST",path="/webhook",status="415"}': 1,
    '{method="POST",path="/webhook",status="503"}': 1,
    '{method="GET",path="/messages",status="200"}': 2,
    '{method="GET",path="/messages",status="422"}': 1,
    '{method="GET",path="/messages/:message_id",status="200"}': 1,
    '{method="GET",path="/messages/:message_id",status="404"}': 1,
    '{method="GET",path="/stats",status="200"}': 1,
    '{method="GET",path="unknown",status="404"}': 3
  })
  t.equal(samples.get('request_latency_ms_count'), 20)
  t.equal(samples.get('store_batch_size_sum'), 3, 'saves that were committed')
  t.match((await scrape(t, app)).get('http_requests_total{method="GET",path="/metrics",status="200"}'), 1, 'a scrape counts once it is over')
})

t.test('latency is read fine enough for a p99 of 2 ms, and its buckets add up', async t => {
  const { app } = await buildApp(t)
  for (let n = 0; n < 20; n++) await app.inject('/health/live')
  const buckets = [...await scrape(t, app)].filter(([name]) => name.startsWith('request_latency_ms_bucket'))
    .map(([name, value]) => [/le="([^"]+)"/.exec(name)?.[1] ?? '', value] as const)
  const bounds = buckets.map(([bound]) => bound)
  for (const bound of ['1', '1.5', '2', '3', '5', '100', '500', '+Inf']) t.ok(bounds.includes(bound), bound)
  t.equal(bounds.at(-1), '+Inf')
  t.equal(buckets.at(-1)?.[1], 20)
  const values = buckets.map(([, value]) => value)
  t.strictSame(values, [...values].sort((a, b) => a - b))
})

t.test('what is stored and what was committed can be read', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message(), message({ message_id: 'm2' }), message())
  const samples = await scrape(t, app)
  t.equal(samples.get('messages_stored'), 2)
  t.equal(samples.get('store_queue_depth'), 0)
  t.equal(samples.get('store_batch_size_sum'), 3)
  t.equal(samples.get('store_batch_size_count'), samples.get('store_commit_seconds_count'))
  t.ok(Number(samples.get('store_commit_seconds_sum')) > 0)
})

t.test('labels are bounded whatever a client sends', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const before = await scrape(t, app)
  for (let n = 0; n < 100; n++) {
    for (const url of [`/x${n}`, `/messages/${n}`, `/messages/${n}/x`, `/%${n}`, `/docs/static/${n}`, `/console/${n}`, `/?${n}`, `/messages?limit=x${n}`, `/stats?${n}`]) await app.inject(url)
    await app.inject({ ...delivery('', { 'x-signature': `${n}` }), headers: { 'x-request-id': `id${n}`, host: `h${n}` } })
  }
  for (const method of ['M-SEARCH', 'PROPFIND', 'TRACE', 'BREW', 'get']) await exchange(port, `${method} /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  await exchange(port, head('Connection: close'))
  const grown = [...(await scrape(t, app)).keys()].filter(name => !before.has(name))
  const paths = new Set(grown.flatMap(name => /(?:path|route)="([^"]+)"/.exec(name)?.slice(1) ?? []))
  for (const path of paths) t.ok(['unknown', '__unknown__', '/', '/console/*', '/webhook', '/messages', '/messages/:message_id', '/stats', '/metrics', '/docs/static/*'].includes(path), path)
  const requests = grown.filter(name => name.startsWith('http_requests_total'))
  t.ok(requests.length <= 14, requests.join('\n'))
})

t.test('a closed store does not keep the metrics from being read: its last count is answered', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  t.equal((await scrape(t, app)).get('messages_stored'), 1)
  await app.messages.close()
  t.equal((await scrape(t, app)).get('messages_stored'), 1)
})

t.test('a database without its table does not either', async t => {
  const { app } = await buildApp(t)
  const other = new Database(join(t.testdirName, 'test.db'))
  t.teardown(() => other.close())
  other.exec('ALTER TABLE messages RENAME TO gone')
  t.equal((await scrape(t, app)).get('messages_stored'), 0)
  other.exec('ALTER TABLE gone RENAME TO messages')
})

t.test('the size of the log and the room on the disk can be read where the disk is this machine\'s', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  const before = await scrape(t, app)
  t.ok(Number(before.get('store_wal_bytes')) > 0)
  t.ok(Number(before.get('store_disk_free_bytes')) > 0)
  await app.messages.close()
  t.equal((await scrape(t, app)).get('store_wal_bytes'), before.get('store_wal_bytes'), 'the last known, as of the messages')

  const { app: remote } = await buildApp(t, { DATABASE_URL: 'postgres://127.0.0.1:1/none' })
  t.strictSame([...(await scrape(t, remote)).keys()].filter(name => /wal|disk/.test(name)), [])
})

t.test('a store that hangs is asked once, whatever number of scrapes come by, and its last answer stands', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  await scrape(t, app)
  let asked = 0
  const { promise, resolve } = Promise.withResolvers<number>()
  app.messages.count = () => {
    asked++
    return promise
  }
  for (const samples of await Promise.all([scrape(t, app), scrape(t, app)])) t.equal(samples.get('messages_stored'), 1)
  t.equal((await scrape(t, app)).get('messages_stored'), 1)
  t.equal(asked, 1)
  resolve(7)
  t.equal((await scrape(t, app)).get('messages_stored'), 7, 'what came late is known from then on')
})

t.test('without a secret it answers as ever', async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET: undefined })
  await app.inject(delivery(message()))
  t.strictSame(counts(await scrape(t, app), 'webhook_requests_total'), { '{result="unavailable"}': 1 })
})

t.test('apps in one process count each for itself', async t => {
  const [one, other] = [await buildApp(t), await buildApp(t, { DATABASE_URL: 'sqlite:///:memory:' })]
  await one.app.inject('/stats')
  t.equal((await scrape(t, other.app)).get('request_latency_ms_count'), 0)
})
