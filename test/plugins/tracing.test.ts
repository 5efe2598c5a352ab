import { join } from 'node:path'
import { connect } from 'node:net'
import { once } from 'node:events'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { SECRET, buildApp, deliver, delivery, listen, message, type LogLine } from '../helper.ts'
import { startCollector, type Collector, type Span } from '../otlp.ts'
import { startPostgres } from '../postgres.ts'
import { sign } from '../../src/signature/hmac.ts'
import { WHATSAPP_SCHEME } from '../../src/signature/whatsapp.ts'

interface Traced {
  readonly app: FastifyInstance
  readonly collector: Collector
  readonly lines: LogLine[]
  /** Closes the app, which sends what there is to send. @returns every span, in the order of their ends */
  sent (): Promise<Span[]>
}

async function traced (t: Test, env: Record<string, string> = {}): Promise<Traced> {
  const collector = await startCollector(t)
  const { app, lines } = await buildApp(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, ...env })
  return {
    app,
    collector,
    lines,
    async sent () {
      await app.close()
      return collector.spans
    }
  }
}

const REQUEST = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'

/** The part of a span that does not differ each time. */
const steady = ({ name, kind, attributes, status, more }: Span) => ({ name, kind, attributes, status, more })

const databases: Record<string, (t: Test) => Promise<Record<string, string>>> = {
  SQLite: async () => ({}),
  PostgreSQL: async t => ({ DATABASE_URL: await (await startPostgres(t)).createDatabase() })
}
for (const [database, make] of Object.entries(databases)) {
  t.test(`on ${database} a delivery is one trace: the request, its verification, its wait, its commit`, async t => {
    const { app, collector, lines, sent } = await traced(t, await make(t))
    const begin = Date.now()
    await deliver(t, app, message())
    const spans = await sent()

    const [verify, queue, commit, request] = spans as [Span, Span, Span, Span]
    t.strictSame(spans.map(steady), [
      { name: 'verify', kind: 1, attributes: {}, status: 0, more: 0 },
      { name: 'queue', kind: 1, attributes: {}, status: 0, more: 0 },
      { name: 'commit', kind: 1, attributes: { 'letterbox.batch.size': 1 }, status: 0, more: 0 },
      { name: 'POST /webhook', kind: 2, attributes: { 'http.request.method': 'POST', 'http.route': '/webhook', 'http.response.status_code': 200 }, status: 0, more: 0 }
    ])
    t.strictSame(spans.map(({ parent }) => parent), [request.spanId, request.spanId, request.spanId, ''])
    t.equal(new Set(spans.map(({ spanId }) => spanId)).size, 4)
    t.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)

    const moments = [request.start, verify.start, verify.end, queue.start, queue.end, commit.start, commit.end, request.end]
    t.strictSame(moments, [...moments].sort((a, b) => Number(a - b)), 'each part follows the one before it, within the request')
    t.equal(queue.end, commit.start)
    t.ok(commit.end > commit.start && verify.end > verify.start)
    t.ok(Number(request.start / 1_000_000n) >= begin - 1 && Number(request.end / 1_000_000n) <= Date.now() + 1, 'in the time of day')

    t.match(lines.find(line => line['path'] === '/webhook'), { trace_id: request.traceId, span_id: request.spanId })
    t.match(request.resource, { 'service.name': 'letterbox', 'telemetry.sdk.language': 'nodejs' })
    t.match(collector.requests, [{ url: '/v1/traces', headers: { 'content-type': 'application/x-protobuf' } }])
    t.equal(collector.requests.length, 1)
  })
}

