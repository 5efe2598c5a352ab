import type { Test } from 'tap'
import type { Arrival } from '../../../../src/message.ts'
import { BEGINNING } from '../../../../src/storage/snapshot.ts'
import type { OpenStore } from '../store-suite.ts'
import { EVERYTHING, SILENT, count, ids, message, messageIn, storeOf, walk } from './common.ts'
import { removeAll } from './removals.ts'

/** Messages m1, m2 and so on, of a provider. */
function arrivals (number: number, fields: Partial<Arrival> = {}): Arrival[] {
  return Array.from({ length: number }, (_, index) => ({
    ...message({ message_id: `m${index + 1}`, text: `No. ${index + 1}` }), source: 'whatsapp', type: 'text', raw: `{"id":"m${index + 1}"}`, ...fields
  }))
}

/** How messages came in, and deliveries of many. */
export async function deliveries (t: Test, open: OpenStore): Promise<void> {
  t.test('a message says how it came in', async t => {
    const before = new Date().toISOString()
    const raw = '{ "id": 12345678901234567890, "text": "\\u0000 \\ud800 — 😀" }'
    const store = await storeOf(t, open, message(), { ...message({ message_id: 'm2' }), source: 'standard', type: 'message.received', raw })
    const { received_at: receivedAt, ...origin } = await store.get('m1') ?? {}
    t.strictSame(origin, { ...message(), source: 'webhook', type: null, raw: null })
    t.match(receivedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    // The clock of a server and that of this process are the same, and read in turn.
    t.ok((receivedAt ?? '') >= before && (receivedAt ?? '') <= new Date(Date.now() + 1).toISOString())
    t.match(await store.get('m2'), { source: 'standard', type: 'message.received', raw })
    t.strictSame((await store.page(EVERYTHING, 10, 0)).messages, [message(), message({ message_id: 'm2' })], 'lists do not')
  })

  t.test('when it was received is kept when that is said', async t => {
    const store = await storeOf(t, open, { ...message(), received_at: '2001-02-03T04:05:06.789Z' })
    t.equal((await store.get('m1'))?.received_at, '2001-02-03T04:05:06.789Z')
  })

  t.test('records are pages with how the messages came in', async t => {
    const store = await storeOf(t, open, ...arrivals(5), message({ message_id: 'z' }))
    const first = await store.recordsAfter(EVERYTHING, 4, BEGINNING)
    t.match(first.messages, arrivals(4))
    const rest = await store.recordsAfter(EVERYTHING, 4, first.next ?? BEGINNING)
    t.match(rest.messages, [arrivals(5)[4], { ...message({ message_id: 'z' }), source: 'webhook', type: null, raw: null }])
    t.equal(rest.next, undefined)
    t.match((await store.recordsAfter({ q: 'NO. 3' }, 4, BEGINNING)).messages, [arrivals(3)[2]])
    t.equal((await store.recordsAfter({ q: 'NO. 3' }, 4, BEGINNING)).messages.length, 1)
  })

  t.test('a filter by source lets through what came from there, and its total is exact', async t => {
    const store = await storeOf(t, open, ...arrivals(30), message({ message_id: 'p1' }), message({ message_id: 'p2' }))
    for (const [filter, expected] of [
      [{ source: 'whatsapp' }, 30], [{ source: 'webhook' }, 2], [{ source: 'twilio' }, 0], [{ source: 'WhatsApp' }, 0], [{ source: '\u0000' }, 0], [{ source: '' }, 0],
      [{ source: 'whatsapp', from: '+919876543210' }, 30], [{ source: 'webhook', to: '+14155550100' }, 2], [{ source: 'webhook', q: 'hello' }, 2], [{ source: 'whatsapp', q: 'hello' }, 0],
      [{ source: 'whatsapp', since: '2025-01-15T10:00:00Z' }, 30], [{ source: 'whatsapp', until: '2025-01-15T10:00:00Z' }, 0]
    ] as const) {
      const { messages, total } = await store.page(filter, 100, 0)
      t.strictSame([messages.length, total], [expected, expected], JSON.stringify(filter))
      t.equal((await walk(store, filter, 7)).length, expected)
    }
  })

  t.test('a delivery of many is stored, and says of each whether it was new', async t => {
    const store = await storeOf(t, open, message({ message_id: 'm2', text: 'first' }))
    t.strictSame(await store.saveAll(arrivals(4), []), ['created', 'duplicate', 'created', 'created'])
    t.strictSame(await store.saveAll(arrivals(4), []), ['duplicate', 'duplicate', 'duplicate', 'duplicate'])
    t.strictSame(await store.saveAll([], []), [])
    t.equal((await messageIn(store, 'm2'))?.text, 'first')
    t.equal(await store.count(), 4)
    t.equal((await store.stats()).total_messages, 4)
  })

  t.test('of copies within a delivery the first is kept', async t => {
    const store = await storeOf(t, open)
    t.strictSame(await store.saveAll([...arrivals(2), ...arrivals(2, { text: 'copy' })], []), ['created', 'created', 'duplicate', 'duplicate'])
    t.equal((await messageIn(store, 'm1'))?.text, 'No. 1')
  })

  t.test('deliveries that hold the same messages at once make each once', async t => {
    const store = await storeOf(t, open)
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => store.saveAll(index % 2 === 0 ? arrivals(300) : arrivals(300).reverse(), [])))
    t.equal(count(results.flat(), 'created'), 300)
    t.equal(await store.count(), 300)
    t.equal(ids(await walk(store, EVERYTHING, 100)).length, 300)
  })

  t.test('a delivery larger than everything that may wait is taken when it comes alone', async t => {
    const store = await storeOf(t, open)
    const results = await store.saveAll(arrivals(12_000), [])
    t.equal(count(results, 'created'), 12_000)
    t.equal(await store.count(), 12_000)
  })

  t.test('an item that is no message is kept, and its neighbours are stored', async t => {
    const commits: number[] = []
    const store = await open(t, { ...SILENT, committed (rows) { commits.push(rows) } })
    t.teardown(() => store.close())
    const unread = [{ source: 'whatsapp', raw: '{"odd":1}' }, { source: 'whatsapp', raw: '"\\u0000"' }]
    t.strictSame(await store.saveAll(arrivals(2), unread), ['created', 'created'])
    t.strictSame(await store.saveAll([], unread), [], 'also alone, and again')
    t.strictSame(commits, [4, 2])
    t.equal(await store.count(), 2)
    t.strictSame(await store.saveAll(arrivals(3), unread), ['duplicate', 'duplicate', 'created'])
    t.equal(await removeAll(store, { unreadBefore: new Date(Date.now() + 60_000).toISOString() }), 2, 'once each')
  })
}
