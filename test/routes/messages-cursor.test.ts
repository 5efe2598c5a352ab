/** Walks through GET /messages by the Link header. */
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { buildApp, deliver, get, message } from '../helper.ts'

interface Page { data: { message_id: string }[], limit: number }

/** Where the Link header leads; undefined when there is none. */
function next (t: Test, headers: Record<string, unknown>): URL | undefined {
  if (headers['link'] === undefined) return undefined
  const [, target = ''] = /^<(\/messages\?[!-~]+)>; rel="next"$/.exec(String(headers['link'])) ?? []
  t.not(target, '', `a Link as RFC 8288 has it: ${headers['link']}`)
  return new URL(target, 'http://letterbox')
}

/** The ids of each page of a walk; `between` is called after each. */
async function walk (t: Test, app: FastifyInstance, url: string, between: (page: number) => Promise<void> = async () => {}): Promise<string[][]> {
  const pages: string[][] = []
  let target: string | undefined = url
  while (target !== undefined) {
    const { status, body, headers }: Awaited<ReturnType<typeof get<Page>>> = await get<Page>(app, target)
    t.equal(status, 200)
    pages.push(body.data.map(({ message_id: id }) => id))
    await between(pages.length)
    const link = next(t, headers)
    target = link && link.pathname + link.search
  }
  return pages
}

/** `count` messages, of which each five share a moment. */
function series (count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, n) => message({
    message_id: `m${String(n).padStart(3, '0')}`,
    ts: `2025-01-15T10:00:00.${String(Math.floor(n / 5) + 1).padStart(3, '0')}Z`,
    from: n % 2 === 0 ? '+1' : '+2'
  }))
}

t.test('while rows follow there is a Link with the same filters and limit, and none on the last page', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...series(5))
  const { headers } = await get(app, '/messages?limit=2&from=+1&since=2025-01-01T00:00:00Z&until=2025-12-31T00:00:00Z&q=h%C3%A9%26%23&to=%2B1')
  t.equal(next(t, headers), undefined, 'nothing matches')

  const query = { limit: '2', from: '+1', to: '+14155550100', since: '2025-01-01T00:00:00.50Z', until: '2025-12-31T00:00:00Z', q: 'LL' }
  const first = await get<Page>(app, `/messages?${new URLSearchParams(query)}`)
  const link = next(t, first.headers)
  t.strictSame(first.body.data.map(({ message_id: id }) => id), ['m000', 'm002'])
  const { cursor, ...kept } = Object.fromEntries(link?.searchParams ?? [])
  t.type(cursor, 'string')
  t.strictSame(kept, query)

  const last = await get<Page>(app, `${link?.pathname}${link?.search}`)
  t.notOk('link' in last.headers)
  t.strictSame(last.body, { data: [series(5)[4]], limit: 2 }, 'a cursor page has exactly data and limit')
})

t.test('a Link carries any search text as it was', async t => {
  const { app } = await buildApp(t)
  const text = '< > " ; , & # % + é 😀 \n ="'
  await deliver(t, app, message({ text }), message({ message_id: 'm2', text }))
  const { headers } = await get(app, `/messages?limit=1&q=${encodeURIComponent(text)}`)
  const link = next(t, headers)
  t.equal(link?.searchParams.get('q'), text)
  t.strictSame((await get<Page>(app, `${link?.pathname}${link?.search}`)).body.data.length, 1)
})

t.test('a limit that was not given is the default on every page', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...series(101))
  t.strictSame((await walk(t, app, '/messages')).map(page => page.length), [50, 50, 1])
})

t.test('a page that ends with the list has no Link', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...series(4))
  t.strictSame(await walk(t, app, '/messages?limit=2'), [['m000', 'm001'], ['m002', 'm003']])
  t.notOk('link' in (await get(app, '/messages?limit=4')).headers)
})

