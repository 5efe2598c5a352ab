import t, { type Test } from 'tap'
import type { Message } from '../../../src/message.ts'
import { copyMessages, type CopyProgress } from '../../../src/storage/copy.ts'
import { StoreUnavailable } from '../../../src/storage/errors.ts'
import type { MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { BEGINNING } from '../../../src/storage/snapshot.ts'
import { EVERYTHING, SILENT, message, messageIn, storeOf, walk } from './suite/common.ts'

const PATIENCE = { seconds: 60, signal: new AbortController().signal }

const open = (): Promise<MessageStore> => openMessageStore('sqlite:///:memory:', SILENT)
const storeWith = (t: Test, ...messages: Message[]): Promise<MessageStore> => storeOf(t, open, ...messages)

/** Messages in the order of the list: several share a second, and some have no text. */
function messages (count: number): Message[] {
  return Array.from({ length: count }, (_, index) => message({
    message_id: `m${String(index).padStart(5, '0')}`,
    ts: new Date(1.7e12 + 1000 * Math.floor(index / 3)).toISOString().replace('.000', ''),
    text: index % 5 === 0 ? null : `No. ${index} — ünïcode 🙂`
  }))
}

async function all<Item> (items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

t.test('every message is copied, and each page is told when it is stored', async t => {
  const expected = messages(2500)
  const [source, destination] = [await storeWith(t, ...expected), await storeWith(t)]
  const counts: number[] = []
  const told: CopyProgress[] = []
  for await (const progress of copyMessages(source, destination, BEGINNING, PATIENCE)) {
    told.push(progress)
    counts.push(await destination.count())
  }
  t.strictSame(counts, [1000, 2000, 2500])
  t.match(told, [
    { copied: 1000, created: 1000, next: { message_id: 'm00999' } },
    { copied: 2000, created: 2000, next: { message_id: 'm01999' } },
    { copied: 2500, created: 2500, next: undefined }
  ])
  t.strictSame(await walk(destination, EVERYTHING, 100), expected)
})

t.test('a source without a message ends at once', async t => {
  const [source, destination] = [await storeWith(t), await storeWith(t)]
  t.strictSame(await all(copyMessages(source, destination, BEGINNING, PATIENCE)), [{ copied: 0, created: 0, next: undefined }])
})

t.test('what the destination has already stays as it is', async t => {
  const source = await storeWith(t, ...messages(10))
  const other = message({ message_id: 'm00004', text: 'other' })
  const destination = await storeWith(t, other)
  t.match(await all(copyMessages(source, destination, BEGINNING, PATIENCE)), [{ copied: 10, created: 9 }])
  t.match(await all(copyMessages(source, destination, BEGINNING, PATIENCE)), [{ copied: 10, created: 0 }])
  t.strictSame(await messageIn(destination, 'm00004'), other)
})

t.test('it goes on behind a position; what came before that is met by a walk from the beginning', async t => {
  const expected = messages(1500)
  const [source, destination] = [await storeWith(t, ...expected), await storeWith(t)]
  const { value } = await copyMessages(source, destination, BEGINNING, PATIENCE).next()
  const next = value?.next ?? BEGINNING
  const late = message({ message_id: 'late', ts: '2001-01-01T00:00:00Z' })
  await source.save(late)
  t.match(await all(copyMessages(source, destination, next, PATIENCE)), [{ copied: 500, created: 500, next: undefined }])
  t.strictSame(await walk(destination, EVERYTHING, 100), expected)
  t.match((await all(copyMessages(source, destination, BEGINNING, PATIENCE))).at(-1), { copied: 1501, created: 1 })
  t.strictSame(await walk(destination, EVERYTHING, 100), [late, ...expected])
})

t.test('only what a busy destination refused is saved again', async t => {
  class Busy extends StoreUnavailable { override readonly retryAfter = 0.01 }
  const [source, destination] = [await storeWith(t, ...messages(10)), await storeWith(t)]
  const saves: string[] = []
  const busy: MessageStore = Object.assign(Object.create(destination), {
    async save (message: Message) {
      saves.push(message.message_id)
      if (saves.length % 2 === 0) throw new Busy('busy')
      return destination.save(message)
    }
  })
  t.strictSame(await all(copyMessages(source, busy, BEGINNING, PATIENCE)), [{ copied: 10, created: 10, next: undefined }])
  t.equal(saves.length, 19, 'all 10, then the 5 that were refused, then 2, then 1 twice')
  t.strictSame(await walk(destination, EVERYTHING, 100), messages(10))
})

t.test('a source that stays unavailable ends it', async t => {
  const [source, destination] = [await storeWith(t, ...messages(1)), await storeWith(t)]
  await source.close()
  await t.rejects(all(copyMessages(source, destination, BEGINNING, { ...PATIENCE, seconds: 0 })), {
    message: 'the source was unavailable for 0 s: the store is closed'
  })
})