t.test('the trace of a caller is gone on with, as far as it is one', async t => {
  const { app, lines, sent } = await traced(t)
  for (const traceparent of [`00-${REQUEST}-${CALLER}-01`, `00-${REQUEST}-${CALLER}-00`, `00-${REQUEST}-0000000000000000-01`, 'x'.repeat(1000)]) {
    await app.inject({ url: '/health/live', headers: { traceparent } })
  }
  const spans = await sent()
  t.strictSame(spans.map(({ traceId, parent }) => traceId === REQUEST ? parent : ''), [CALLER, '', ''], 'what the caller does not want is not sent')
  t.strictSame(lines.map(line => line['trace_id']).slice(0, 2), [REQUEST, REQUEST], 'and its log line can be found all the same')
  t.not(lines[0]?.['span_id'], CALLER)
  t.strictSame(lines.map(line => line['trace_id']).slice(2, 4), spans.slice(1).map(({ traceId }) => traceId))
})

t.test('a span has the method, the route and the status; only what went wrong on this side is an error', async t => {
  const { app, sent } = await traced(t)
  const requests: InjectOptions[] = [
    delivery(message(), {}, 'wrong'), delivery('{'), { url: '/messages?limit=x' }, { url: '/messages/none' }, { url: '/nowhere' }, { method: 'PROPFIND', url: '/' }
  ]
  for (const request of requests) await app.inject(request)
  await app.messages.close()
  await app.inject({ url: '/stats' })
  t.strictSame((await sent()).filter(({ kind }) => kind === 2).map(({ name, status, attributes }) => [name, attributes['http.response.status_code'], status]), [
    ['POST /webhook', 401, 0], ['POST /webhook', 422, 0], ['GET /messages', 422, 0], ['GET /messages/:message_id', 404, 0], ['GET', 404, 0], ['PROPFIND', 404, 0],
    ['GET /stats', 503, 2]
  ])
})

t.test('no span tells of whom or what a message was', async t => {
  const { app, collector, sent } = await traced(t)
  const body = JSON.stringify(message({ message_id: 'the-first', text: 'attack at dawn' }))
  const wrong = sign(Buffer.from(body), 'wrong')
  for (const request of [
    delivery(body), delivery(body, { 'x-request-id': 'of-the-client' }), delivery(body, { 'x-signature': wrong }), delivery({ ...message(), from: 'attack' }),
    '/messages?from=+919876543210&q=attack', '/messages/the-first', '/messages/the-first?since=attack', '/nowhere/attack', '/%'
  ]) await app.inject(request)
  t.ok((await sent()).length > 9)
  const raw = Buffer.concat(collector.requests.map(({ body }) => body)).toString('latin1')
  for (const own of ['/webhook', 'GET', 'commit']) t.ok(raw.includes(own), own)
  for (const secret of [SECRET, sign(Buffer.from(body), SECRET), wrong, '919876543210', '14155550100', 'attack', 'dawn', 'the-first', 'of-the-client', '127.0.0.1']) {
    t.notOk(raw.includes(secret), secret)
  }
})

t.test('deliveries that were committed together say how many messages that were', async t => {
  const { app, sent } = await traced(t, { WHATSAPP_APP_SECRET: 'app' })
  const payload = JSON.stringify({ entry: [{ changes: [{ value: { messages: ['a', 'b', 'c'].map(id => ({ from: '1', id, timestamp: '1' })) } }] }] })
  const whatsapp = { ...delivery(payload, { 'x-hub-signature-256': sign(Buffer.from(payload), 'app', WHATSAPP_SCHEME) }), url: '/webhook/whatsapp' }
  await Promise.all([whatsapp, ...Array.from({ length: 20 }, (_, n) => delivery(message({ message_id: `m${n}` })))].map(request => app.inject(request)))
  const spans = await sent()
  const commits = spans.filter(({ name }) => name === 'commit')
  t.equal(commits.length, 21, 'one a delivery, however many messages it holds')
  t.equal(spans.filter(({ name }) => name === 'queue').length, 21)
  const requests = new Map(spans.filter(({ kind }) => kind === 2).map(({ spanId, name }) => [spanId, name]))
  t.equal(requests.size, 21)
  const batches = Map.groupBy(commits, ({ start }) => start)
  for (const batch of batches.values()) {
    const rows = batch.reduce((sum, { parent }) => sum + (requests.get(parent) === 'POST /webhook/whatsapp' ? 3 : 1), 0)
    for (const { attributes } of batch) t.equal(attributes['letterbox.batch.size'], rows, 'all in one commit say the same, and are all that were in it')
  }
  t.ok(batches.size < 21)
})

