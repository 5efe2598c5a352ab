import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get as request } from 'node:http'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { Arrival } from '../../src/message.ts'
import { buildApp, deliver, get, listen, message, type TestApp } from '../helper.ts'

const ROWS = 5000

function arrival (index: number): Arrival {
  return {
    ...message({ message_id: `m${String(index).padStart(5, '0')}`, ts: new Date(1.7e12 + index * 1000).toISOString(), from: `+${index % 3}` }) as Arrival,
    source: 'whatsapp',
    type: 'text',
    raw: JSON.stringify({ index, filling: 'x'.repeat(500) })
  }
}

async function fill (app: FastifyInstance, rows = ROWS): Promise<void> {
  for (let next = 0; next < rows; next += 1000) {
    await app.messages.saveAll(Array.from({ length: Math.min(1000, rows - next) }, (_, index) => arrival(next + index)), [])
  }
}

/** Begins to ask, and reads no byte of the answer yet. */
async function ask (t: Test, url: string): Promise<IncomingMessage> {
  const asked = request(url, { agent: false })
  t.teardown(() => asked.destroy())
  const [response] = await once(asked, 'response') as [IncomingMessage]
  return response.on('error', () => {})
}

/** The line of the one request, when it is over. */
async function requestLine ({ requestLines }: TestApp): Promise<Record<string, unknown>> {
  for (;;) {
    const [line] = requestLines()
    if (line !== undefined) return line
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

t.test('every message comes as GET /messages/{message_id} answers it, in the order of the list', async t => {
  const { app } = await buildApp(t)
  await fill(app, 300)
  await deliver(t, app, message({ message_id: 'plain', ts: '2020-01-01T00:00:00Z', text: null }))
  const { statusCode, headers, body } = await app.inject('/export')
  t.equal(statusCode, 200)
  t.match(headers, { 'content-type': 'application/x-ndjson', 'content-disposition': 'attachment; filename="messages.ndjson"', vary: 'accept, accept-encoding' })
  t.notMatch(headers, { 'content-encoding': /./ })
  const lines = body.split('\n')
  t.equal(lines.pop(), '')
  t.equal(lines.length, 301)
  for (const id of ['plain', 'm00000', 'm00299']) {
    const one = (await app.inject(`/messages/${id}`)).body
    t.ok(lines.includes(one), one)
  }
  t.strictSame(lines.map(line => JSON.parse(line).message_id), ['plain', ...Array.from({ length: 300 }, (_, index) => arrival(index).message_id)])
})

t.test('the filters are those of the list', async t => {
  const { app } = await buildApp(t)
  await fill(app, 200)
  await deliver(t, app, message({ message_id: 'other', text: 'Straße', from: '+1' }))
  for (const query of ['from=+1', 'from=+1&source=webhook', 'q=STRASSE', 'to=%2B14155550100&since=2023-11-14T22:15:00Z&until=2023-11-14T22:16:00Z', 'q=', 'from=+77']) {
    const listed = (await get<{ data: { message_id: string }[] }>(app, `/messages?limit=100&${query}`)).body.data
    const exported = (await app.inject(`/export?${query}`)).body.split('\n').filter(line => line !== '').map(line => JSON.parse(line).message_id)
    t.strictSame(exported.slice(0, 100), listed.map(each => each.message_id), query)
  }
  const { status, body } = await get(app, '/export?since=yesterday&format=xml')
  t.equal(status, 422)
  t.match(body['errors'], [{ path: '/format', message: 'must be ndjson or csv; without it, Accept decides' }, { path: '/since' }])
})

t.test('format, or else Accept, says what it is; nobody is refused for it', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message({ text: 'a "b", c' }))
  const type = async (url: string, accept?: string) => {
    const { headers, body } = await app.inject({ url, headers: accept === undefined ? {} : { accept } })
    t.equal(headers['content-disposition'], `attachment; filename="messages.${body.startsWith('{') ? 'ndjson' : 'csv'}"`)
    return String(headers['content-type'])
  }
  const [ndjson, csv] = ['application/x-ndjson', 'text/csv; charset=utf-8; header=present']
  t.equal(await type('/export'), ndjson)
  for (const accept of ['*/*', 'application/x-ndjson', 'application/json', 'text/*;q=0.5, */*', 'image/png']) t.equal(await type('/export', accept), ndjson, accept)
  for (const accept of ['text/csv', 'text/*', 'text/csv, */*;q=0.1', 'application/x-ndjson;q=0.5, text/csv']) t.equal(await type('/export', accept), csv, accept)
  t.equal(await type('/export?format=ndjson', 'text/csv'), ndjson)
  t.equal(await type('/export?format=csv', '*/*'), csv)
  const [header, row, end] = (await app.inject('/export?format=csv')).body.split('\r\n')
  t.equal(header, 'message_id,from,to,ts,text,source,type,received_at,raw')
  t.match(row, /^m1,\+919876543210,\+14155550100,2025-01-15T10:00:00Z,"a ""b"", c",webhook,,20\d\d-[^,]+Z,$/)
  t.equal(end, '')
})

