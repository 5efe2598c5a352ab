import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { openEvents } from '../events.ts'
import { buildApp, closed, deliver, get, listen, message } from '../helper.ts'
import { exchange, open } from '../wire.ts'

interface Page { data: Record<string, unknown>[], position: string }

const numbered = (count: number, first = 1): Record<string, unknown>[] =>
  Array.from({ length: count }, (_, index) => message({ message_id: `m${first + index}`, from: `+${(first + index) % 2 + 1}` }))

const idsOf = ({ data }: Page): unknown[] => data.map(each => each['message_id'])

async function pageOf (app: FastifyInstance, query = ''): Promise<Page> {
  return (await get<Page>(app, `/feed${query}`)).body
}

/** Resolves when so many feeds are open. */
async function untilOpen (app: FastifyInstance, count: number): Promise<void> {
  while (app.feed.open !== count) await new Promise(resolve => { setTimeout(resolve, 5) })
}

async function served (t: Test, env: Record<string, string> = {}, ...messages: Record<string, unknown>[]) {
  const built = await buildApp(t, env)
  await deliver(t, built.app, ...messages)
  return { ...built, ...await listen(built.app) }
}

t.test('a page has the messages in the order of commits, and where to go on', async t => {
  const { app } = await buildApp(t)
  const empty = await get<Page>(app, '/feed')
  t.strictSame([empty.status, empty.body.data], [200, []])
  t.match(empty.headers['content-type'], /^application\/json/)

  const messages = [message({ message_id: 'b', ts: '2025-01-16T10:00:00Z' }), message({ message_id: 'a', text: null }), message({ message_id: 'c', text: 'line\r\nline  "\u2028' })]
  await deliver(t, app, ...messages)
  const page = await pageOf(app)
  t.match(page.data, messages.map(each => ({ ...each, source: 'webhook', type: null, received_at: /Z$/ })))
  t.strictSame(Object.keys(page.data[0] ?? {}), ['message_id', 'from', 'to', 'ts', 'text', 'source', 'type', 'received_at'])
  t.match(page.position, /^[\w-]{32}$/)
  t.strictSame(await pageOf(app, `?after=${page.position}`), { data: [], position: page.position })
  t.strictSame(await pageOf(app, `?after=${empty.body.position}`), page, 'what comes later is behind an end')
  t.strictSame(await pageOf(app, '?after=latest'), { data: [], position: page.position })
})

t.test('pages and streams go on at every position', async t => {
  const { app, url } = await served(t, {}, ...numbered(7))
  const stream = await openEvents(t, `${url}/feed`)
  await stream.until(7)
  t.strictSame(stream.events.map(({ data }) => JSON.parse(data)), (await pageOf(app)).data, 'events are the same messages')
  const all = stream.ids
  for (const [place, { id }] of stream.events.entries()) {
    t.strictSame(idsOf(await pageOf(app, `?after=${id}`)), all.slice(place + 1))
    const after = await openEvents(t, `${url}/feed`, { 'last-event-id': id })
    const other = await openEvents(t, `${url}/feed?after=${id}`)
    for (const each of [after, other]) {
      await each.until(7 - place - 1)
      t.strictSame(each.ids, all.slice(place + 1))
      each.close()
    }
  }
  let query = ''
  const walked: unknown[] = []
  for (let page = await pageOf(app, '?limit=3'); page.data.length > 0; page = await pageOf(app, query)) {
    walked.push(...idsOf(page))
    query = `?limit=3&after=${page.position}`
  }
  t.strictSame(walked, all)
})

t.test('a stream brings what comes, to everyone, once', async t => {
  const { app, url } = await served(t, {}, ...numbered(2))
  const [first, second] = [await openEvents(t, `${url}/feed`), await openEvents(t, `${url}/feed?after=latest`)]
  t.match(first.response.headers, {
    'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no', 'x-request-id': String, connection: 'close'
  })
  await first.until(2)
  await untilOpen(app, 2)
  await deliver(t, app, ...numbered(3, 3), ...numbered(3, 3))
  await Promise.all([first.until(5), second.until(3)])
  const late = await openEvents(t, `${url}/feed?after=${(await pageOf(app, '?limit=1')).position}`)
  await deliver(t, app, ...numbered(1, 6))
  await Promise.all([first.until(6), second.until(4), late.until(5)])
  t.strictSame([first.ids, second.ids, late.ids], [['m1', 'm2', 'm3', 'm4', 'm5', 'm6'], ['m3', 'm4', 'm5', 'm6'], ['m2', 'm3', 'm4', 'm5', 'm6']])
  t.match(first.text, /^retry: 1000\n\nid: [\w-]{32}\nevent: message\ndata: \{.*\}\n\nid: /)
})

