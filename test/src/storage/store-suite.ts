import type { Test } from 'tap'
import type { MessageStore, StoreObserver } from '../../../src/storage/message-store.ts'
import { closing } from './suite/closing.ts'
import { model } from './suite/model.ts'
import { pages } from './suite/pages.ts'
import { saves } from './suite/saves.ts'
import { searches } from './suite/searches.ts'
import { statistics } from './suite/statistics.ts'

/** Opens a new, empty store that is gone with the test. The suite closes it. */
export type OpenStore = (t: Test, observer: StoreObserver) => Promise<MessageStore>

/** The whole behaviour of a MessageStore, the same for every backend. */
export async function storeSuite (t: Test, name: string, open: OpenStore): Promise<void> {
  await t.test(name, async t => {
    await t.test('saves', t => saves(t, open))
    await t.test('pages', t => pages(t, open))
    await t.test('searches', t => searches(t, open))
    await t.test('statistics', t => statistics(t, open))
    await t.test('closing', t => closing(t, open))
    await t.test('against a plain array', t => model(t, open))
  })
}
