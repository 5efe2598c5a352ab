import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { buildApp, deliver, get, listen, message } from '../helper.ts'
import { exchange } from '../wire.ts'

interface Page { data: Record<string, unknown>[], total: number, limit: number, offset: number }

/** The ids on a page, in their order. */
async function ids (app: FastifyInstance, url: string): Promise<unknown[]> {
  const { body } = await get<Page>(app, url)
  return body.data.map(({ message_id: id }) => id)
}

/** An app with `count` messages, m000 and on, a second apart. */
async function withMessages (t: Test, count: number): Promise<FastifyInstance> {
  const { app } = await buildApp(t)
  await deliver(t, app, ...Array.from({ length: count }, (_, n) => message({
    message_id: `m${String(n).padStart(3, '0')}`, ts: new Date(Date.UTC(2025, 0, 1) + n * 1000).toISOString().replace('.000', '')
  })))
  return app
}

t.test('with no message there is an empty page', async t => {
  const { app } = await buildApp(t)
  const { statusCode, body, headers } = await app.inject('/messages')
  t.equal(statusCode, 200)
  t.equal(body, '{"data":[],"total":0,"limit":50,"offset":0}')
  t.match(headers['content-type'], /^application\/json/)
  t.notOk('link' in headers)
})

t.test('a page has exactly data, total, limit and offset; a row exactly the five fields', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message(), message({ message_id: 'm2', text: null, ts: '2025-01-15T09:00:00Z', extra: 1 }))
  t.equal((await app.inject('/messages?limit=2')).body, '{"data":[' +
    '{"message_id":"m2","from":"+919876543210","to":"+14155550100","ts":"2025-01-15T09:00:00Z","text":null},' +
    '{"message_id":"m1","from":"+919876543210","to":"+14155550100","ts":"2025-01-15T10:00:00Z","text":"Hello"}' +
    '],"total":2,"limit":2,"offset":0}')
})

t.test('rows are ordered by ts as time, not as text and not by arrival', async t => {
  const { app } = await buildApp(t)
  const times = [
    '2025-01-15T10:00:01Z', '2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00Z', '2025-01-15T10:00:00.51Z', '2025-01-15T10:00:00.499999999Z',
    '2025-01-15T09:59:59.999999999Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2025-01-15T10:00:00.000000001Z', '2025-01-15T10:00:00.05Z'
  ]
  await deliver(t, app, ...times.map(ts => message({ message_id: ts, ts })))
  t.strictSame(await ids(app, '/messages'), [
    '0001-01-01T00:00:00Z', '2025-01-15T09:59:59.999999999Z', '2025-01-15T10:00:00Z', '2025-01-15T10:00:00.000000001Z',
    '2025-01-15T10:00:00.05Z', '2025-01-15T10:00:00.499999999Z', '2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00.51Z',
    '2025-01-15T10:00:01Z', '9999-12-31T23:59:59Z'
  ])
})

t.test('rows of one moment are ordered by message_id by code point, which is not UTF-16 order', async t => {
  const { app } = await buildApp(t)
  const sorted = ['!', '10', '2', 'A', 'B', 'a', 'a ', 'aa', 'é', 'ь', '\ue000', '\ufffd', '😀', '😁', '\u{10ffff}']
  t.strictNotSame([...sorted].sort(), sorted)
  await deliver(t, app, ...[...sorted].reverse().map((id, n) => message({ message_id: id, ts: `2025-01-15T10:00:00${n % 2 === 0 ? '' : '.000'}Z` })))
  t.strictSame(await ids(app, '/messages'), sorted)
})

