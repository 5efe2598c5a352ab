/** Which moments are taken, and how they read back. */
import t from 'tap'
import { buildApp, delivery, get, message } from '../helper.ts'

const { app } = await buildApp(t)

const TAKEN: Record<string, string[]> = {
  'plain moments': ['2025-01-15T10:00:00Z', '2025-12-31T23:59:59Z', '1970-01-01T00:00:00Z', '2025-06-30T00:00:00Z'],
  '29 February of a leap year': ['2024-02-29T00:00:00Z', '2000-02-29T00:00:00Z', '0004-02-29T00:00:00Z'],
  'the first and the last year': ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '9999-12-31T23:59:59.999999999Z'],
  '1 to 9 fraction digits': Array.from({ length: 9 }, (_, n) => `2025-01-15T10:00:00.${'123456789'.slice(0, n + 1)}Z`)
}

for (const [name, moments] of Object.entries(TAKEN)) {
  t.test(`${name} are taken and read back as they were sent`, async t => {
    for (const ts of moments) {
      const response = await app.inject(delivery(message({ message_id: ts, ts })))
      t.equal(response.statusCode, 200, ts)
      t.equal((await get(app, `/messages/${encodeURIComponent(ts)}`)).body['ts'], ts)
    }
  })
}

t.test('trailing zeros of a fraction are left off', async t => {
  for (const [sent, stored] of [
    ['2025-01-15T10:00:00.0Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.000000000Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.500Z', '2025-01-15T10:00:00.5Z'],
    ['2025-01-15T10:00:00.010Z', '2025-01-15T10:00:00.01Z'],
    ['2025-01-15T10:00:10.100200300Z', '2025-01-15T10:00:10.1002003Z'],
    ['2025-01-15T10:00:20Z', '2025-01-15T10:00:20Z']
  ] as const) {
    t.equal((await app.inject(delivery(message({ message_id: sent, ts: sent })))).statusCode, 200, sent)
    t.equal((await get(app, `/messages/${encodeURIComponent(sent)}`)).body['ts'], stored)
  }
})

const REFUSED: Record<string, unknown[]> = {
  'days that do not exist': [
    '2025-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2025-02-30T00:00:00Z', '2024-02-30T00:00:00Z',
    '2025-04-31T00:00:00Z', '2025-06-31T00:00:00Z', '2025-09-31T00:00:00Z', '2025-11-31T00:00:00Z', '2025-01-32T00:00:00Z',
    '2025-01-00T00:00:00Z', '2025-00-01T00:00:00Z', '2025-13-01T00:00:00Z'
  ],
  'times that do not exist': [
    '2025-01-15T24:00:00Z', '2025-01-15T25:00:00Z', '2025-01-15T10:60:00Z', '2025-01-15T10:00:60Z', '2016-12-31T23:59:60Z', '2025-01-15T10:00:61Z'
  ],
  'years outside 0001 to 9999': ['0000-01-01T00:00:00Z', '0000-02-29T00:00:00Z', '10000-01-01T00:00:00Z', '+002025-01-15T10:00:00Z', '-0001-01-01T00:00:00Z', '25-01-15T10:00:00Z'],
  'offsets and missing zones': ['2025-01-15T10:00:00+00:00', '2025-01-15T10:00:00-00:00', '2025-01-15T15:30:00+05:30', '2025-01-15T10:00:00', '2025-01-15T10:00:00Z+00:00', '2025-01-15T10:00:00ZZ'],
  'other letters and separators': ['2025-01-15t10:00:00Z', '2025-01-15T10:00:00z', '2025-01-15 10:00:00Z', '2025-01-15_10:00:00Z', '2025/01/15T10:00:00Z', '20250115T100000Z', '2025-01-15T10-00-00Z'],
  'fractions of no or of ten digits': ['2025-01-15T10:00:00.Z', '2025-01-15T10:00:00.1234567890Z', '2025-01-15T10:00:00,5Z', '2025-01-15T10:00:00.5', '2025-01-15T10:00:00.5 Z', '2025-01-15T10:00:00.-5Z'],
  'parts of a moment': ['', 'Z', '2025-01-15', '2025-01-15T', '2025-01-15T10Z', '2025-01-15T10:00Z', '2025-1-15T10:00:00Z', '2025-01-15T1:00:00Z', '2025-W03-3T10:00:00Z', '2025-015T10:00:00Z'],
  'anything around a moment': [' 2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z ', '2025-01-15T10:00:00Z\n', '\n2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z\u0000'],
  'digits of other scripts': ['٢٠٢٥-01-15T10:00:00Z', '２０２５-01-15T10:00:00Z'],
  'other types': [1736935200, 1736935200000, null, true, [], ['2025-01-15T10:00:00Z'], {}]
}

for (const [name, moments] of Object.entries(REFUSED)) {
  t.test(`${name} are refused`, async t => {
    const before = await app.messages.count()
    for (const ts of moments) {
      const response = await app.inject(delivery(message({ ts })))
      t.equal(response.statusCode, 422, JSON.stringify(ts))
      t.match(response.json(), { errors: [{ path: '/ts' }] })
    }
    t.equal(await app.messages.count(), before)
  })
}
