import type { Test } from 'tap'
import type { Arrival, StoredMessage } from '../../../../src/message.ts'
import type { Filter, MessageStore } from '../../../../src/storage/message-store.ts'
import { select, withoutOrigin } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'
import { EVERYTHING, message, saveAll, storeOf } from './common.ts'

const pad = (index: number): string => String(index).padStart(5, '0')

/** Messages that every kind of filter divides, in another order than that of the list. */
const MESSAGES: Arrival[] = Array.from({ length: 1200 }, (_, index) => {
  const place = index * 7 % 1200
  return {
    ...message({
      message_id: `m${pad(place)}`,
      from: `+${place % 3}`,
      to: `+${place % 2}`,
      ts: `2025-01-15T10:${String(Math.floor(place / 60)).padStart(2, '0')}:${String(place % 60).padStart(2, '0')}Z`,
      text: place % 5 === 0 ? null : `No. ${place} — ünïcode`
    }),
    source: place % 4 === 0 ? 'whatsapp' : 'webhook'
  }
})

const FILTERS: Filter[] = [
  EVERYTHING, { from: '+1' }, { to: '+0' }, { from: '+1', to: '+0' }, { source: 'whatsapp' }, { source: 'webhook', from: '+2' },
  { since: '2025-01-15T10:05:00Z', until: '2025-01-15T10:15:30Z' }, { q: 'ÜNÏCODE' }, { q: '. 11' }, { q: 'no', from: '+1' }, { q: 'o' },
  { from: '+9' }, { q: 'nowhere' }, { q: '\u0000' }
]

async function all (store: MessageStore, filter: Filter): Promise<StoredMessage[]> {
  const found: StoredMessage[] = []
  for await (const page of store.snapshot(filter)) found.push(...page)
  return found
}

export async function snapshots (t: Test, open: OpenStore): Promise<void> {
  t.test('everything that a filter lets through comes once, in the order of the list, with how it came in', async t => {
    const store = await storeOf(t, open, ...MESSAGES)
    for (const filter of FILTERS) t.strictSame((await all(store, filter)).map(withoutOrigin), select(MESSAGES, filter), JSON.stringify(filter))
    t.strictSame((await all(store, { q: 'No. 11 ' }))[0], await store.get('m00011'))
  })

  t.test('an empty store has no page', async t => {
    t.strictSame(await (await storeOf(t, open)).snapshot(EVERYTHING).next(), { value: undefined, done: true })
  })

  t.test('what comes in while it is read is no part of it, wherever it belongs', async t => {
    const store = await storeOf(t, open, ...MESSAGES)
    for (const [round, filter] of ([EVERYTHING, { from: '+1' }, { q: 'ünïcode' }, { q: 'o' }] satisfies Filter[]).entries()) {
      const expected = await all(store, filter)
      const found: StoredMessage[] = []
      let page = 0
      for await (const messages of store.snapshot(filter)) {
        found.push(...messages)
        const ids = Array.from({ length: 50 }, (_, index) => `${pad(index * 24)} ${round} ${page}`)
        page++
        await saveAll(store, ids.map((id, index) => message({
          message_id: `m${id}`, from: '+1', text: 'No ünïcode', ts: MESSAGES.find(each => each.message_id === `m${pad(index * 24)}`)?.ts ?? ''
        })))
      }
      t.ok(page > 1, `${page} pages`)
      t.strictSame(found, expected, JSON.stringify(filter))
      t.ok((await all(store, filter)).length > expected.length)
    }
  })

  t.test('a page is of some hundred KB, as soon as it is known what the messages weigh', async t => {
    const raw = JSON.stringify('x'.repeat(100_000))
    const store = await storeOf(t, open, ...Array.from({ length: 110 }, (_, index) => ({
      ...message({ message_id: `m${pad(index)}` }), source: 'whatsapp', ...index >= 50 && { raw }
    })))
    const sizes: number[] = []
    for await (const page of store.snapshot(EVERYTHING)) sizes.push(page.length)
    t.strictSame(sizes, [100, 5, 2, 2, 1])
  })

  t.test('who stops reading, or waits no more, ends it', async t => {
    const store = await storeOf(t, open, ...MESSAGES)
    const left = store.snapshot(EVERYTHING)
    t.equal((await left.next()).value?.length, 100)
    await left.return()
    t.strictSame(await left.next(), { value: undefined, done: true })
    const stop = new AbortController()
    const pages = store.snapshot(EVERYTHING, stop.signal)
    await pages.next()
    stop.abort()
    await t.rejects(pages.next(), { name: 'StoreUnavailable' })
    t.strictSame(await pages.next(), { value: undefined, done: true })
  })

  t.test('a store that is closed meanwhile is unavailable', async t => {
    const store = await storeOf(t, open, ...MESSAGES)
    const pages = store.snapshot(EVERYTHING)
    await pages.next()
    await store.close()
    await t.rejects(pages.next(), { name: 'StoreUnavailable' })
    await t.rejects(store.snapshot(EVERYTHING).next(), { name: 'StoreUnavailable' })
  })
}