t.test('it is compressed for those who take gzip, and for nobody else', async t => {
  const { app } = await buildApp(t)
  await fill(app, 2000)
  const plain = await app.inject('/export')
  for (const encoding of ['gzip', 'gzip, deflate, br', 'br;q=1, gzip;q=0.1']) {
    const { headers, rawPayload } = await app.inject({ url: '/export', headers: { 'accept-encoding': encoding } })
    t.equal(headers['content-encoding'], 'gzip', encoding)
    t.equal(gunzipSync(rawPayload).toString(), plain.body)
    t.ok(rawPayload.length < plain.rawPayload.length / 5)
  }
  for (const encoding of ['', 'identity', 'gzip;q=0', 'br']) {
    t.equal((await app.inject({ url: '/export', headers: { 'accept-encoding': encoding } })).headers['content-encoding'], undefined, encoding)
  }
})

t.test('HEAD tells the same without reading a message', async t => {
  const { app, requestLines } = await buildApp(t)
  await deliver(t, app, message())
  const { statusCode, headers, body } = await app.inject({ method: 'HEAD', url: '/export?format=csv' })
  t.strictSame([statusCode, body], [200, ''])
  t.match(headers, { 'content-type': /^text\/csv/, 'content-disposition': /messages\.csv/ })
  t.equal(headers['content-length'], undefined)
  t.equal(requestLines().at(-1)?.['exported'], undefined)
})

t.test('the log line tells who took how many', async t => {
  const built = await buildApp(t, { API_KEYS: 'backup:a-key-that-is-long-enough' })
  await fill(built.app, 1234)
  t.equal((await built.app.inject('/export')).statusCode, 401)
  await built.app.inject({ url: '/export', headers: { authorization: 'Bearer a-key-that-is-long-enough' } })
  t.match(built.requestLines(), [{ status: 401 }, { level: 'info', path: '/export', status: 200, api_key: 'backup', exported: 1234 }])
})

t.test('a store that cannot be read is a 503', async t => {
  const { app } = await buildApp(t)
  await app.messages.close()
  const { statusCode, headers, body } = await app.inject('/export')
  t.equal(statusCode, 503)
  t.match(headers, { 'retry-after': /^[1-9]/, 'content-type': /^application\/json/ })
  t.equal(body, '{"detail":"the service cannot do this now, try again"}')
  t.equal(headers['content-disposition'], undefined)
})

for (const encoding of ['identity', 'gzip']) {
  t.test(`an export that fails on the way has no end, and the log says why (${encoding})`, async t => {
    const built = await buildApp(t)
    await fill(built.app, 20_000)
    const { url } = await listen(built.app)
    const asked = request(`${url}/export`, { agent: false, headers: { 'accept-encoding': encoding } })
    const [response] = await once(asked, 'response') as [IncomingMessage]
    await once(response, 'readable')
    await built.app.messages.close()
    await t.rejects(text(response), { code: 'ECONNRESET' })
    const line = await requestLine(built)
    t.match(line, { level: 'error', path: '/export', status: 200, error: /store is closed|cannot be read|nobody waits/ })
    t.ok(Number(line['exported']) < 20_000)
  })
}

t.test('a client that goes away ends it, and is nobody\'s failure', async t => {
  const built = await buildApp(t)
  await fill(built.app, 20_000)
  const { url } = await listen(built.app)
  const response = await ask(t, `${url}/export`)
  await once(response, 'readable')
  response.destroy()
  const line = await requestLine(built)
  t.match(line, { level: 'info', path: '/export', status: 200, error: undefined })
  t.ok(Number(line['exported']) < 20_000, `${line['exported']} were read`)
})

t.test('four at once; the next is told to come again, and may when one has ended', async t => {
  const { app } = await buildApp(t)
  await fill(app, 20_000)
  const { url } = await listen(app)
  const responses = await Promise.all(Array.from({ length: 4 }, () => ask(t, `${url}/export`)))
  t.strictSame(responses.map(({ statusCode }) => statusCode), [200, 200, 200, 200])
  const refused = await app.inject('/export')
  t.equal(refused.statusCode, 503)
  t.ok(refused.headers['retry-after'])
  t.equal((await app.inject({ method: 'HEAD', url: '/export' })).statusCode, 200)
  const bodies = await Promise.all(responses.map(response => text(response)))
  t.strictSame(bodies.map(body => body.split('\n').length - 1), [20_000, 20_000, 20_000, 20_000])
  t.equal((await app.inject('/export?from=+7')).statusCode, 200)
})

t.test('what is delivered while a slow client reads is not in its file', async t => {
  const { app } = await buildApp(t)
  await fill(app, 20_000)
  const { url } = await listen(app)
  const response = await ask(t, `${url}/export`)
  await deliver(t, app, message({ message_id: 'first', ts: '2000-01-01T00:00:00Z' }), message({ message_id: 'last', ts: '2030-01-01T00:00:00Z' }))
  const ids = (await text(response)).split('\n').filter(line => line !== '').map(line => JSON.parse(line).message_id)
  t.equal(ids.length, 20_000)
  t.ok(!ids.includes('last'))
  t.equal((await app.inject('/export?q=hello&from=%2B919876543210')).body.split('\n').length, 3)
})
