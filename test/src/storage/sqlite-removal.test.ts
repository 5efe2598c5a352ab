/** What removing messages leaves in a SQLite file: counters that equal the rows, an index without them, and room for others. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Arrival } from '../../../src/message.ts'
import type { MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import type { Removal } from '../../../src/storage/removed.ts'
import { inspect, untilIndexed, wrongCounters } from './inspect.ts'
import { statsOf } from './reference.ts'
import { SILENT, message, saveAll } from './suite/common.ts'
import { removeAll } from './suite/removals.ts'

async function open (t: Test): Promise<{ file: string, store: MessageStore }> {
  const file = join(t.testdir(), 'app.db')
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  return { file, store }
}

t.test('after any saves and removals the counters are what counting the rows says', async t => {
  const { file, store } = await open(t)
  let known: Arrival[] = []
  let id = 0
  const day = fc.integer({ min: 1, max: 9 }).map(n => `2025-01-0${n}T00:00:00.000Z`)
  const number = fc.integer({ min: 1, max: 300 }).map(n => `+${Math.ceil(Math.sqrt(n))}${n % 7}`)
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.tuple(number, number, day), { minLength: 1, maxLength: 150, size: 'max' }) },
    { weight: 2, arbitrary: fc.oneof<fc.Arbitrary<Removal>[]>(number.map(from => ({ from })), day.map(receivedBefore => ({ receivedBefore })), fc.nat().map(n => ({ messageId: `m${n % 3000}` }))) }
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 10 }), async steps => {
    for (const step of steps) {
      if (Array.isArray(step)) {
        const batch = step.map(([from, to, day]) => ({ ...message({ message_id: `m${++id}`, from, to, ts: day.replace('00:00', `0${id % 10}:${10 + id % 50}`), text: `No. ${id % 9}` }), source: id % 3 === 0 ? 'whatsapp' : 'webhook', received_at: day }))
        await saveAll(store, batch)
        known.push(...batch)
      } else {
        const isMeant = (each: Arrival): boolean => 'from' in step ? each.from === step.from : 'messageId' in step ? each.message_id === step.messageId : 'receivedBefore' in step && (each.received_at ?? '') < step.receivedBefore
        const removed = await removeAll(store, step)
        if (removed !== known.filter(isMeant).length) throw new Error(`${removed} were removed`)
        known = known.filter(each => !isMeant(each))
      }
      const wrong = wrongCounters(file)
      if (wrong.length > 0) throw new Error(JSON.stringify(wrong))
    }
    const [actual, expected] = [JSON.stringify(await store.stats()), JSON.stringify(statsOf(known))]
    if (actual !== expected) throw new Error(`${actual}, not ${expected}`)
  }), { numRuns: 25, endOnFailure: true })
  await untilIndexed(file)
  t.strictSame(wrongCounters(file), [])
  t.strictSame(inspect(file, database => database.prepare("INSERT INTO messages_search (messages_search) VALUES ('integrity-check')").run().changes >= 0), true)
  for (let n = 0; n < 9; n++) t.equal((await store.page({ q: `No. ${n}` }, 1, 0)).total, known.filter(({ text }) => text === `No. ${n}`).length)
})

t.test('no text is found any more, and its room is used again', async t => {
  const { file, store } = await open(t)
  const fill = async (round: number): Promise<void> => {
    await saveAll(store, Array.from({ length: 2000 }, (_, index) => message({ message_id: `${round} ${index}`, text: `secret${round} ${'x'.repeat(500)} ${index}` })))
    await untilIndexed(file)
  }
  await fill(0)
  const sizes: number[] = []
  for (let round = 1; round <= 6; round++) {
    await fill(round)
    t.equal(await removeAll(store, { receivedBefore: new Date(Date.now() + 1000).toISOString() }), round === 1 ? 4000 : 2000)
    t.equal((await store.page({ q: 'secret' }, 1, 0)).total, 0)
    inspect(file, database => database.pragma('wal_checkpoint(TRUNCATE)'))
    sizes.push(statSync(file).size)
  }
  t.equal(inspect(file, database => database.prepare('SELECT count(*) FROM messages').pluck().get()), 0)
  t.ok((sizes.at(-1) ?? 0) <= (sizes[1] ?? 0) * 1.1, `${sizes.join()}`)
  await store.save(message({ message_id: 'last', text: 'not a secret' }))
  t.equal((await store.page({ q: 'secret' }, 1, 0)).total, 1)
})

t.test('places in the order of commits are not given out again, also after a restart', async t => {
  const { file, store } = await open(t)
  const last = (): unknown => inspect(file, database => database.prepare('SELECT max(seq) FROM messages').pluck().get())
  await saveAll(store, Array.from({ length: 10 }, (_, index) => message({ message_id: `m${index}` })))
  t.equal(last(), 10)
  for (const id of ['m9', 'm8', 'm7']) await store.remove({ messageId: id })
  await store.save(message({ message_id: 'next' }))
  t.equal(last(), 11)
  await removeAll(store, { from: '+919876543210' })
  await store.close()
  const again = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => again.close())
  await again.save(message({ message_id: 'after' }))
  t.equal(last(), 12)
  t.equal((await again.page({ q: 'hello' }, 1, 0)).total, 1)
})

t.test('a table that is missing is a store that is unavailable', async t => {
  const { file, store } = await open(t)
  await store.save(message())
  inspect(file, database => database.exec('DROP TABLE removed_ids'))
  await t.rejects(store.remove({ messageId: 'm1' }), { name: 'StoreUnavailable', message: 'the database could not be changed' })
  await t.rejects(store.ping(), { name: 'StoreUnavailable' })
  t.ok(await store.get('m1'), 'nothing of it was done')
})

t.test('a search for what is old or may be forgotten ends with its signal', async t => {
  const { store } = await open(t)
  await saveAll(store, Array.from({ length: 3 }, (_, index) => message({ message_id: `m${index}` })))
  const removal = { receivedBefore: new Date(Date.now() + 60_000).toISOString() }
  t.equal(await store.remove(removal, AbortSignal.abort()), 0)
  t.equal(await store.count(), 3)
  t.equal(await removeAll(store, removal), 3)
  t.equal(await store.forget(Infinity, AbortSignal.abort()), 0)
  t.equal(await store.save(message({ message_id: 'm1' })), 'duplicate')
})

t.test('many messages, of which none is old, are looked through once', async t => {
  const { file, store } = await open(t)
  await saveAll(store, Array.from({ length: 2100 }, (_, index) => message({ message_id: `m${index}` })))
  const blocks = (): unknown => inspect(file, database => database.prepare('SELECT count(*) FROM receipts').pluck().get())
  t.equal(blocks(), 0, 'who removes nothing by age has no entries')
  t.equal(await store.remove({ receivedBefore: '2025-01-01T00:00:00.000Z' }), 0)
  t.equal(blocks(), 2)
})

t.test('a database that removed by indexes goes on without them', async t => {
  const { file, store } = await open(t)
  await saveAll(store, ['a', 'b', 'c'].map(id => message({ message_id: id })))
  await store.remove({ messageId: 'a' })
  await store.close()
  inspect(file, database => database.exec(`
    DROP TABLE receipts;
    DELETE FROM totals WHERE name IN ('dated', 'unmerged', 'merging');
    DELETE FROM schema_version WHERE version = 6;
    CREATE INDEX messages_by_receipt ON messages (created_at) WHERE listed = 1;
    CREATE INDEX removed_ids_by_day ON removed_ids (day)`))
  const again = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => again.close())
  t.strictSame(inspect(file, database => database.prepare("SELECT name FROM sqlite_schema WHERE name IN ('messages_by_receipt', 'removed_ids_by_day')").all()), [])
  t.equal(await again.save(message({ message_id: 'a' })), 'duplicate')
  t.equal(await removeAll(again, { receivedBefore: new Date(Date.now() + 60_000).toISOString() }), 2)
  t.strictSame(wrongCounters(file), [])
})
