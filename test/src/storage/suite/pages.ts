import type { Test } from 'tap'
import type { Page } from '../../../../src/storage/message-store.ts'
import { compareCodePoints } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'
import { EVERYTHING, ids, message, saveAll, storeOf, walk } from './common.ts'

/** Eleven messages, in their order. */
const LIST = [
  message({ message_id: 'c', ts: '0001-01-01T00:00:00Z', from: '+1', to: '+9' }),
  message({ message_id: 'b', ts: '2025-01-15T09:59:59.999999999Z', from: '+2', to: '+9' }),
  message({ message_id: 'B', ts: '2025-01-15T10:00:00Z', from: '+1', to: '+8' }),
  message({ message_id: 'a', ts: '2025-01-15T10:00:00Z', from: '+2', to: '+8' }),
  message({ message_id: 'z', ts: '2025-01-15T10:00:00.000000001Z', from: '+1', to: '+9' }),
  message({ message_id: 'y', ts: '2025-01-15T10:00:00.09Z', from: '+11', to: '+9' }),
  message({ message_id: 'x', ts: '2025-01-15T10:00:00.1Z', from: '+1', to: '+8' }),
  message({ message_id: 'w', ts: '2025-01-15T10:00:00.5Z', from: '+2', to: '+8', text: null }),
  message({ message_id: 'v', ts: '2025-01-15T10:00:01Z', from: '+1', to: '+9' }),
  message({ message_id: 'u', ts: '2025-01-15T10:00:10Z', from: '+2', to: '+9' }),
  message({ message_id: 't', ts: '9999-12-31T23:59:59.999999999Z', from: '+1', to: '+8' })
]
const SHUFFLED = LIST.toSorted((a, b) => compareCodePoints(a.message_id, b.message_id))

