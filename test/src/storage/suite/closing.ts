import type { Test } from 'tap'
import { BEGINNING } from '../../../../src/storage/feed-position.ts'
import { StoreUnavailable } from '../../../../src/storage/errors.ts'
import type { OpenStore } from '../store-suite.ts'
import { EVERYTHING, message, saveAll, storeOf } from './common.ts'

const POSITION = { ts: '2025-01-15T10:00:00Z', message_id: 'm1' }

export async function closing (t: Test, open: OpenStore): Promise<void> {
  t.test('an open store answers a ping', async t => {
    const store = await storeOf(t, open)
    await t.resolves(store.ping())
    await store.save(message())
    await t.resolves(store.ping())
  })

  t.test('a closed store can do nothing now', async t => {
    const store = await storeOf(t, open, message())
    await store.close()
    for (const [name, attempt] of Object.entries<() => Promise<unknown>>({
      save: () => store.save(message({ message_id: 'm2' })),
      'save of a known message': () => store.save(message()),
      get: () => store.get('m1'),
      page: () => store.page(EVERYTHING, 50, 0),
      pageAfter: () => store.pageAfter(EVERYTHING, 50, POSITION),
      feed: () => store.feed(EVERYTHING, BEGINNING, 50),
      feedEnd: () => store.feedEnd(),
      stats: () => store.stats(),
      count: () => store.count(),
      ping: () => store.ping()
    })) await t.rejects(async () => { await attempt() }, StoreUnavailable, name)
  })

  t.test('who is turned away is told when to come again', async t => {
    const store = await storeOf(t, open)
    await store.close()
    const error = await store.save(message()).then(() => undefined, (error: unknown) => error)
    t.ok(error instanceof StoreUnavailable && Number.isInteger(error.retryAfter) && error.retryAfter > 0)
  })

  t.test('closing twice, one after the other or at once, is closing', async t => {
    const store = await storeOf(t, open)
    await store.close()
    await t.resolves(store.close())
    const other = await storeOf(t, open)
    await t.resolves(Promise.all([other.close(), other.close()]))
  })

  t.test('saves that were accepted before the close are finished', async t => {
    const store = await storeOf(t, open)
    const saves = saveAll(store, Array.from({ length: 200 }, (_, index) => message({ message_id: `m${index}` })))
    await store.close()
    t.ok((await saves).every(result => result === 'created'))
  })
}