t.test('a walk meets every row exactly once and in order, at any page size', async t => {
  const { app } = await buildApp(t)
  const messages = series(23)
  await deliver(t, app, ...messages)
  const ids = messages.map(({ message_id: id }) => id)
  for (const limit of [1, 2, 3, 5, 7, 22, 23, 24, 100]) {
    t.strictSame((await walk(t, app, `/messages?limit=${limit}`)).flat(), ids)
  }
  t.strictSame((await walk(t, app, '/messages?limit=4&offset=10')).flat(), ids.slice(10))
  t.strictSame((await walk(t, app, '/messages?limit=4&from=%2B2')).flat(), ids.filter((_, n) => n % 2 === 1))
})

t.test('rows that arrive during a walk neither repeat nor hide a row that was there', async t => {
  const { app } = await buildApp(t)
  const messages = series(12)
  await deliver(t, app, ...messages)
  const seen = (await walk(t, app, '/messages?limit=3', async page => {
    if (page > 6) return
    await deliver(t, app,
      message({ message_id: `early ${page}`, ts: '2000-01-01T00:00:00Z' }),
      message({ message_id: `m005 ${page}`, ts: '2025-01-15T10:00:00.002Z' }),
      message({ message_id: `late ${page}`, ts: '2030-01-01T00:00:00Z' }))
  })).flat()
  t.equal(new Set(seen).size, seen.length)
  t.strictSame(seen.filter(id => /^m\d+$/.test(id)), messages.map(({ message_id: id }) => id))
})

t.test('ids of every kind can end a page', async t => {
  const { app } = await buildApp(t)
  const ids = ['\n', ' ', '"', '\\', 'a\nb', 'e\u0301', 'é', '\ufffd', '😀', '😀'.repeat(600)]
  await deliver(t, app, ...ids.map(id => message({ message_id: id })))
  t.strictSame((await walk(t, app, '/messages?limit=1')).flat(), ids)
})

t.test('a cursor with any character changed, left out or added is 422', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...series(2))
  const cursor = next(t, (await get(app, '/messages?limit=1')).headers)?.searchParams.get('cursor') ?? ''
  t.match(cursor, /^[\w-]{20,}$/)
  t.equal((await get(app, `/messages?cursor=${cursor}`)).status, 200)

  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const tampered = new Set(['', '=', 'x', `${cursor}=`, `${cursor}A`, `${cursor}AAAA`, `A${cursor}`, ` ${cursor}`, `${cursor}\n`, cursor + cursor])
  for (let n = 0; n < cursor.length; n++) {
    for (const character of n % 8 === 0 || n === cursor.length - 1 ? alphabet : 'A_') {
      tampered.add(cursor.slice(0, n) + character + cursor.slice(n + 1))
    }
    tampered.add(cursor.slice(0, n) + cursor.slice(n + 1))
    tampered.add(cursor.slice(0, n))
  }
  tampered.delete(cursor)
  const wrong: string[] = []
  for (const each of tampered) {
    const { statusCode, body } = await app.inject(`/messages?cursor=${encodeURIComponent(each)}`)
    if (statusCode !== 422 || !body.includes('"path":"/cursor"')) wrong.push(each)
  }
  t.strictSame(wrong, [], `of ${tampered.size}`)
})

t.test('a cursor that somebody composed is 422', async t => {
  const { app } = await buildApp(t)
  for (const text of ['2025-01-15T10:00:00Z\nm1', '{"ts":"2025-01-15T10:00:00Z","message_id":"m1"}', '\0'.repeat(8), '1']) {
    t.equal((await get(app, `/messages?cursor=${Buffer.from(text).toString('base64url')}`)).status, 422)
  }
})

t.test('a cursor takes no offset', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...series(2))
  const link = next(t, (await get(app, '/messages?limit=1')).headers)
  for (const offset of [0, 1]) {
    const { statusCode, body } = await app.inject(`${link?.pathname}${link?.search}&offset=${offset}`)
    t.equal(statusCode, 422)
    t.equal(body, '{"detail":"querystring/offset must not be combined with cursor","errors":[{"path":"/offset","message":"must not be combined with cursor"}]}')
  }
})

t.test('a cursor page of a store that does not answer is 503', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...series(2))
  const link = next(t, (await get(app, '/messages?limit=1')).headers)
  await app.messages.close()
  const { status, body } = await get(app, `${link?.pathname}${link?.search}`)
  t.equal(status, 503)
  t.strictSame(body, { detail: 'the service cannot do this now, try again' })
})
