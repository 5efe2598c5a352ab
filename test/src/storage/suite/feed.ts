import type { Test } from 'tap'
import { UnknownPosition } from '../../../../src/storage/errors.ts'
import type { FeedFilter, FeedPosition, FeedRow, MessageStore } from '../../../../src/storage/message-store.ts'
import { BEGINNING, positionBehind } from '../../../../src/storage/feed-position.ts'
import type { OpenStore } from '../store-suite.ts'
import { ids, message, saveAll, storeOf } from './common.ts'

const EVERYTHING: FeedFilter = {}

/** Everything behind a position, met by walking from page to page. */
export async function follow (store: MessageStore, filter: FeedFilter = EVERYTHING, after: FeedPosition = BEGINNING, limit = 1000): Promise<FeedRow[]> {
  const rows: FeedRow[] = []
  for (let position = after; ;) {
    const page = await store.feed(filter, position, limit)
    rows.push(...page.rows)
    position = page.position
    if (page.isLast) return rows
  }
}

const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, index) =>
  message({ message_id: `m${first + index}`, from: `+${(first + index) % 3 + 1}`, ts: `2025-01-15T10:00:${String(59 - index % 60)}Z`.replace(/:(\d)Z/, ':0$1Z') }))

export async function feed (t: Test, open: OpenStore): Promise<void> {
  t.test('messages come in the order in which they were committed, and as they are', async t => {
    const store = await storeOf(t, open)
    for (const each of numbered(5)) await store.save(each)
    await store.save({ ...message({ message_id: 'last', text: null }), source: 'whatsapp', type: 'text', raw: '{}', received_at: '2025-01-15T10:00:01.250Z' })
    const rows = await follow(store)
    t.strictSame(ids(rows), ['m0', 'm1', 'm2', 'm3', 'm4', 'last'])
    t.match(rows[0], { ...numbered(1)[0], source: 'webhook', type: null, received_at: /^\d{4}-.*\.\d{3}Z$/ })
    const { seq, ...last } = rows[5] as FeedRow
    t.strictSame(last, { ...message({ message_id: 'last', text: null }), source: 'whatsapp', type: 'text', received_at: '2025-01-15T10:00:01.250Z' })
    t.ok(seq > 0)
  })

  t.test('an empty store has an empty page, and its end is its beginning', async t => {
    const store = await storeOf(t, open)
    t.strictSame(await store.feed(EVERYTHING, BEGINNING, 10), { rows: [], position: BEGINNING, isLast: true })
    t.strictSame(await store.feedEnd(), BEGINNING)
    await store.save(message())
    t.strictSame(ids((await store.feed(EVERYTHING, BEGINNING, 10)).rows), ['m1'], 'what comes first lies behind it')
  })

  t.test('from every position, in pages of every size, the rest comes once', async t => {
    const store = await storeOf(t, open, ...numbered(12))
    const all = await follow(store)
    t.strictSame(ids(all).sort(), ids(numbered(12)).sort())
    for (let place = 0; place <= 12; place++) {
      const after = place === 0 ? BEGINNING : positionBehind(all[place - 1] as FeedRow)
      for (const limit of [1, 2, 5, 12, 13]) t.strictSame(await follow(store, EVERYTHING, after, limit), all.slice(place), `after ${place}, pages of ${limit}`)
    }
    t.strictSame(await store.feedEnd(), positionBehind(all[11] as FeedRow))
  })

  t.test('what is committed while it is read comes behind everything that was read', async t => {
    const store = await storeOf(t, open)
    const met: FeedRow[] = []
    let position = BEGINNING
    const saved = new AbortController()
    const saving = (async () => {
      for (let wave = 0; wave < 30; wave++) await saveAll(store, numbered(20, wave * 20))
      saved.abort()
    })()
    for (let isLast = false; !isLast;) {
      const page = await store.feed(EVERYTHING, position, 50)
      met.push(...page.rows)
      position = page.position
      isLast = page.isLast && saved.signal.aborted
    }
    await saving
    met.push(...await follow(store, EVERYTHING, position))
    t.equal(met.length, 600)
    t.strictSame(met, await follow(store))
  })

  t.test('a filter lets through what it says, and is of no matter to positions', async t => {
    const store = await storeOf(t, open, ...numbered(9), { ...message({ message_id: 'w', from: '+1' }), source: 'whatsapp' })
    const all = await follow(store)
    for (const filter of [{ from: '+1' }, { from: '+2', source: 'webhook' }, { source: 'whatsapp' }, { from: '+1', source: 'whatsapp' }, { from: '+1', source: undefined }, { from: '+9' }, { from: '' },
      { source: '' }, { from: "'" }, { from: '+1\u0000' }, { source: '\ud800' }] as FeedFilter[]) {
      const expected = all.filter(({ from, source }) => from === (filter.from ?? from) && source === (filter.source ?? source))
      for (const limit of [1, 2, 100]) t.strictSame(await follow(store, filter, BEGINNING, limit), expected, JSON.stringify(filter))
      const { position } = await store.feed(filter, BEGINNING, 100)
      t.strictSame(await store.feed(EVERYTHING, position, 1), { rows: [], position, isLast: true }, 'it has looked to the end')
    }
  })

  t.test('a page looks at some rows only, and says how far', async t => {
    const store = await storeOf(t, open, ...numbered(2500), message({ message_id: 'rare', from: '+99' }))
    const first = await store.feed({ from: '+99' }, BEGINNING, 10)
    t.match([first.rows, first.isLast], [[], false])
    t.ok(first.position.seq > 1000)
    const second = await store.feed({ from: '+99' }, first.position, 10)
    t.match([ids(second.rows), second.isLast], [['rare'], true])
  })

  t.test('a position of another database is refused, and so is one that nothing has come to', async t => {
    const store = await storeOf(t, open, ...numbered(3))
    const end = await store.feedEnd()
    for (const position of [{ ...end, mark: 'f'.repeat(16) }, { ...end, seq: end.seq + 1 }, { ...end, seq: end.seq - 1 }, { ...end, seq: Number.MAX_SAFE_INTEGER }]) {
      for (const filter of [EVERYTHING, { from: '+1' }]) await t.rejects(store.feed(filter, position, 10), UnknownPosition, JSON.stringify(position))
    }
    await t.resolves(store.feed(EVERYTHING, end, 10))
  })
}
