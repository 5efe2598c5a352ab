/** The filters of GET /messages. */
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { buildApp, deliver, get, message } from '../helper.ts'

interface Page { data: { message_id: string }[], total: number }

/** Checks that a query lets exactly these ids through, and counts them. */
async function finds (t: Test, app: FastifyInstance, query: string, ids: string[]): Promise<void> {
  const { status, body } = await get<Page>(app, `/messages?${query}`)
  t.equal(status, 200, query)
  t.strictSame(body.data.map(({ message_id: id }) => id), ids, query)
  t.equal(body.total, ids.length, query)
}

/** An app that holds these texts, each under its number as message_id. */
async function withTexts (t: Test, ...texts: (string | null)[]): Promise<FastifyInstance> {
  const { app } = await buildApp(t)
  await deliver(t, app, ...texts.map((text, n) => message({ message_id: String(n), text })))
  return app
}

const q = (text: string): string => `q=${encodeURIComponent(text)}`

t.test('from and to are exact, and a plus may be escaped or not', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app,
    message({ message_id: 'a', from: '+91', to: '+1' }),
    message({ message_id: 'b', from: '+911', to: '+1' }),
    message({ message_id: 'c', from: '+91', to: '+91' }))
  for (const number of ['+91', '%2B91', '%2b91', '%2091']) {
    await finds(t, app, `from=${number}`, ['a', 'c'])
    await finds(t, app, `to=${number}`, ['c'])
  }
  for (const number of ['', '91', '+9', '%2B9', '++91', '+91+', '%2B91%20', '%2B91%0A', '%25', '_91', '*', '%00']) {
    await finds(t, app, `from=${number}`, [])
    await finds(t, app, `to=${number}`, [])
  }
})

t.test('since is inclusive and until is not, also between fractions', async t => {
  const { app } = await buildApp(t)
  const at = (id: string, second: string) => message({ message_id: id, ts: `2025-01-15T10:00:${second}Z` })
  await deliver(t, app, at('a', '00'), at('b', '00.5'), at('c', '01'), at('d', '01.000000001'))
  await finds(t, app, 'since=2025-01-15T10:00:00Z', ['a', 'b', 'c', 'd'])
  await finds(t, app, 'since=2025-01-15T10:00:00.000Z', ['a', 'b', 'c', 'd'])
  await finds(t, app, 'since=2025-01-15T10:00:00.1Z', ['b', 'c', 'd'])
  await finds(t, app, 'since=2025-01-15T10:00:00.50Z', ['b', 'c', 'd'])
  await finds(t, app, 'since=2025-01-15T10:00:00.500000001Z', ['c', 'd'])
  await finds(t, app, 'since=2025-01-15T10:00:02Z', [])
  await finds(t, app, 'until=2025-01-15T10:00:00Z', [])
  await finds(t, app, 'until=2025-01-15T10:00:00.000000001Z', ['a'])
  await finds(t, app, 'until=2025-01-15T10:00:00.5Z', ['a'])
  await finds(t, app, 'until=2025-01-15T10:00:01.0Z', ['a', 'b'])
  await finds(t, app, 'until=9999-12-31T23:59:59Z', ['a', 'b', 'c', 'd'])
  await finds(t, app, 'since=2025-01-15T10:00:00.5Z&until=2025-01-15T10:00:01Z', ['b'])
  await finds(t, app, 'since=2025-01-15T10:00:01Z&until=2025-01-15T10:00:01Z', [])
  await finds(t, app, 'since=2025-01-15T10:00:02Z&until=2025-01-15T10:00:00Z', [])
})

t.test('since and until that are no timestamps are 422', async t => {
  const { app } = await buildApp(t)
  for (const name of ['since', 'until']) {
    for (const value of [
      '', 'x', '2025-01-15', '2025-01-15T10:00:00', '2025-01-15T10:00:00%2B00:00', '2025-01-15T10:00:00+00:00', '2025-01-15t10:00:00z',
      '2025-02-30T00:00:00Z', '2025-01-15T24:00:00Z', '2025-01-15T10:00:60Z', '0000-01-01T00:00:00Z', '2025-01-15%2010:00:00Z',
      '2025-01-15T10:00:00.1234567890Z', '2025-01-15T10:00:00Z%0A', '1736935200'
    ]) {
      const { status, body } = await get(app, `/messages?${name}=${value}`)
      t.equal(status, 422, `${name}=${value}`)
      t.match(body, { errors: [{ path: `/${name}` }] })
    }
  }
})

t.test('q is a substring; a message without a text never matches', async t => {
  const app = await withTexts(t, 'Hello World', 'hell', '', null, 'o w')
  await finds(t, app, 'q=hell', ['0', '1'])
  await finds(t, app, 'q=o%20w', ['0', '4'])
  await finds(t, app, 'q=o+w', ['0', '4'])
  await finds(t, app, 'q=d', ['0'])
  await finds(t, app, 'q=hello%20world!', [])
  await finds(t, app, 'q=null', [])
})

