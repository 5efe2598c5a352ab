/** Random deliveries, judged by plain code; what was answered 200 is read back in every way there is. */
import fc from 'fast-check'
import t from 'tap'
import type { Message } from '../../src/message.ts'
import { buildApp, delivery, get, rowsStored, withoutOrigin } from '../helper.ts'
import { fuzzing, number, partOf, storableText, timestamp } from '../fuzz.ts'
import { nanoseconds } from '../src/storage/reference.ts'

const hostile = fc.oneof(
  fc.constantFrom<unknown>('', 'a\0', '\ud800', 'x\udfff', null, 0, -1, true, [], {}, ['a'], 2 ** 53, 1e308, '+', '+1 ', '+١', '1', ' ', '2025-02-30T00:00:00Z',
    '2025-01-01T24:00:00Z', '2025-01-01T00:00:60Z', '2025-01-01 00:00:00Z', '2025-01-01T00:00:00+00:00', '0000-01-01T00:00:00Z', '2025-01-01T00:00:00.Z'),
  fc.constantFrom(600, 601, 4096, 4097).chain(length => fc.constantFrom('a'.repeat(length), '😀'.repeat(length))),
  fc.jsonValue()
)
const mostly = <Value> (arbitrary: fc.Arbitrary<Value>) => fc.oneof({ weight: 20, arbitrary: arbitrary as fc.Arbitrary<unknown> }, hostile, fc.constant(undefined))
const fields = fc.record({
  message_id: mostly(storableText({ minLength: 1, maxLength: 12 })),
  from: mostly(number),
  to: mostly(number),
  ts: mostly(timestamp),
  text: mostly(storableText({ maxLength: 30 }))
})
/** More members for the object, as JSON. */
const more = fc.constantFrom('', '', '', '"__proto__":{"text":"x"},', '"constructor":{"prototype":{"a":1}},', '"x":9007199254740993,', '"x":1e999,', '"x":-0,',
  `"x":${'['.repeat(2000)}${']'.repeat(2000)},`, '"message_id":7,', '"\\u0074ext":"escaped",', '"x":{"__proto__":null},', '"":"",')
/** What happens to the bytes on the way to the signature. */
const change = fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.constantFrom(
  ' ', ',', '"', '}', '{', '\\', '\\u0000', '\\ud83d', '\\u00e9', '\n', '/', '\x00', '\xff', '\xc0\x80', '\xed\xa0\x80', '\xf0\x9f\x98', '\xef\xbb\xbf', '\xc3\xa9', '1', 'null'
)))
type Change = [at: number, cut: number, put: string] | undefined

function bytesOf (members: object, extra: string, changed: Change): Buffer {
  const bytes = Buffer.from(`{${extra}${JSON.stringify(members).slice(1)}`.replace(/,\}$/, '}'))
  if (changed === undefined) return bytes
  const at = changed[0] % (bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(changed[2], 'latin1'), bytes.subarray(at + changed[1])])
}

const isText = (value: unknown, least: number, most: number): value is string =>
  typeof value === 'string' && value.isWellFormed() && !value.includes('\0') && Array.from(value).length >= least && Array.from(value).length <= most

/** What bytes say, by the letter of the README; undefined when they are no message. */
function meant (bytes: Buffer): Message | undefined {
  try {
    const { message_id: id, from, to, ts, text = null } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<string, unknown>
    if (!isText(id, 1, 600) || (text !== null && !isText(text, 0, 4096))) return undefined
    if (typeof from !== 'string' || typeof to !== 'string' || ![from, to].every(each => /^\+[0-9]{1,32}$/.test(each) && !each.endsWith('\n'))) return undefined
    const [, second, fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(typeof ts === 'string' ? ts : '') ?? []
    // A moment that does not exist is none, or is another one.
    if (second === undefined || second < '0001' || new Date(`${second}Z`).toISOString().slice(0, 19) !== second) return undefined
    const kept = fraction.replace(/0+$/, '')
    return { message_id: id, from, to, ts: `${second}${kept && '.'}${kept}Z`, text }
  } catch {
    return undefined
  }
}

/** The next moment that a message can have. */
function after (ts: string): string {
  const time = nanoseconds(ts) + 1n
  const second = time / 1_000_000_000n - (time < 0n && time % 1_000_000_000n !== 0n ? 1n : 0n)
  const fraction = String(time - second * 1_000_000_000n).padStart(9, '0')
  return `${new Date(Number(second) * 1000).toISOString().slice(0, 19)}.${fraction}Z`
}

t.test('a delivery is 200 if it is a message, else 422, and what was answered 200 comes back to the byte', async t => {
  const { app } = await buildApp(t)
  const known = new Map<string, Message>()
  const read = async (url: string): Promise<Record<string, unknown>> => (await get(app, url)).body

  await fc.assert(fc.asyncProperty(fields, more, change, fc.nat(), fc.nat({ max: 8 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    async (members, extra, changed, from, length, cases) => {
      const bytes = bytesOf(members, extra, changed)
      const message = meant(bytes)
      const { statusCode, body } = await app.inject(delivery(bytes))
      if (message === undefined) {
        if (statusCode !== 422) throw new Error(`answered ${statusCode} ${body}`)
        const { detail, errors } = JSON.parse(body)
        if (typeof detail !== 'string' || errors.length < 1) throw new Error(`answered ${body}`)
        return
      }
      if (statusCode !== 200 || body !== '{"status":"ok"}') throw new Error(`answered ${statusCode} ${body}`)
      const first = known.get(message.message_id) ?? message
      known.set(message.message_id, first)
      const expected = JSON.stringify(first)

      // Clients take the dots of a path for steps in it, encoded or not.
      if (!/^\.\.?$/.test(first.message_id)) same(JSON.stringify(withoutOrigin(await read(`/messages/${encodeURIComponent(first.message_id)}`))), expected)
      const around = { from: first.from, to: first.to, since: first.ts, until: after(first.ts), limit: '100' }
      const searches = first.text === null || first.text === '' ? [{}] : [{}, { q: first.text }, { q: partOf(first.text, from, length, cases) }]
      for (const search of searches) {
        const query = new URLSearchParams({ ...around, ...search })
        const { data } = await read(`/messages?${query}`) as { data: Message[] }
        if (!data.some(each => JSON.stringify(each) === expected)) throw new Error(`not found by ${query}`)
      }
    }), fuzzing(t, 250))

  t.equal(await rowsStored(t), known.size)
  t.match(await read('/stats'), { total_messages: known.size, senders_count: new Set([...known.values()].map(each => each.from)).size })
})

function same (actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`read ${actual}`)
}
