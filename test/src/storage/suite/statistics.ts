import type { Test } from 'tap'
import type { Message } from '../../../../src/message.ts'
import { statsOf } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'
import { message, saveAll, storeOf } from './common.ts'

/** So many messages from each sender. */
function messagesFrom (senders: Readonly<Record<string, number>>): Message[] {
  return Object.entries(senders).flatMap(([from, count]) =>
    Array.from({ length: count }, (_, index) => message({ message_id: `${from} ${index}`, from })))
}

export async function statistics (t: Test, open: OpenStore): Promise<void> {
  t.test('an empty store has nothing to count', async t => {
    const store = await storeOf(t, open)
    t.equal(await store.count(), 0)
    t.strictSame(await store.stats(), {
      total_messages: 0, senders_count: 0, messages_per_sender: [], first_message_ts: null, last_message_ts: null
    })
  })

  t.test('senders come by their count, equal ones by their number', async t => {
    const store = await storeOf(t, open, ...messagesFrom({ '+3': 2, '+20': 5, '+1': 2, '+100': 2, '+2': 1 }))
    t.strictSame((await store.stats()).messages_per_sender, [
      { from: '+20', count: 5 }, { from: '+1', count: 2 }, { from: '+100', count: 2 }, { from: '+3', count: 2 }, { from: '+2', count: 1 }
    ])
  })

  t.test('the ten busiest senders are listed, and all are counted', async t => {
    const senders = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`+${index + 10}`, index < 12 ? 2 : 3]))
    const store = await storeOf(t, open, ...messagesFrom(senders))
    const stats = await store.stats()
    t.equal(stats.total_messages, 33)
    t.equal(stats.senders_count, 15)
    t.strictSame(stats.messages_per_sender.map(({ from }) => from), ['+22', '+23', '+24', '+10', '+11', '+12', '+13', '+14', '+15', '+16'])
  })

  t.test('first and last are the extremes of time, whatever the order of saves', async t => {
    const store = await storeOf(t, open)
    for (const [ts, first, last] of [
      ['2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00.5Z'],
      ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z', '2025-01-15T10:00:00.5Z'],
      ['2025-01-15T10:00:00.45Z', '2025-01-15T10:00:00Z', '2025-01-15T10:00:00.5Z'],
      ['2025-01-15T10:00:01Z', '2025-01-15T10:00:00Z', '2025-01-15T10:00:01Z'],
      ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '2025-01-15T10:00:01Z'],
      ['9999-12-31T23:59:59.999999999Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z']
    ] as const) {
      await store.save(message({ message_id: ts, ts }))
      t.match(await store.stats(), { first_message_ts: first, last_message_ts: last })
    }
  })

  t.test('a duplicate is not counted', async t => {
    const store = await storeOf(t, open, message())
    const before = await store.stats()
    await saveAll(store, [message(), message({ from: '+7', ts: '2030-01-01T00:00:00Z' }), message({ from: '+8' })])
    t.strictSame(await store.stats(), before)
    t.equal(await store.count(), 1)
  })

  t.test('counts hold after many concurrent saves with duplicates inside', async t => {
    const store = await storeOf(t, open)
    const messages = Array.from({ length: 1000 }, (_, index) => message({
      message_id: `m${index % 600}`, from: `+${(index % 600) % 23}`, ts: `2025-01-15T10:00:${String(index % 60).padStart(2, '0')}Z`
    }))
    const results = await saveAll(store, messages)
    t.strictSame(await store.stats(), statsOf(messages.filter((_, index) => results[index] === 'created')))
    t.equal(await store.count(), 600)
  })
}