t.test('limit is 50 unless it is given, and at most 100', async t => {
  const app = await withMessages(t, 103)
  const page = async (query: string) => {
    const { body: { data, ...rest } } = await get<Page>(app, `/messages${query}`)
    return { rows: data.length, first: data[0]?.['message_id'], ...rest }
  }
  t.strictSame(await page(''), { rows: 50, first: 'm000', total: 103, limit: 50, offset: 0 })
  t.strictSame(await page('?limit=1'), { rows: 1, first: 'm000', total: 103, limit: 1, offset: 0 })
  t.strictSame(await page('?limit=100&offset=2'), { rows: 100, first: 'm002', total: 103, limit: 100, offset: 2 })
  t.strictSame(await page('?limit=100&offset=100'), { rows: 3, first: 'm100', total: 103, limit: 100, offset: 100 })
  t.strictSame(await page('?offset=102'), { rows: 1, first: 'm102', total: 103, limit: 50, offset: 102 })
  for (const offset of [103, 104, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    t.strictSame(await page(`?offset=${offset}`), { rows: 0, first: undefined, total: 103, limit: 50, offset })
  }
})

t.test('a limit or an offset that is out of range or no plain decimal integer is 422', async t => {
  const { app } = await buildApp(t)
  const wrong = ['', '1e1', '0x10', '%205', '5%20', '1.0', '1.', '.5', '-1', '%2B5', '5,', '1_0', 'abc', 'null', 'NaN', 'Infinity', '٥', '５', '5%0A', '%00', '[]', '--1']
  for (const [name, values] of [['limit', [...wrong, '0', '101', '1000', '-0']], ['offset', wrong]] as const) {
    for (const value of values) {
      const { status, body } = await get(app, `/messages?${name}=${value}`)
      t.equal(status, 422, `${name}=${value}`)
      t.match(body, { detail: String, errors: [{ path: `/${name}`, message: String }] })
      t.strictSame(Object.keys(body), ['detail', 'errors'])
    }
  }
})

t.test('a huge number is 200 or 422, never a 500', async t => {
  const { app } = await buildApp(t)
  for (const digits of [16, 17, 19, 20, 40, 309, 400, 5000]) {
    for (const name of ['limit', 'offset']) {
      const { statusCode } = await app.inject(`/messages?${name}=${'9'.repeat(digits)}`)
      t.ok(statusCode === 422 || (name === 'offset' && statusCode === 200), `${digits} digits: ${statusCode}`)
    }
  }
})

t.test('a parameter that is there twice is 422', async t => {
  const { app } = await buildApp(t)
  for (const [name, value] of Object.entries({ limit: '5', offset: '0', from: '%2B91', to: '%2B91', since: '2025-01-15T10:00:00Z', until: '2025-01-15T10:00:00Z', q: 'x', cursor: 'x' })) {
    const { status, body } = await get(app, `/messages?${name}=${value}&${name}=${value}`)
    t.equal(status, 422, name)
    t.match(body, { errors: [{ path: `/${name}` }] })
  }
})

t.test('unknown parameters are ignored, whatever they look like', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  for (const query of ['page=2', 'LIMIT=0', 'limit[]=0', 'foo=1&foo=2', '__proto__=1', '__proto__[limit]=0', 'constructor=1', 'toString=1', '=', '&&', 'from%00=x', '%=%', '%FF=%FF']) {
    t.strictSame((await get(app, `/messages?${query}`)).body, { data: [message()], total: 1, limit: 50, offset: 0 }, query)
  }
})

t.test('a store that does not answer is 503 that says nothing of the inside', async t => {
  const { app } = await buildApp(t)
  await app.messages.close()
  t.equal((await app.inject('/messages?limit=x')).statusCode, 422)
  for (const url of ['/messages', '/messages/m1']) {
    const { statusCode, headers, body } = await app.inject(url)
    t.equal(statusCode, 503)
    t.match(headers['retry-after'], /^[1-9]\d*$/)
    t.equal(body, '{"detail":"the service cannot do this now, try again"}')
  }
})

t.test('the absolute form of a URL is the same page', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const [answer] = await exchange(port, 'GET http://elsewhere/messages?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.match(answer, { status: 200, body: '{"data":[],"total":0,"limit":1,"offset":0}' })
})
