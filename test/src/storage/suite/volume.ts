import fc from 'fast-check'
import type { Test } from 'tap'
import type { Message } from '../../../../src/message.ts'
import type { MessageStore } from '../../../../src/storage/message-store.ts'
import { INTERVALS, seriesOf, spanOf, type Interval } from '../../../../src/volume.ts'
import { volumeOf } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'
import { message, saveAll, storeOf } from './common.ts'

/** Beginnings, ends and leaps of years, months, days, hours and minutes. */
const MOMENTS = [
  '0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000001Z', '0001-01-01T23:59:59.999999999Z', '0099-12-31T23:59:59Z', '1969-12-31T23:59:59.5Z',
  '1970-01-01T00:00:00Z', '2023-02-28T23:59:59Z', '2024-02-28T23:59:59.999Z', '2024-02-29T00:00:00Z', '2024-02-29T23:59:59.1Z', '2024-03-01T00:00:00Z',
  '2025-01-15T10:00:00Z', '2025-01-15T10:00:00.5Z', '2025-01-15T10:00:59.999999999Z', '2025-01-15T10:01:00Z', '2025-01-15T11:00:00Z',
  '9999-12-31T00:00:00Z', '9999-12-31T23:59:00Z', '9999-12-31T23:59:59.999999999Z'
]
const MESSAGES: Message[] = MOMENTS.flatMap((ts, index) =>
  Array.from({ length: 1 + index % 3 }, (_, copy) => message({ message_id: `${ts} ${copy}`, ts, from: `+${1 + (index + copy) % 2}` })))

async function check (store: MessageStore, known: readonly Message[], interval: Interval, since: string, until: string, from?: string): Promise<string[]> {
  const span = spanOf(interval, since, until, 0)
  const [actual, expected] = [await store.volume(span, from), volumeOf(known, interval, since, until, from)].map(each => JSON.stringify(each))
  return actual === expected ? [] : [`${interval} ${since} ${until} ${from}: ${actual}, not ${expected}`]
}

export async function volume (t: Test, open: OpenStore): Promise<void> {
  t.test('each interval has the messages of its time, from the first year to the last', async t => {
    const store = await storeOf(t, open, ...MESSAGES)
    const wrong: string[] = []
    for (const interval of INTERVALS) {
      for (const from of [undefined, '+1', '+2', '+3', '\u0000']) {
        wrong.push(...await check(store, MESSAGES, interval, '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', from))
        for (const [index, since] of MOMENTS.entries()) {
          for (const until of MOMENTS.slice(index, index + 3)) wrong.push(...await check(store, MESSAGES, interval, since, until, from))
        }
      }
    }
    t.strictSame(wrong, [])
  })

  t.test('a store without a message has none in any interval', async t => {
    const store = await storeOf(t, open)
    for (const from of [undefined, '+1']) t.strictSame(await store.volume(spanOf('day', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 0), from), [])
  })

  t.test('a message that was stored is in the next answer, whether it is counted already or not', async t => {
    const store = await storeOf(t, open)
    const span = spanOf('minute', '2025-01-15T10:00:00Z', '2025-01-15T10:02:00Z', 0)
    for (let round = 1; round <= 50; round++) {
      await saveAll(store, [message({ message_id: `a${round}` }), message({ message_id: `b${round}`, ts: '2025-01-15T10:01:59.9Z', from: '+1' })])
      t.strictSame(seriesOf(span, await store.volume(span)), [{ ts: '2025-01-15T10:00:00Z', count: round }, { ts: '2025-01-15T10:01:00Z', count: round }])
      t.strictSame(seriesOf(span, await store.volume(span, '+1')), [{ ts: '2025-01-15T10:00:00Z', count: 0 }, { ts: '2025-01-15T10:01:00Z', count: round }])
    }
  })

  t.test('any span of any messages is what a plain array says, while more come in', async t => {
    const store = await storeOf(t, open)
    const known: Message[] = []
    const ts = fc.oneof(
      fc.constantFrom(...MOMENTS),
      fc.date({ min: new Date('2024-02-27T00:00:00Z'), max: new Date('2024-03-02T00:00:00Z'), noInvalidDate: true }).map(date => date.toISOString().replace('.000Z', 'Z'))
    )
    const from = fc.constantFrom('+1', '+2', '+3')
    await fc.assert(fc.asyncProperty(
      fc.array(fc.tuple(ts, from), { maxLength: 40, size: 'max' }), fc.constantFrom(...INTERVALS), ts, ts, fc.option(from, { nil: undefined }),
      async (batch, interval, one, other, sender) => {
        const messages = batch.map(([ts, from], index) => message({ message_id: `m${known.length + index}`, ts, from }))
        await saveAll(store, messages)
        known.push(...messages)
        const [since, until] = one.slice(0, -1) < other.slice(0, -1) ? [one, other] : [other, one]
        const wrong = await check(store, known, interval, since, until, sender)
        if (wrong.length > 0) throw new Error(wrong.join())
      }
    ), { numRuns: 100, endOnFailure: true })
    t.ok(known.length > 500)
  })
}
