/** Random questions, held against a plain array; and ones that are nonsense, which are answered as such. */
import fc from 'fast-check'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import type { Message } from '../../src/message.ts'
import type { Filter } from '../../src/storage/message-store.ts'
import { buildApp, deliver, get } from '../helper.ts'
import { fuzzing, partOf, storableText, timestamp } from '../fuzz.ts'
import { select } from '../src/storage/reference.ts'

const number = fc.constantFrom('+1', '+2', '+33')
const canonical = timestamp.map(ts => ts.replace(/(\.\d*?)0+Z$/, '$1Z').replace('.Z', 'Z'))
const messages = fc.array(fc.record({ from: number, to: number, ts: canonical, text: storableText({ maxLength: 20 }) }), { minLength: 60, maxLength: 60 })

/** What a question may say of each parameter: sent as it is, and true or false. */
const good = {
  limit: fc.integer({ min: 1, max: 100 }).map(String),
  offset: fc.nat({ max: 70 }).map(String),
  from: number,
  to: number,
  since: timestamp,
  until: timestamp,
  q: storableText({ minLength: 1, maxLength: 2 })
}
const bad = fc.constantFrom(['limit', '0'], ['limit', '101'], ['limit', 'ten'], ['limit', '1.5'], ['limit', '1e1'], ['limit', ''], ['limit', '9'.repeat(400)],
  ['offset', '-1'], ['offset', '0x1'], ['offset', '٣'], ['since', '2025-02-30T00:00:00Z'], ['until', '2025-01-01'], ['since', ''], ['cursor', ''], ['cursor', 'AAAA'], ['cursor', '\0'])
const question = fc.record(good, { requiredKeys: [] })

t.test('every question is answered as a plain array would answer it', async t => {
  const { app } = await buildApp(t)
  const [stored = []] = fc.sample(messages, { ...fuzzing<unknown>(t, 1), numRuns: 1 }) as Omit<Message, 'message_id'>[][]
  const known = stored.map((each, index) => ({ message_id: `m${index}`, ...each }))
  await deliver(t, app, ...known)

  await fc.assert(fc.asyncProperty(question, fc.option(bad, { freq: 5 }), fc.nat(), fc.nat({ max: 3 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }), fc.boolean(),
    async (asked, wrong, from, length, cases, searched) => {
      const q = partOf(known[from % known.length]?.text ?? '', from, length, cases)
      const filter: typeof asked = searched && q !== '' ? { ...asked, q } : asked
      const query = new URLSearchParams(Object.entries({ ...filter, ...wrong && { [wrong[0] as string]: wrong[1] } }) as [string, string][])
      const { status, body } = await get(app, `/messages?${query}`)
      if (wrong !== null) return same([status, Array.isArray(body['errors'])], [422, true], query)

      const { limit = '50', offset = '0', ...conditions } = filter
      const rows = select(known, conditions as Filter)
      const page = rows.slice(Number(offset), Number(offset) + Number(limit))
      same([status, body], [200, { data: page, total: rows.length, limit: Number(limit), offset: Number(offset) }], query)
      if (filter.offset === undefined) same(await walk(app, `/messages?${query}`), rows, query)
    }), fuzzing(t, 150))
})

/** All rows, page by page along Link. */
async function walk (app: FastifyInstance, url: string): Promise<unknown[]> {
  const { body, headers } = await get(app, url)
  const [, next] = /<(.+)>/.exec(String(headers['link'])) ?? []
  return [...body['data'] as unknown[], ...next === undefined ? [] : await walk(app, next)]
}

/** Bytes of a request line that no client library would write. */
const raw = fc.array(fc.oneof(
  fc.constantFrom('limit', 'offset', 'from', 'to', 'since', 'until', 'q', 'cursor', '__proto__', 'constructor', 'toString', 'q[]', 'q[$ne]', 'limit[0]'),
  fc.constantFrom('=', '&', '=', '&', '?', ';', ',', '+', '%', '%2', '%zz', '%00', '%ff', '%c0%af', '%ed%a0%80', '%F0%9F%98%80', '%26', '%3D', '%2B1', '/', '..', '*'),
  fc.constantFrom('1', '-1', '9007199254740993', '1e5', 'NaN', '2025-01-15T10:00:00Z', 'a'.repeat(3000), '%41'.repeat(700), 'null', "'--", '"a"')
), { maxLength: 12, size: 'max' }).map(parts => parts.join(''))

t.test('nonsense is 200, 404 or 422, and never anything else', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, { message_id: '__proto__', from: '+1', to: '+2', ts: '2025-01-15T10:00:00Z', text: '__proto__' })
  await fc.assert(fc.asyncProperty(raw, fc.constantFrom('/messages?', '/messages/', '/stats?', '/nowhere/'), async (bytes, path) => {
    // Dots are steps in a path, and may lead to the page at /, which is no data.
    fc.pre(URL.parse(path + bytes, 'http://localhost')?.pathname !== '/')
    const { status, body, headers } = await get(app, path + bytes)
    const right = path.endsWith('?') ? [200, 422].includes(status) : path === '/nowhere/' ? status === 404 : [200, 404, 422].includes(status)
    const shaped = status === 200 || (typeof body['detail'] === 'string' && (status !== 422 || Array.isArray(body['errors'])))
    same([right, shaped, typeof headers['x-request-id']], [true, true, 'string'], `${status} for ${path}${bytes}`)
  }), fuzzing(t, 400))
})

function same (actual: unknown, expected: unknown, what: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (one !== other) throw new Error(`${what}: answered ${one}, not ${other}`)
}