t.test('a commit that fails is an error, and so is its request', async t => {
  const { app, sent } = await traced(t)
  const other = new Database(join(t.testdirName, 'test.db'))
  other.exec('ALTER TABLE messages RENAME TO gone')
  t.equal((await app.inject(delivery(message()))).statusCode, 503)
  other.exec('ALTER TABLE gone RENAME TO messages')
  other.close()
  t.strictSame((await sent()).map(({ name, status }) => [name, status]), [['verify', 0], ['queue', 0], ['commit', 2], ['POST /webhook', 2]])
})

t.test('a client that goes away has its span too', async t => {
  const { app, lines, sent } = await traced(t)
  const { port } = await listen(app)
  const socket = connect(port, '127.0.0.1')
  const ended = new Promise(resolve => app.onCompletion(resolve))
  socket.write('GET /feed?wait=30 HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(app.server, 'request')
  socket.destroy()
  await ended
  const [span, ...others] = await sent()
  t.match(span, { name: 'GET /feed', status: 0, attributes: { 'http.response.status_code': 499 } })
  t.strictSame(others, [])
  t.match(lines.find(line => line['path'] === '/feed'), { status: 499, trace_id: span?.traceId })
})

t.test('OTEL_TRACES_SAMPLER says which traces are sent', async t => {
  const count = async (env: Record<string, string>, traceparent: Record<string, string> = {}): Promise<number> => {
    let spans = 0
    await t.test(JSON.stringify({ ...env, ...traceparent }), async t => {
      const { app, lines, sent } = await traced(t, env)
      for (let n = 0; n < 20; n++) await app.inject({ ...delivery(message()), headers: { ...delivery(message()).headers, ...traceparent } })
      t.ok(lines.every(line => /^[0-9a-f]{32}$/.test(String(line['trace_id']))), 'every line has its id')
      spans = (await sent()).length
    })
    return spans
  }
  const caller = { traceparent: `00-${REQUEST}-${CALLER}-01` }
  t.equal(await count({ OTEL_TRACES_SAMPLER: 'always_off' }), 0)
  t.equal(await count({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }), 0)
  t.equal(await count({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, caller), 80)
  t.equal(await count({ OTEL_TRACES_SAMPLER: 'always_on' }, { traceparent: `00-${REQUEST}-${CALLER}-00` }), 80)
  t.equal(await count({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }), 0)
  const some = await count({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '.5' })
  t.ok(some > 0 && some < 80, `${some} of 80`)
  t.equal(some % 4, 0, 'a trace is sent whole or not at all')
})

t.test('of a collector that takes nothing one line tells, and one when it does again', async t => {
  const { app, collector, lines, sent } = await traced(t)
  // More than are sent at once.
  const busy = async (): Promise<void> => {
    const taken = collector.next()
    for (let n = 0; n < 520; n++) await app.inject('/health/live')
    await taken
  }
  collector.status = 500
  await busy()
  await busy()
  const told = () => lines.filter(line => 'msg' in line)
  t.match(told(), [{ level: 'warn', error: 'Internal Server Error', msg: 'the collector does not take spans: they are dropped until it does' }])
  t.equal(told().length, 1)
  collector.status = 200
  await busy()
  t.ok((await sent()).length > 0)
  t.match(told()[1], { level: 'info', msg: 'the collector takes spans again' })
  t.equal(told().length, 2)
  t.ok(lines.filter(line => line['path'] === '/health/live').every(line => line['status'] === 200))
})

t.test('without a collector no line has an id of a trace', async t => {
  const { app, requestLines } = await buildApp(t)
  await app.inject({ ...delivery(message()), headers: { ...delivery(message()).headers, traceparent: `00-${REQUEST}-${CALLER}-01` } })
  t.notOk('trace_id' in (requestLines()[0] as LogLine))
})