t.test('Last-Event-ID wins over after, which EventSource sends again as it first was; an empty one is none', async t => {
  const { app, url } = await served(t, {}, ...numbered(3))
  const { position } = await pageOf(app, '?limit=2')
  const stream = await openEvents(t, `${url}/feed?after=latest`, { 'last-event-id': position })
  await stream.until(1)
  t.strictSame(stream.ids, ['m3'])
  const { body } = await app.inject({ url: `/feed?after=${position}`, headers: { 'last-event-id': '' } })
  t.strictSame(idsOf(JSON.parse(body)), ['m3'])
})

t.test('filters', async t => {
  const { app, url } = await served(t, {}, ...numbered(6))
  for (const [query, expected] of [
    ['from=%2B1', ['m2', 'm4', 'm6']], ['from=+1', ['m2', 'm4', 'm6']], ['from=1', []], ['from=', []], ['source=webhook', ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']],
    ['source=twilio', []], ['from=%2B2&source=webhook', ['m1', 'm3', 'm5']], ['from=%2B2&source=x', []], ['from=%00', []]
  ] as const) {
    const page = await pageOf(app, `?${query}`)
    t.strictSame(idsOf(page), expected, query)
    t.equal(page.position, (await pageOf(app, '?after=latest')).position, 'it looked to the end')
  }
  const stream = await openEvents(t, `${url}/feed?from=%2B1`)
  await stream.until(3)
  const waiting = pageOf(app, '?from=%2B1&after=latest&wait=30')
  await untilOpen(app, 2)
  await deliver(t, app, ...numbered(4, 7))
  await stream.until(5)
  t.strictSame(stream.ids, ['m2', 'm4', 'm6', 'm8', 'm10'])
  t.strictSame(idsOf(await waiting)[0], 'm8')
})

t.test('what is no position is refused, and so are numbers out of range', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, ...numbered(2))
  const { position } = await pageOf(app)
  const rule = { detail: 'querystring/after must be one position that the feed gave, of this database, or latest' }
  for (const after of ['0', '1', 'LATEST', 'banana', `${position}=`, position.toLowerCase(), position.slice(1), `A${position.slice(1)}`, '%00', '%f0%9f%98%80']) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const { statusCode, body } = await app.inject({ url: `/feed?after=${after}`, headers: { accept } })
      t.match([statusCode, JSON.parse(body)], [422, rule], after)
    }
    t.equal((await app.inject({ url: '/feed', headers: { 'last-event-id': decodeURIComponent(after) } })).statusCode, 422)
  }
  const other = await buildApp(t, { DATABASE_URL: 'sqlite:///:memory:' })
  await deliver(t, other.app, ...numbered(2, 3))
  for (const accept of ['application/json', 'text/event-stream']) {
    t.match((await other.app.inject({ url: `/feed?after=${position}`, headers: { accept } })).json(), rule, 'of another database')
  }
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'wait=31', 'wait=-1', 'wait=0.5']) t.equal((await app.inject(`/feed?${query}`)).statusCode, 422, query)
  for (const query of ['limit=1', 'limit=1000', 'wait=0', 'wait=30']) t.equal((await app.inject(`/feed?${query}`)).statusCode, 200, query)
})

t.test('a page waits for its first message, and no longer than it was told to', async t => {
  const { app } = await buildApp(t)
  const { position } = await pageOf(app)
  const begun = performance.now()
  t.strictSame(await pageOf(app, '?wait=1'), { data: [], position })
  t.ok(performance.now() - begun >= 990)

  const waiting = [pageOf(app, '?wait=30'), pageOf(app, `?wait=30&limit=1&after=${position}`), pageOf(app, '?wait=30&from=%2B1')]
  await untilOpen(app, 3)
  await deliver(t, app, ...numbered(1))
  t.strictSame((await Promise.all(waiting.slice(0, 2))).map(idsOf), [['m1'], ['m1']])
  await deliver(t, app, ...numbered(1, 2))
  t.strictSame(idsOf(await (waiting[2] as Promise<Page>)), ['m2'])
  t.equal(app.feed.open, 0)
})

