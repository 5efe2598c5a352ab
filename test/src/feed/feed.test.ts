import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Feed, type FeedOptions } from '../../../src/feed/feed.ts'
import { sinkOf } from '../../../src/feed/sink.ts'
import { BEGINNING, decodePosition } from '../../../src/storage/feed-position.ts'
import { StoreUnavailable, UnknownPosition } from '../../../src/storage/errors.ts'
import type { FeedFilter, MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { openEvents, type EventStream } from '../../events.ts'
import { startPostgres } from '../../postgres.ts'
import { SILENT, message } from '../storage/suite/common.ts'

const postgres = await startPostgres(t)

const SQLITE = 'sqlite:///:memory:'

interface Setting {
  readonly store: MessageStore
  readonly feed: Feed
  readonly stream: (filter?: FeedFilter, lastId?: string) => Promise<EventStream>
}

/** A feed over HTTP with nothing around it. */
async function setUp (t: Test, options: FeedOptions = {}, url = SQLITE): Promise<Setting> {
  const told = { ...SILENT, committed: () => feed.wake() }
  const store = await openMessageStore(url, told)
  const feed = new Feed(store, options)
  let filter: FeedFilter = {}
  const server = createServer(async (request, response) => {
    const after = decodePosition(String(request.headers['last-event-id'])) ?? BEGINNING
    const close = await feed.stream(filter, after, new AbortController().signal, () => sinkOf(response.writeHead(200)))
    response.once('close', close)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    feed.close()
    server.closeAllConnections()
    server.close()
    await store.close()
  })
  return {
    store,
    feed,
    stream: (asked = {}, lastId = '') => {
      filter = asked
      return openEvents(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, { 'last-event-id': lastId })
    }
  }
}

/** So many messages of 16 KB: more than a connection holds that nobody reads from. */
const LARGE = 1200
const large = (count = LARGE, first = 0) => Array.from({ length: count }, (_, index) => message({ message_id: `m${first + index}`, text: '😀'.repeat(4096) }))
const expected = Array.from({ length: LARGE }, (_, index) => `m${index}`)

async function saveInOrder (store: MessageStore, messages: ReturnType<typeof large>): Promise<void> {
  for (let place = 0; place < messages.length; place += 100) await store.saveAll(messages.slice(place, place + 100), [])
}

t.test('a silent stream is sent something, and the position where that has changed', async t => {
  const { store, stream } = await setUp(t, { heartbeat: 50 })
  const filtered = await stream({ from: '+1' })
  const all = await stream()
  await all.untilText(/^retry: 1000\n\n(:\n\n){2}/)
  await store.save(message({ message_id: 'm1', from: '+2' }))
  await all.until(1)
  await all.untilText(/\n\n:\n\n:\n\n$/)
  await filtered.untilText(/\n\n:\nid: [\w-]{32}\n\n:\n\n/)
  t.equal(filtered.lastId, all.lastId)
  t.equal(all.text.split('id: ').length, 2, 'what is known is not told again')
  filtered.close()

  const again = await stream({ from: '+1' }, all.lastId)
  await store.save(message({ message_id: 'm2', from: '+1' }))
  await again.until(1)
  t.strictSame(again.ids, ['m2'])
})

t.test('a client that takes nothing is cut off, and can go on where it was', { timeout: 120_000 }, async t => {
  const { store, feed, stream } = await setUp(t, { patience: 300 })
  const deaf = await stream()
  const other = await stream()
  deaf.response.pause()
  await saveInOrder(store, large())
  await other.until(LARGE)
  t.strictSame(other.ids, expected, 'nobody else waits for it')
  while (feed.open > 1) await delay(20)
  deaf.response.resume()
  t.equal(await deaf.ended, false)
  t.ok(deaf.ids.length < LARGE)

  const again = await stream({}, deaf.lastId)
  await again.until(LARGE - deaf.ids.length)
  t.strictSame([...deaf.ids, ...again.ids], expected)
})

t.test('a client that was behind catches up, and misses nothing', { timeout: 120_000 }, async t => {
  const { store, feed, stream } = await setUp(t)
  const slow = await stream()
  slow.response.pause()
  await saveInOrder(store, large())
  await delay(200)
  slow.response.resume()
  await slow.until(LARGE)
  await store.save(message({ message_id: 'last' }))
  await slow.until(LARGE + 1)
  t.strictSame(slow.ids, [...expected, 'last'])
  t.equal(feed.delivered, LARGE + 1)
})

t.test('many that begin while messages come have each of them once', { timeout: 120_000 }, async t => {
  const { store, feed, stream } = await setUp(t, { tick: 2 })
  const streams: EventStream[] = []
  const saving = (async () => {
    for (let number = 0; number < 600; number++) await store.save(message({ message_id: `m${number}`, from: `+${number % 3}` }))
  })()
  for (let number = 0; number < 120; number++) streams.push(await stream(number % 2 === 0 ? {} : { from: '+1' }))
  await saving
  const all = Array.from({ length: 600 }, (_, index) => `m${index}`)
  for (const [number, each] of streams.entries()) {
    const mine = number % 2 === 0 ? all : all.filter((_, index) => index % 3 === 1)
    await each.until(mine.length)
    t.strictSame(each.ids, mine)
  }
  t.equal(feed.open, 120)
  for (const each of streams) each.close()
  while (feed.open > 0) await delay(5)
})

t.test('so many may be open, and no more', async t => {
  const { feed, stream, store } = await setUp(t, { maxOpen: 2 })
  const first = await stream()
  const waiting = feed.page({}, await store.feedEnd(), 10, 60_000, new AbortController().signal)
  while (feed.open < 2) await delay(5)
  await t.rejects(feed.stream({}, BEGINNING, new AbortController().signal, () => { throw new Error('it was opened') }), new StoreUnavailable('too many feeds are open'))
  await t.rejects(feed.page({}, BEGINNING, 10, 1000, new AbortController().signal), StoreUnavailable)
  t.strictSame((await feed.page({}, BEGINNING, 10, 0, new AbortController().signal)).entries, [], 'what need not wait is answered')
  first.close()
  await store.save(message())
  t.equal((await waiting).entries.length, 1)
  while (feed.open > 0) await delay(5)
  await t.resolves(stream())
})

t.test('who is gone before its page began to wait does not wait', async t => {
  const { feed } = await setUp(t)
  const gone = new AbortController()
  const page = feed.page({}, BEGINNING, 10, 60_000, gone.signal)
  gone.abort()
  await page.catch(() => {})
  t.equal(feed.open, 0)
})

t.test('a page that is being read when the feed is closed does not begin to wait', async t => {
  const { feed } = await setUp(t)
  const page = feed.page({}, BEGINNING, 10, 60_000, new AbortController().signal)
  feed.close()
  t.strictSame((await page).entries, [])
})

t.test('of pages that begin to wait at once no more do than may', async t => {
  const { feed } = await setUp(t, { maxOpen: 1 })
  const pages = [1, 2].map(() => feed.page({}, BEGINNING, 10, 60_000, new AbortController().signal))
  await t.rejects(Promise.race(pages), new StoreUnavailable('too many feeds are open'))
  t.equal(feed.open, 1)
  feed.close()
  t.match(await Promise.allSettled(pages), [{ status: 'fulfilled' }, { status: 'rejected' }])
})

t.test('a page that finds nothing among very many looks on, and then says how far it came', { timeout: 120_000 }, async t => {
  const { store, feed } = await setUp(t)
  for (let wave = 0; wave < 9; wave++) await store.saveAll(Array.from({ length: 500 }, (_, index) => message({ message_id: `${wave} ${index}` })), [])
  await store.save(message({ message_id: 'rare', from: '+1' }))
  const { entries, position } = await feed.page({ from: '+1' }, BEGINNING, 10, 0, new AbortController().signal)
  t.match(entries.map(({ json }) => JSON.parse(json).message_id), ['rare'])
  t.strictSame(position, await store.feedEnd())
})

t.test('what other processes store comes without being told of', async t => {
  const url = await postgres.createDatabase()
  const { stream, feed } = await setUp(t, {}, url)
  const other = await openMessageStore(url, SILENT)
  t.teardown(() => other.close())
  const open = await stream()
  const waiting = feed.page({}, BEGINNING, 10, 60_000, new AbortController().signal)
  while (feed.open < 2) await delay(5)
  await other.save(message())
  await open.until(1)
  t.equal((await waiting).entries.length, 1)
})

t.test('a stream outlives the absence of its database', { timeout: 120_000 }, async t => {
  const url = await postgres.createDatabase()
  const { store, stream } = await setUp(t, {}, url)
  const open = await stream()
  const slow = await stream()
  slow.response.pause()
  await store.save(message({ message_id: 'm1' }))
  await open.until(1)
  await postgres.stop()
  await delay(300)
  await postgres.start()
  while (await store.save(message({ message_id: 'm2' })).catch(() => undefined) === undefined) await delay(50)
  slow.response.resume()
  for (const each of [open, slow]) {
    await each.until(2)
    t.strictSame(each.ids, ['m1', 'm2'])
  }
})

t.test('where the database turns out to be another one, feeds end', { timeout: 120_000 }, async t => {
  const url = await postgres.createDatabase()
  const { store, feed, stream } = await setUp(t, {}, url)
  await store.save(message({ message_id: 'm1' }))
  await store.save(message({ message_id: 'm2' }))
  const open = await stream()
  const slow = await stream()
  slow.response.pause()
  await open.until(2)
  await saveInOrder(store, large(LARGE, 10))
  await open.until(LARGE + 2)
  const refused = t.rejects(feed.page({}, await store.feedEnd(), 10, 60_000, new AbortController().signal), UnknownPosition)
  while (feed.open < 3) await delay(5)
  await postgres.query(url, "TRUNCATE messages; SELECT setval('messages_seq_seq', 1)")
  await refused
  t.equal(await open.ended, true)
  slow.response.resume()
  t.equal(await slow.ended, true)
  t.ok(slow.ids.length < LARGE + 2)
})
