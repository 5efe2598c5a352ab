import type { Test } from 'tap'
import type { MessageStore, StoreObserver } from '../../../src/storage/message-store.ts'
import { closing } from './suite/closing.ts'
import { deliveries } from './suite/deliveries.ts'
import { feed } from './suite/feed.ts'
import { model } from './suite/model.ts'
import { pages } from './suite/pages.ts'
import { removals } from './suite/removals.ts'
import { saves } from './suite/saves.ts'
import { searches } from './suite/searches.ts'
import { snapshots } from './suite/snapshots.ts'
import { statistics } from './suite/statistics.ts'
import { volume } from './suite/volume.ts'

/** Opens a new, empty store that is gone with the test. The suite closes it. */
export type OpenStore = (t: Test, observer: StoreObserver) => Promise<MessageStore>

const PARTS = { saves, deliveries, feed, pages, searches, snapshots, removals, statistics, volume, closing, 'against a plain array': model }
export type Part = keyof typeof PARTS

/**
 * The behaviour of a MessageStore, the same for every backend.
 *
 * @param without parts that this store has in common with one that was put through them
 */
export async function storeSuite (t: Test, name: string, open: OpenStore, without: readonly Part[] = []): Promise<void> {
  await t.test(name, async t => {
    for (const part of Object.keys(PARTS) as Part[]) {
      if (!without.includes(part)) await t.test(part, t => PARTS[part](t, open))
    }
  })
}