export async function pages (t: Test, open: OpenStore): Promise<void> {
  t.test('messages come by time, to the nanosecond, and then by id', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    t.strictSame((await store.page(EVERYTHING, 50, 0)).messages, LIST)
  })

  t.test('ids at one moment come by code point', async t => {
    const sorted = [
      '\u0001', ' ', '!', '0', '10', '9', 'A', 'B', 'Z', '_', 'a', 'aa', 'b', 'z', '\u007f', '\u0080', 'e\u0301', 'é', 'ÿ', 'Ā', 'я', 'か',
      '\ue000', '\uffee', '\uffff', '\u{10000}', '😀', '😁', '\u{10ffff}'
    ].sort(compareCodePoints)
    const store = await storeOf(t, open, ...sorted.toReversed().map(id => message({ message_id: id })))
    t.strictSame(ids((await store.page(EVERYTHING, 100, 0)).messages), sorted)
    t.strictSame(ids(await walk(store, EVERYTHING, 1)), sorted)
  })

  t.test('a page is a window on the list, and the total is of the whole', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    for (const [limit, offset] of [[1, 0], [4, 0], [4, 4], [4, 8], [11, 0], [10, 1], [100, 0], [100, 10], [1, 10], [1, 11], [50, 5000]] as const) {
      const { messages, total, next } = await store.page(EVERYTHING, limit, offset)
      t.strictSame(messages, LIST.slice(offset, offset + limit), `limit ${limit}, offset ${offset}`)
      t.equal(total, 11)
      t.equal(next !== undefined, offset + limit < 11, 'the list goes on')
    }
  })

  t.test('an offset past the end is an empty page, however large', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    for (const offset of [11, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      t.strictSame(await store.page(EVERYTHING, 50, offset), { messages: [], total: 11, next: undefined }, String(offset))
    }
  })

  t.test('an empty store has an empty page', async t => {
    const store = await storeOf(t, open)
    t.strictSame(await store.page(EVERYTHING, 50, 0), { messages: [], total: 0, next: undefined })
    t.strictSame(await store.pageAfter(EVERYTHING, 50, { ts: '2025-01-15T10:00:00Z', message_id: 'm1' }), { messages: [], next: undefined })
  })

  t.test('a walk meets every row once, whatever the size of its pages', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    for (const limit of [1, 2, 3, 5, 10, 11, 12, 100]) t.strictSame(await walk(store, EVERYTHING, limit), LIST, `pages of ${limit}`)
  })

  t.test('a walk can begin at any page', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    for (let offset = 0; offset < 8; offset++) {
      const { next } = await store.page(EVERYTHING, 3, offset)
      t.ok(next)
      if (next) t.strictSame((await store.pageAfter(EVERYTHING, 50, next)).messages, LIST.slice(offset + 3))
    }
  })

  t.test('a page begins behind its position, whether a row is there or not', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    for (const [ts, id, index] of [
      ['0001-01-01T00:00:00Z', '', 0], ['0001-01-01T00:00:00Z', 'c', 1], ['2025-01-15T10:00:00Z', '', 2], ['2025-01-15T10:00:00Z', 'A', 2],
      ['2025-01-15T10:00:00Z', 'B', 3], ['2025-01-15T10:00:00Z', 'C', 3], ['2025-01-15T10:00:00Z', 'a', 4], ['2025-01-15T10:00:00Z', '\u{10ffff}', 4],
      ['2025-01-15T10:00:00.05Z', 'a', 5], ['9999-12-31T23:59:59.999999999Z', 's', 10], ['9999-12-31T23:59:59.999999999Z', 't', 11]
    ] as const) {
      t.strictSame((await store.pageAfter(EVERYTHING, 50, { ts, message_id: id })).messages, LIST.slice(index), `${ts} ${id}`)
    }
  })

  t.test('a walk meets what was there when it began, though rows are added meanwhile', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    const met: string[] = []
    let page: Page = await store.page(EVERYTHING, 2, 0)
    for (let round = 0; ; round++) {
      met.push(...ids(page.messages))
      if (page.next === undefined) break
      await saveAll(store, [
        message({ message_id: `before ${round}`, ts: '0001-01-01T00:00:00Z' }), message({ message_id: `among ${round}`, ts: '2025-01-15T10:00:00Z' })
      ])
      page = await store.pageAfter(EVERYTHING, 2, page.next)
    }
    t.strictSame(met.filter(id => !id.includes(' ')), ids(LIST))
    t.equal(new Set(met).size, met.length)
  })

  t.test('filters are exact, half open in time, and combine with AND', async t => {
    const store = await storeOf(t, open, ...SHUFFLED)
    for (const [filter, expected] of [
      [{ from: '+1' }, 'cBzxvt'], [{ from: '+11' }, 'y'], [{ from: '+' }, ''], [{ from: '1' }, ''], [{ from: ' 1' }, ''], [{ from: '' }, ''],
      [{ from: '%' }, ''], [{ from: '+1\u0000' }, ''], [{ from: '+\ud800' }, ''], [{ to: '+8' }, 'Baxwt'], [{ to: '+1' }, ''],
      [{ since: '2025-01-15T10:00:00Z' }, 'Bazyxwvut'], [{ until: '2025-01-15T10:00:00Z' }, 'cb'],
      [{ since: '2025-01-15T10:00:00.1Z', until: '2025-01-15T10:00:00.5Z' }, 'x'],
      [{ since: '2025-01-15T10:00:00.05Z', until: '2025-01-15T10:00:00.1Z' }, 'y'],
      [{ since: '2025-01-15T10:00:00Z', until: '2025-01-15T10:00:00Z' }, ''], [{ since: '2025-01-15T10:00:01Z', until: '2025-01-15T10:00:00Z' }, ''],
      [{ since: '9999-12-31T23:59:59.999999999Z' }, 't'], [{ until: '0001-01-01T00:00:00Z' }, ''],
      [{ since: '0001-01-01T00:00:00Z', until: '9999-12-31T23:59:59.999999999Z' }, 'cbBazyxwvu'],
      [{ from: '+1', to: '+8' }, 'Bxt'], [{ from: '+2', to: '+8', since: '2025-01-15T10:00:00.000000001Z', until: '2025-01-15T10:00:01Z' }, 'w'],
      [{ from: '+1', to: '+8', q: 'hello', since: '2025-01-15T10:00:00.1Z', until: '9999-12-31T23:59:59.999999999Z' }, 'x'],
      [{ from: undefined, to: undefined, since: undefined, until: undefined, q: undefined }, 'cbBazyxwvut']
    ] as const) {
      const { messages, total } = await store.page(filter, 50, 0)
      t.equal(ids(messages).join(''), expected, JSON.stringify(filter))
      t.equal(total, expected.length)
      t.equal(ids(await walk(store, filter, 2)).join(''), expected, 'in pages of two')
    }
  })
}
