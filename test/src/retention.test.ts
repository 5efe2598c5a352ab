import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Arrival } from '../../src/message.ts'
import { Retention, type RetentionObserver } from '../../src/retention.ts'
import type { MessageStore } from '../../src/storage/message-store.ts'
import { openMessageStore } from '../../src/storage/open.ts'
import { dayOf, type Removal } from '../../src/storage/removed.ts'
import { inspect } from './storage/inspect.ts'
import { EVERYTHING, SILENT, ids, message, saveAll, walk } from './storage/suite/common.ts'

const DAY = 86_400_000

/** A message of so many days ago. */
function aged (id: string, days: number): Arrival {
  return { ...message({ message_id: id }), source: 'webhook', received_at: new Date(Date.now() - days * DAY).toISOString() }
}

async function open (t: Test, ...messages: Arrival[]): Promise<{ store: MessageStore, file: string }> {
  const file = join(t.testdir(), 'app.db')
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  await saveAll(store, messages)
  return { store, file }
}

/** Tells what was removed. */
function observer (removed: RetentionObserver['removed'], failed: (message: string) => void = () => {}): RetentionObserver {
  return { removed, failed: ({ message }) => { failed(message) } }
}

async function until (isSo: () => Promise<boolean>): Promise<void> {
  while (!await isSo()) await delay(5)
}

t.test('what is older is removed, now and later, and told', async t => {
  const { store } = await open(t, ...Array.from({ length: 600 }, (_, index) => aged(`old ${index}`, 31)), aged('young', 29))
  const told: [messages: number, receivedBefore: string][] = []
  const retention = new Retention(store, { retentionDays: 30, dedupeDays: 7, interval: 10 }, observer((...what) => told.push(what)))
  retention.start()
  retention.start()
  await until(async () => told.length === 1)
  t.equal(told[0]?.[0], 600)
  t.ok(Math.abs(Date.parse(told[0]?.[1] ?? '') - (Date.now() - 30 * DAY)) < 60_000)
  t.strictSame(ids(await walk(store, EVERYTHING, 100)), ['young'])
  await store.save(aged('late', 40))
  await until(async () => told.length === 2)
  t.equal(told[1]?.[0], 1)
  await retention.stop()
  await store.save(aged('later', 40))
  await delay(50)
  t.equal(told.length, 2)
})

t.test('ids of removed messages are forgotten when their days are over, without retention too', async t => {
  const { store, file } = await open(t, message(), message({ message_id: 'm2' }))
  await store.remove({ messageId: 'm1' })
  await store.remove({ messageId: 'm2' })
  const known = (): number => inspect(file, database => database.prepare('SELECT count(*) FROM removed_ids').pluck().get() as number)
  const age = (days: number): unknown => inspect(file, database => database.prepare('UPDATE removed_ids SET day = ? WHERE hash = (SELECT min(hash) FROM removed_ids)').run(dayOf(Date.now()) - days))
  age(7)
  const forgetting = (dedupeDays: number): Retention => {
    const retention = new Retention(store, { dedupeDays, interval: 10 }, observer(() => t.fail('nothing was to be removed'), () => t.fail('nothing failed')))
    t.teardown(() => retention.stop())
    retention.start()
    return retention
  }
  const first = forgetting(7)
  await delay(100)
  await first.stop()
  t.equal(known(), 2, 'for seven whole days')
  // The day after is another one to forget up to.
  forgetting(6)
  await until(async () => known() === 1)
})

t.test('a store that is unavailable is asked again, and that is told once for each reason', async t => {
  const { store } = await open(t, aged('old', 3))
  let refusals = 3
  const flaky: MessageStore = Object.create(store, {
    // Others are at it.
    queueDepth: { value: 1 },
    forget: { value: (before: number) => store.forget(before) },
    remove: {
      async value (removal: Removal) {
        if (refusals-- > 0) throw new Error(refusals > 0 ? 'unavailable' : 'still unavailable')
        return store.remove(removal)
      }
    }
  })
  const told: number[] = []
  const failures: string[] = []
  const retention = new Retention(flaky, { retentionDays: 1, dedupeDays: 7, interval: 5 }, observer(messages => told.push(messages), message => failures.push(message)))
  retention.start()
  await until(async () => told.length === 1)
  await retention.stop()
  t.strictSame(told, [1])
  t.strictSame(failures, ['unavailable', 'still unavailable'], 'each reason once')
  t.equal(await store.count(), 0)
})

t.test('a stop waits for the step under way, and no longer', async t => {
  const { store } = await open(t, ...Array.from({ length: 2000 }, (_, index) => aged(`old ${index}`, 3)))
  const told: number[] = []
  const retention = new Retention(store, { retentionDays: 1, dedupeDays: 7 }, observer(messages => told.push(messages)))
  retention.start()
  await until(async () => await store.count() < 2000)
  await retention.stop()
  const left = await store.count()
  t.equal(told[0], 2000 - left)
  await delay(50)
  t.equal(await store.count(), left)
})