t.test('q is case-insensitive in every script', async t => {
  const groups = [
    ['Straße', 'STRASSE', 'strasse', 'STRAẞE'],
    ['ΟΔΥΣΣΕΥΣ', 'Οδυσσευς', 'οδυσσευσ'],
    ['ПРИВЕТ', 'привет', 'ПриВет'],
    ['ÀÉÎÕÜ', 'àéîõü'],
    ['ԲԱՐԵՒ', 'բարեւ'],
    ['𐐀𐐁', '𐐨𐐩']
  ]
  const app = await withTexts(t, ...groups.flatMap(group => group.map(text => `<${text}>`)))
  let first = 0
  for (const group of groups) {
    const ids = group.map((_, n) => String(first + n)).sort()
    for (const text of group) await finds(t, app, q(text), ids)
    first += group.length
  }
  await finds(t, app, q('ϲ'), [])
})

t.test('q finds Turkish text by its dotted and its dotless i', async t => {
  const app = await withTexts(t, 'İSTANBUL', 'IĞDIR', 'ığdır')
  await finds(t, app, q('İstanbul'), ['0'])
  await finds(t, app, q('stanbul'), ['0'])
  await finds(t, app, q('Iğdır'), ['1', '2'])
})

t.test('a sigma is found whatever follows it', async t => {
  const app = await withTexts(t, 'ΣΑΣ ΣΟΣ')
  for (const text of ['ς', 'σ', 'Σ', 'ας', 'ΑΣ ', 'σας σ', 'ΣΟ', 'ος']) await finds(t, app, q(text), ['0'])
})

t.test('% _ * ? \\ and the like are themselves', async t => {
  const texts = ['100%', 'a_b', 'a*b', 'a?b', 'a\\b', "it's", 'say "x"', '[ab]', 'a-b', 'x AND y', '(', '^$', 'axb', ';--']
  const app = await withTexts(t, ...texts)
  const byId = (ids: number[]) => ids.map(String).sort()
  const expected: Record<string, number[]> = {
    '%': [0],
    _: [1],
    '*': [2],
    '?': [3],
    '\\': [4],
    "'": [5],
    '"': [6],
    '[ab]': [7],
    '-': [8, 13],
    AND: [9],
    '(': [10],
    '^$': [11],
    a_b: [1],
    'a%b': [],
    'a*': [2],
    'a.b': [],
    '100%': [0],
    '"x"': [6],
    ';--': [13],
    '\\_': []
  }
  for (const [text, ids] of Object.entries(expected)) await finds(t, app, q(text), byId(ids))
})

t.test('q is taken as it is: spaces, new lines, one or many characters, escapes that are none', async t => {
  const app = await withTexts(t, ' a ', 'a\nb', '😀', 'é', 'e\u0301', 'x'.repeat(4096), '+91', '%FF')
  await finds(t, app, 'q=%20a%20', ['0'])
  await finds(t, app, 'q=%0A', ['1'])
  await finds(t, app, q('😀'), ['2'])
  await finds(t, app, q('É'), ['3'])
  await finds(t, app, q('E\u0301'), ['4'])
  await finds(t, app, q('X'.repeat(4096)), ['5'])
  await finds(t, app, q('x'.repeat(4097)), [])
  await finds(t, app, q('+91'), ['6'])
  await finds(t, app, 'q=%00', [])
  for (const undecodable of ['q=%', 'q=%FF', 'q=%C3%28', 'q=%ED%A0%80', 'q=%u0041']) {
    t.equal((await get(app, `/messages?${undecodable}`)).status, 200, undecodable)
  }
})

t.test('an empty q lets every message through', async t => {
  const app = await withTexts(t, 'a', null, '')
  await finds(t, app, 'q=', ['0', '1', '2'])
})

t.test('filters combine with AND, and total counts what they let through whatever the page', async t => {
  const { app } = await buildApp(t)
  const combinations = ['+1', '+2'].flatMap(from => ['+3', '+4'].flatMap(to => ['08', '12'].flatMap(hour => ['Yes', 'No'].map(text => ({ from, to, hour, text })))))
  await deliver(t, app, ...combinations.map(({ hour, ...rest }, n) =>
    message({ ...rest, message_id: String(n).padStart(2, '0'), ts: `2025-01-15T${hour}:00:00Z` })))
  await finds(t, app, 'from=%2B1&to=%2B4&since=2025-01-15T12:00:00Z&until=2025-01-15T13:00:00Z&q=yes', ['06'])
  await finds(t, app, 'from=%2B1&to=%2B4', ['04', '05', '06', '07'])
  await finds(t, app, 'from=%2B1&to=%2B4&q=NO', ['05', '07'])
  await finds(t, app, 'to=%2B3&q=no&since=2025-01-15T09:00:00Z', ['03', '11'])
  await finds(t, app, 'from=%2B1&from%20=%2B2&until=2025-01-15T12:00:00Z', ['00', '01', '04', '05'])
  await finds(t, app, 'from=%2B3', [])
  const { body } = await get<Page>(app, '/messages?from=%2B1&limit=3&offset=7')
  t.match(body, { data: [{ message_id: '07' }], total: 8, limit: 3, offset: 7 })
})