t.test('a page that waited is cut at its limit, and goes on there', async t => {
  const { app } = await buildApp(t)
  const waiting = pageOf(app, '?wait=30&limit=2')
  await untilOpen(app, 1)
  await app.messages.saveAll(['a', 'b', 'c'].map(id => ({ message_id: id, from: '+1', to: '+2', ts: '2025-01-15T10:00:00Z', text: null })), [])
  const first = await waiting
  t.strictSame(idsOf(first), ['a', 'b'])
  t.strictSame(idsOf(await pageOf(app, `?after=${first.position}`)), ['c'])
})

t.test('who goes away waits no more, and has one line in the log', async t => {
  const { app, url, port, requestLines } = await served(t, {}, ...numbered(1))
  const stream = await openEvents(t, `${url}/feed`)
  const socket = await open(port)
  socket.write('GET /feed?after=latest&wait=30 HTTP/1.1\r\nHost: x\r\n\r\n')
  await stream.until(1)
  await untilOpen(app, 2)
  t.match((await app.inject('/metrics')).body, /^feeds_open 2$/m)
  t.equal(requestLines().filter(({ path }) => path === '/feed').length, 0, 'it is not over')
  const gone = closed(socket)
  stream.close()
  socket.destroy()
  await gone
  await untilOpen(app, 0)
  while (requestLines().filter(({ path }) => path === '/feed').length < 2) await new Promise(resolve => { setTimeout(resolve, 5) })
  t.match(requestLines().filter(({ path }) => path === '/feed').map(({ status }) => status).sort(), [200, 499])
  const { body } = await app.inject('/metrics')
  t.match(body, /^feeds_open 0$/m)
  t.match(body, /^feed_messages_total 1$/m)
  t.equal(Number(/^request_latency_ms_count (\d+)$/m.exec(body)?.[1]), 2, 'a delivery and a scrape; how long a feed lasts is no latency')
})

t.test('the end of the service ends streams and waits, in order', async t => {
  const { app, url } = await served(t, {}, ...numbered(1))
  const stream = await openEvents(t, `${url}/feed`)
  await stream.until(1)
  const waiting = fetch(`${url}/feed?after=latest&wait=30`)
  await untilOpen(app, 2)
  const { position } = await pageOf(app)
  await app.close()
  t.equal(await stream.ended, true)
  t.strictSame(await (await waiting).json(), { data: [], position })
})

t.test('while the store is shut a feed is a 503', async t => {
  const { app } = await buildApp(t)
  await app.messages.close()
  for (const url of ['/feed', '/feed?after=latest', '/feed?wait=1']) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const { statusCode, headers } = await app.inject({ url, headers: { accept } })
      t.match([statusCode, headers], [503, { 'retry-after': '1', 'content-type': /json/ }])
    }
  }
})

t.test('once the service is being shut no feed begins', async t => {
  const { app } = await buildApp(t)
  app.feed.close()
  t.equal((await app.inject({ url: '/feed', headers: { accept: 'text/event-stream' } })).statusCode, 503)
  t.equal((await app.inject('/feed?wait=1')).statusCode, 503)
  t.equal((await app.inject('/feed')).statusCode, 200)
})

t.test('on the wire: HEAD has no body and ends, HTTP/1.0 has no chunks, and any Accept is understood', async t => {
  const { app, port, url } = await served(t, {}, ...numbered(1))
  const events = 'Accept: text/event-stream\r\n'
  const [head] = await exchange(port, `HEAD /feed HTTP/1.1\r\nHost: x\r\n${events}Connection: close\r\n\r\n`)
  t.match(head, { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body: '' })
  t.match(await exchange(port, 'HEAD /feed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), [{ status: 200, headers: { 'content-type': /json/ }, body: '' }])

  const socket = await open(port)
  let received = ''
  socket.setEncoding('utf8').on('data', data => { received += data })
  socket.write(`GET /feed HTTP/1.0\r\n${events}\r\n`)
  while (!received.includes('data: ')) await new Promise(resolve => { setTimeout(resolve, 5) })
  t.notMatch(received, /transfer-encoding/i)
  t.match(received, /\r\n\r\nretry: 1000\n\nid: .*\n\n$/s)
  socket.destroy()

  for (const [accept, type] of [
    ['*/*', 'application/json'], ['application/json', 'application/json'], ['text/html', 'application/json'], ['text/event-streams', 'application/json'],
    ['TEXT/Event-Stream', 'text/event-stream'], ['text/event-stream;q=0.9, */*;q=0.1', 'text/event-stream'], ['application/json, text/event-stream', 'text/event-stream']
  ] as const) {
    const { response, close } = await openEvents(t, `${url}/feed`, { accept })
    t.ok(response.headers['content-type']?.startsWith(type), accept)
    close()
  }
  await untilOpen(app, 0)
})
