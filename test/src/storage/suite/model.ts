import fc from 'fast-check'
import type { Test } from 'tap'
import type { Arrival } from '../../../../src/message.ts'
import type { Filter, MessageStore, SaveResult } from '../../../../src/storage/message-store.ts'
import type { Removal } from '../../../../src/storage/removed.ts'
import { compareMessages, select, statsOf, withoutOrigin } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'
import { SILENT, messageIn, saveAll, walk } from './common.ts'
import { removeAll } from './removals.ts'

/** Few enough values that moments, senders and ids meet, and among them the ones that are sorted or compared with care. */
const storable = fc.string({ unit: 'binary', maxLength: 8 }).map(text => text.replaceAll('\u0000', '?'))
const word = fc.constantFrom(
  'Hello', 'STRASSE', 'straße', 'ΣΊΣΥΦΟΣ', 'σίσυφος', 'ılık', 'İ', 'ᏣᎳᎩ', 'ꮳꮃꭹ', 'é', 'e\u0301', '😀', '你好', '%', '_', '"', "'", '*', '\\', ' ', 'ﬃ', 'ab', 'a'
)
const text = fc.array(fc.oneof({ weight: 3, arbitrary: word }, storable), { minLength: 1, maxLength: 5 }).map(words => words.join(''))
const number = fc.constantFrom('+1', '+2', '+3', '+10', '+11', '+12', '+20', '+21', '+100', '+101', '+102', '+103', `+${'9'.repeat(32)}`)
const ts = fc.oneof(
  fc.tuple(fc.constantFrom('2025-01-15T10:00:00', '2025-01-15T10:00:01', '2024-12-31T23:59:59'), fc.constantFrom('', '.1', '.09', '.5', '.000000001'))
    .map(([second, fraction]) => `${second}${fraction}Z`),
  fc.constantFrom('0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z')
)
const id = fc.oneof(
  fc.constantFrom('m1', 'M1', ' m1', 'm1 ', 'é', 'e\u0301', '\uffff', '\u{10000}', '\ue000', '😀'),
  storable.filter(value => value.length > 0)
)
const source = fc.constantFrom('webhook', 'whatsapp', 'twilio')
/** When they were received; what has none of these is received now. */
const RECEIVED = ['2025-01-01T00:00:00.000Z', '2025-01-02T00:00:00.000Z', '2025-01-03T00:00:00.000Z']
const received_at = fc.constantFrom(...RECEIVED)
const message = fc.record<Arrival>({ message_id: id, from: number, to: number, ts, text: fc.option(text, { freq: 8 }), source, received_at }, {
  requiredKeys: ['message_id', 'from', 'to', 'ts', 'text']
})

/** Every part of a search that could match is a part of some text; most are short. */
const q = fc.oneof(word, text, word.chain(each => fc.nat({ max: each.length - 1 }).map(at => Array.from(each).slice(at % Array.from(each).length).join(''))))
const maybe = <Value> (value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined, freq: 2 })
const filter = fc.record<Filter>({ from: maybe(number), to: maybe(number), since: maybe(ts), until: maybe(ts), source: maybe(source), q: maybe(q) })
  .chain(all => fc.subarray(['from', 'to', 'since', 'until', 'source', 'q'] as const, { maxLength: 2 })
    .map(names => Object.fromEntries(names.map(name => [name, all[name]]))))

const limit = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 }))

/** @param removed the ids that were removed, and are known nevertheless */
type Step = (store: MessageStore, known: Arrival[], removed: Set<string>) => Promise<unknown>

