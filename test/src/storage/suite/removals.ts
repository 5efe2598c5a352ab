import type { Test } from 'tap'
import type { Arrival, Message } from '../../../../src/message.ts'
import type { MessageStore } from '../../../../src/storage/message-store.ts'
import { dayOf, type Removal } from '../../../../src/storage/removed.ts'
import { spanOf } from '../../../../src/volume.ts'
import { statsOf, volumeOf } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'
import { BEGINNING } from '../../../../src/storage/feed-position.ts'
import { follow } from './feed.ts'
import { EVERYTHING, count, ids, message, saveAll, storeOf, walk } from './common.ts'

/** Removes all that is meant. @returns how many */
export async function removeAll (store: MessageStore, removal: Removal): Promise<number> {
  let removed = 0
  for (let step = await store.remove(removal); step > 0; step = await store.remove(removal)) removed += step
  return removed
}

const TOMORROW = dayOf(Date.now()) + 1

export async function removals (t: Test, open: OpenStore): Promise<void> {
  t.test('a message that was removed is nowhere, and the others are where they were', async t => {
    const others = [message({ message_id: 'a' }), message({ message_id: 'M1', text: 'Hello again' })]
    const store = await storeOf(t, open, message(), ...others)
    t.equal(await store.remove({ messageId: 'm1' }), 1)
    t.equal(await store.get('m1'), undefined)
    t.strictSame((await store.page(EVERYTHING, 10, 0)).messages, [others[1], others[0]])
    t.strictSame(ids((await store.page({ q: 'hello' }, 10, 0)).messages), ['M1', 'a'])
    t.equal((await store.page({ from: '+919876543210' }, 10, 0)).total, 2)
    t.equal(await store.count(), 2)
    t.strictSame(await store.stats(), statsOf(others))
    t.equal(await store.remove({ messageId: 'm1' }), 0)
    t.equal(await store.remove({ messageId: 'm' }), 0)
  })

  t.test('it does not come back by a late delivery, alone or with others, until its id is forgotten', async t => {
    const store = await storeOf(t, open, message(), message({ message_id: 'm2' }))
    await store.remove({ messageId: 'm1' })
    t.equal(await store.save(message()), 'duplicate')
    t.strictSame(await store.saveAll([message(), message({ message_id: 'm2' }), message({ message_id: 'm3' })], [{ source: 'x', raw: '1' }]), ['duplicate', 'duplicate', 'created'])
    t.equal(await store.forget(TOMORROW - 1), 0, 'it was removed today')
    t.equal(await store.save(message()), 'duplicate')
    t.equal(await store.get('m1'), undefined)
    t.equal(await store.forget(TOMORROW), 1)
    t.equal(await store.forget(TOMORROW), 0)
    t.equal(await store.save(message({ text: 'anew' })), 'created')
    t.match(await store.get('m1'), { text: 'anew' })
  })

  t.test('all messages of a sender, the one that was stored last included', async t => {
    const of = (from: string, length: number): Arrival[] => Array.from({ length }, (_, index) => message({ message_id: `${from} ${index}`, from, text: `text ${index}` }))
    const store = await storeOf(t, open, ...of('+1', 1500), ...of('+2', 3))
    await saveAll(store, of('+1', 1501).slice(1500))
    t.equal(await removeAll(store, { from: '+1' }), 1501)
    t.strictSame(await walk(store, EVERYTHING, 100), of('+2', 3))
    t.strictSame(await store.stats(), statsOf(of('+2', 3) as never))
    t.equal(await removeAll(store, { from: '+1' }), 0)
    t.equal(await removeAll(store, { from: '+3' }), 0)
    // What comes next is found as ever, though the latest places are empty.
    await saveAll(store, of('+4', 5))
    t.strictSame(ids((await store.page({ q: 'text 4' }, 10, 0)).messages), ['+4 4'])
    t.equal((await store.page({ from: '+4' }, 10, 0)).total, 5)
    t.strictSame(await store.volume(spanOf('day', '2025-01-15T00:00:00Z', '2025-01-16T00:00:00Z', 0)), volumeOf([...of('+2', 3), ...of('+4', 5)], 'day', '2025-01-15T00:00:00Z', '2025-01-16T00:00:00Z'))
  })

  t.test('messages that were received before a moment, whatever their ts says', async t => {
    const received = (id: string, receivedAt: string, ts: string): Arrival => ({ ...message({ message_id: id, ts }), source: 'whatsapp', received_at: receivedAt })
    const store = await storeOf(t, open,
      received('old', '2025-01-01T00:00:00.000Z', '2030-01-01T00:00:00Z'), received('just before', '2025-01-01T23:59:59.999Z', '2025-01-15T10:00:00Z'),
      received('at', '2025-01-02T00:00:00.000Z', '2000-01-01T00:00:00Z'), message({ message_id: 'now', ts: '0001-01-01T00:00:00Z' }))
    t.equal(await removeAll(store, { receivedBefore: '2025-01-02T00:00:00.000Z' }), 2)
    t.strictSame(ids(await walk(store, EVERYTHING, 100)), ['now', 'at'])
    t.equal(await removeAll(store, { receivedBefore: '2025-01-02T00:00:00.000Z' }), 0)
    t.equal(await removeAll(store, { receivedBefore: '9999-01-01T00:00:00.000Z' }), 2)
    t.strictSame(await store.stats(), statsOf([]))
  })

  t.test('the busiest senders are exact when the busiest of them go, one after the other', async t => {
    const messages = Array.from({ length: 60 }, (_, sender) => Array.from({ length: 1 + sender % 7 }, (_, index) => message({ message_id: `${sender} ${index}`, from: `+${sender + 10}` }))).flat()
    const store = await storeOf(t, open, ...messages)
    let left = messages
    while (left.length > 0) {
      const { from } = (await store.stats()).messages_per_sender[0] ?? { from: '' }
      left = left.filter(each => each.from !== from)
      t.ok(await removeAll(store, { from }) > 0)
      t.strictSame(await store.stats(), statsOf(left))
    }
    t.equal(await store.count(), 0)
  })

  t.test('saves, late deliveries and removals at once leave what belongs there, once', async t => {
    const store = await storeOf(t, open)
    const all = Array.from({ length: 900 }, (_, index) => message({ message_id: `m${index}`, from: `+${index % 9}`, text: `No. ${index}` }))
    t.equal(count(await saveAll(store, all), 'created'), 900)
    const gone = new Set(['+0', '+1', '+2', '+3'])
    const late = async (): Promise<void> => {
      for (let round = 0; round < 5; round++) t.equal(count(await saveAll(store, all), 'created'), 0)
    }
    const fresh = Array.from({ length: 300 }, (_, index) => message({ message_id: `n${index}`, from: `+${index % 9}` }))
    await Promise.all([late(), saveAll(store, fresh), removeAll(store, { from: '+0' }), removeAll(store, { from: '+1' }), removeAll(store, { from: '+2' }), removeAll(store, { from: '+3' }), late()])
    for (const from of gone) await removeAll(store, { from })
    await late()
    const left = [...all, ...fresh].filter(({ from }) => !gone.has(from))
    t.strictSame(await store.stats(), statsOf(left))
    t.equal((await walk(store, EVERYTHING, 100)).length, left.length)
    t.equal((await walk(store, { q: 'no.' }, 100)).length, left.filter(({ text }) => text?.startsWith('No.')).length)
  })

  t.test('a feed goes on behind a message that was removed, and meets what comes next once', async t => {
    const store = await storeOf(t, open)
    const save = async (...some: string[]): Promise<void> => { for (const id of some) await store.save(message({ message_id: id })) }
    await save('m1', 'm2', 'm3', 'm4')
    const half = (await store.feed(EVERYTHING, BEGINNING, 2)).position
    const end = await store.feedEnd()
    for (const id of ['m4', 'm2', 'm3']) t.equal(await store.remove({ messageId: id }), 1)
    for (const position of [half, end]) t.strictSame(await store.feed(EVERYTHING, position, 10), { rows: [], position, isLast: true })
    await save('m5', 'm4', 'm6')
    for (const position of [half, end]) t.strictSame(ids(await follow(store, {}, position)), ['m5', 'm6'])
    t.strictSame(ids(await follow(store)), ['m1', 'm5', 'm6'])
    t.equal(await removeAll(store, { from: '+919876543210' }), 3)
    t.strictSame(await store.feed(EVERYTHING, end, 10), { rows: [], position: end, isLast: true })
    await save('m7')
    for (const position of [half, end, BEGINNING]) t.strictSame(ids(await follow(store, {}, position)), ['m7'])
  })

  t.test('what is being read while messages vanish is what stays, once, and what it says of them agrees', async t => {
    const all = Array.from({ length: 2600 }, (_, index) => message({
      message_id: `m${String(index * 7 % 2600).padStart(4, '0')}`, from: `+${index % 20 === 0 ? 1 : 0}`, to: `+${index % 3}`, text: index % 20 === 0 ? 'a rare word' : 'words'
    }))
    const store = await storeOf(t, open, ...all)
    const stays = all.filter(({ from }) => from === '+0')
    const so = { over: false }
    const wrong: string[] = []
    const reading = (async () => {
      do {
        for (const filter of [{ from: '+1' }, { from: '+1', to: '+2' }, { q: 'rare' }, { q: 'rare', to: '+1' }, { q: 'ra' }, { since: '2025-01-15T10:00:00Z' }]) {
          const { messages, total } = await store.page(filter, 500, 0)
          if (messages.length !== Math.min(total, 500)) wrong.push(`${messages.length} of ${total}`)
        }
      } while (!so.over)
    })()
    const walking = walk(store, EVERYTHING, 50)
    const exporting = (async () => {
      const met: Message[] = []
      for await (const page of store.snapshot(EVERYTHING)) met.push(...page)
      return met
    })()
    const following = follow(store, {}, BEGINNING, 50)
    const adding = (async () => {
      for (let sum = Infinity; sum > stays.length;) {
        const { total_messages: total, messages_per_sender: senders } = await store.stats()
        sum = senders.reduce((sum, { count }) => sum + count, 0)
        if (sum !== total) wrong.push(`${sum} of senders, ${total} in all`)
      }
    })()
    for (const { message_id: messageId, from } of all) if (from === '+1') t.equal(await store.remove({ messageId }), 1)
    so.over = true
    await Promise.all([reading, adding])
    t.strictSame(wrong, [])
    for (const read of await Promise.all([walking, exporting, following])) {
      const met = ids(read)
      t.equal(new Set(met).size, met.length)
      t.strictSame(met.filter(id => stays.some(each => each.message_id === id)).sort(), ids(stays).sort())
    }
  })

  t.test('what no message can have is not there to be removed', async t => {
    const store = await storeOf(t, open, message())
    for (const id of ['\u0000', 'm1\u0000', '\ud800', '']) {
      t.equal(await store.remove({ messageId: id }), 0)
      t.equal(await store.remove({ from: id }), 0)
    }
    t.equal(await store.count(), 1)
  })

  t.test('items that no message could be read from go by their age, and may come again', async t => {
    const store = await storeOf(t, open)
    const items = Array.from({ length: 1100 }, (_, index) => ({ source: 'x', raw: `{"n":${index}}` }))
    await store.saveAll([message()], items)
    t.equal(await removeAll(store, { unreadBefore: new Date(Date.now() - 60_000).toISOString() }), 0)
    t.equal(await removeAll(store, { unreadBefore: new Date(Date.now() + 60_000).toISOString() }), 1100)
    t.equal(await store.count(), 1)
    await store.saveAll([], items.slice(0, 2))
    t.equal(await removeAll(store, { unreadBefore: new Date(Date.now() + 60_000).toISOString() }), 2)
  })

  t.test('a store that is closed removes and forgets nothing', async t => {
    const store = await storeOf(t, open, message())
    await store.close()
    await t.rejects(store.remove({ messageId: 'm1' }), { name: 'StoreUnavailable' })
    await t.rejects(store.forget(TOMORROW), { name: 'StoreUnavailable' })
  })
}
