/** The counters of a SQLite file against its rows. */
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Arrival } from '../../../src/message.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { untilIndexed, wrongCounters } from './inspect.ts'
import { select, statsOf } from './reference.ts'
import { SILENT, message, saveAll } from './suite/common.ts'

const second = fc.oneof(
  fc.constantFrom('0001-01-01T00:00:00', '9999-12-31T23:59:59', '2024-02-29T12:00:00', '2024-12-31T23:59:59', '2025-01-01T00:00:00', '2025-01-01T00:00:01', '2025-01-01T00:01:00'),
  fc.date({ min: new Date('2024-01-01T00:00:00Z'), max: new Date('2025-12-31T23:59:59Z'), noInvalidDate: true }).map(date => date.toISOString().slice(0, 19))
)
const ts = fc.tuple(second, fc.constantFrom('', '', '.1', '.09', '.5', '.000000001', '.999999999')).map(parts => `${parts.join('')}Z`)
const number = fc.integer({ min: 1, max: 30 }).map(n => `+${n}`)
const messages = fc.array(fc.record<Arrival>({
  message_id: fc.integer({ min: 1, max: 2000 }).map(n => `m${n}`), from: number, to: number, ts, text: fc.constant('x'), source: fc.constantFrom('webhook', 'whatsapp')
}), { minLength: 1, maxLength: 80, size: 'max' })
const maybe = fc.option(ts, { nil: undefined, freq: 4 })

t.test('after any batches of messages the counters are what counting the rows says', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  const known: Arrival[] = []
  await fc.assert(fc.asyncProperty(messages, number, maybe, maybe, async (batch, msisdn, since, until) => {
    const results = await saveAll(store, batch)
    known.push(...batch.filter((_, index) => results[index] === 'created'))
    const wrong = wrongCounters(file)
    if (wrong.length > 0) throw new Error(JSON.stringify(wrong))
    for (const filter of [{}, { from: msisdn }, { to: msisdn }, { source: 'webhook' }, { source: 'whatsapp' }, { source: 'nobody' }, { since, until }, { since: until, until: since }]) {
      const { total } = await store.page(filter, 1, 0)
      const expected = select(known, filter).length
      if (total !== expected) throw new Error(`${JSON.stringify(filter)}: ${total}, not ${expected}`)
    }
  }), { numRuns: 60, endOnFailure: true })
  t.strictSame(await store.stats(), statsOf(known))
  await untilIndexed(file)
  t.strictSame(await store.stats(), statsOf(known))
  t.strictSame(wrongCounters(file), [])
  t.ok(known.length > 500)
})

t.test('a sender is overtaken and comes back among the busiest, one message at a time', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  let id = 0
  for (let round = 0; round < 6; round++) {
    for (let sender = 0; sender < 12; sender++) await store.save(message({ message_id: `m${++id}`, from: `+${(sender * 7 + round * 5) % 12 + 10}` }))
    for (let extra = 0; extra < round; extra++) await store.save(message({ message_id: `m${++id}`, from: `+${21 - round}` }))
    t.strictSame(wrongCounters(file), [])
    await untilIndexed(file)
    t.strictSame(wrongCounters(file), [])
  }
})