/** Each step does one thing to the store, and throws when the answer is not what the array of known messages says. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.array(message, { minLength: 1, maxLength: 20 }).map(messages => named(`save ${JSON.stringify(messages)}`, saving(messages, saveAll))) },
  {
    weight: 1,
    arbitrary: fc.array(message, { minLength: 1, maxLength: 20 }).map(messages =>
      named(`deliver ${JSON.stringify(messages)}`, saving(messages, async (store, all) => store.saveAll(all, []))))
  },
  {
    weight: 4,
    arbitrary: fc.tuple(filter, limit, fc.nat({ max: 30 })).map(([filter, limit, offset]) =>
      named(`page ${JSON.stringify({ filter, limit, offset })}`, async (store, known) => {
        const rows = select(known, filter)
        const { messages, total, next } = await store.page(filter, limit, offset)
        same(messages, rows.slice(offset, offset + limit))
        same([total, next !== undefined], [rows.length, offset + limit < rows.length])
      }))
  },
  {
    weight: 3,
    arbitrary: fc.tuple(filter, limit, message).map(([filter, limit, position]) =>
      named(`page ${JSON.stringify({ filter, limit })} after ${JSON.stringify(position)}`, async (store, known) => {
        const rows = select(known, filter).filter(row => compareMessages(row, position) > 0)
        const { messages, next } = await store.pageAfter(filter, limit, position)
        same(messages, rows.slice(0, limit))
        same(next !== undefined, rows.length > limit)
      }))
  },
  {
    weight: 1,
    arbitrary: fc.tuple(filter, limit).map(([filter, limit]) =>
      named(`walk ${JSON.stringify({ filter, limit })}`, async (store, known) => same(await walk(store, filter, limit), select(known, filter))))
  },
  { weight: 1, arbitrary: fc.constant(named('stats', async (store, known) => same(await store.stats(), statsOf(known)))) },
  { weight: 1, arbitrary: id.map(messageId => removing({ messageId }, each => each.message_id === messageId)) },
  { weight: 1, arbitrary: number.map(from => removing({ from }, each => each.from === from)) },
  { weight: 1, arbitrary: received_at.map(receivedBefore => removing({ receivedBefore }, ({ received_at: received = '9' }) => received < receivedBefore)) },
  { weight: 1, arbitrary: fc.constant(named('count', async (store, known) => same(await store.count(), known.length))) },
  {
    weight: 1,
    arbitrary: id.map(id => named(`get ${JSON.stringify(id)}`, async (store, known) =>
      same(await messageIn(store, id), known.filter(each => each.message_id === id).map(withoutOrigin)[0])))
  }
)

function saving (messages: readonly Arrival[], save: (store: MessageStore, messages: readonly Arrival[]) => Promise<readonly SaveResult[]>): Step {
  return async (store, known, removed) => {
    const results = await save(store, messages)
    const created = messages.filter((_, index) => results[index] === 'created')
    // Each id that was new was created once; which of concurrent saves did it is told by the results alone.
    const before = new Set([...removed, ...known.map(each => each.message_id)])
    const isNew = messages.map(each => each.message_id).filter(id => !before.has(id))
    same(created.map(each => each.message_id).sort(), [...new Set(isNew)].sort())
    known.push(...created)
  }
}

function removing (removal: Removal, isMeant: (message: Arrival) => boolean): Step {
  return named(`remove ${JSON.stringify(removal)}`, async (store, known, removed) => {
    const gone = known.filter(isMeant)
    same(await removeAll(store, removal), gone.length)
    for (const { message_id: id } of gone) removed.add(id)
    known.splice(0, Infinity, ...known.filter(each => !isMeant(each)))
  })
}

function named (name: string, step: Step): Step {
  return Object.assign(step, { [fc.toStringMethod]: () => name })
}

function same (actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (one !== other) throw new Error(`answered ${one}, expected ${other}`)
}

export async function model (t: Test, open: OpenStore): Promise<void> {
  t.test('after any saves and removals every answer is the array\'s', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async steps => {
      const store = await open(t, SILENT)
      try {
        const [known, removed]: [Arrival[], Set<string>] = [[], new Set()]
        for (const step of steps) await step(store, known, removed)
      } finally {
        await store.close()
      }
    }), { numRuns: 15, endOnFailure: true })
  })
}
