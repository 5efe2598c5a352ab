import fc from 'fast-check'
import t from 'tap'
import { canonicalTimestamp, inUtc, isTimestamp, momentOf } from '../../src/timestamp.ts'
import { nanoseconds } from './storage/reference.ts'

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')

/** Timestamps by their fields, valid and just beyond. */
const fields = fc.record({
  year: fc.oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 1, 4, 100, 400, 1900, 2000, 2024, 2025, 9999)),
  month: fc.integer({ min: 0, max: 13 }),
  day: fc.oneof(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 28, max: 31 })),
  hour: fc.integer({ min: 0, max: 24 }),
  minute: fc.integer({ min: 0, max: 60 }),
  second: fc.integer({ min: 0, max: 60 }),
  fraction: fc.oneof(fc.constant(undefined), fc.string({ unit: fc.constantFrom(...'0159'), minLength: 1, maxLength: 9 }))
})

const timestamps = fields.map(({ year, month, day, hour, minute, second, fraction }) =>
  `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}` +
  `${fraction === undefined ? '' : `.${fraction}`}Z`
)

/** Whether JavaScript's Date, which lets days and hours overflow, gives back the very second that it was given. */
function exists (timestamp: string): boolean {
  const second = `${timestamp.slice(0, 19)}.000Z`
  const date = new Date(second)
  return !Number.isNaN(date.getTime()) && date.toISOString() === second && !timestamp.startsWith('0000')
}

t.test('a timestamp is one exactly if its moment exists', async () => {
  fc.assert(fc.property(timestamps, timestamp => isTimestamp(timestamp) === exists(timestamp)), { numRuns: 20_000 })
})

t.test('every day of the calendar exists, and no other', async t => {
  const wrong: string[] = []
  for (const year of [1, 4, 100, 400, 1582, 1900, 2000, 2023, 2024, 2100, 9999]) {
    for (let month = 0; month <= 13; month++) {
      for (let day = 0; day <= 32; day++) {
        const timestamp = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T00:00:00Z`
        if (isTimestamp(timestamp) !== exists(timestamp)) wrong.push(timestamp)
      }
    }
  }
  t.strictSame(wrong, [])
})

t.test('timestamps at the edges of the format are taken', async t => {
  for (const timestamp of [
    '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '2024-02-29T12:00:00Z', '2000-02-29T00:00:00Z',
    '2025-01-15T10:00:00.0Z', '2025-01-15T10:00:00.123456789Z'
  ]) t.ok(isTimestamp(timestamp), timestamp)
})

t.test('any other spelling of a moment is refused', async t => {
  for (const timestamp of [
    '', 'Z', 'now', '2025-01-15', '2025-01-15T10:00Z', '2025-01-15T10:00:00', '2025-01-15 10:00:00Z', '2025-01-15t10:00:00Z',
    '2025-01-15T10:00:00z', '2025-01-15T10:00:00+00:00', '2025-01-15T10:00:00-00:00', '2025-01-15T10:00:00+05:30',
    '2025-01-15T10:00:00.Z', '2025-01-15T10:00:00,5Z', '2025-01-15T10:00:00.1234567890Z', '2025-01-15T24:00:00Z',
    '2025-01-15T23:60:00Z', '2016-12-31T23:59:60Z', '2025-02-29T00:00:00Z', '2025-02-30T00:00:00Z', '1900-02-29T00:00:00Z',
    '0000-01-01T00:00:00Z', '10000-01-01T00:00:00Z', '+002025-01-15T10:00:00Z', '-2025-01-15T10:00:00Z', '25-01-15T10:00:00Z',
    '2025-1-15T10:00:00Z', '20250115T100000Z', '2025-W03-3T10:00:00Z', '2025-015T10:00:00Z', ' 2025-01-15T10:00:00Z',
    '2025-01-15T10:00:00Z ', '2025-01-15T10:00:00Z\n', '\n2025-01-15T10:00:00Z', '٢٠٢٥-01-15T10:00:00Z', '２０２５-01-15T10:00:00Z',
    '2025-01-15T10:00:00Z\u0000', '2025‐01‐15T10:00:00Z', '1736935200'
  ]) t.notOk(isTimestamp(timestamp), JSON.stringify(timestamp))
})

t.test('one character more makes it no timestamp, but for a digit in the fraction', async () => {
  fc.assert(fc.property(timestamps.filter(isTimestamp), fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), (timestamp, at, junk) => {
    const place = at % (timestamp.length + 1)
    const mangled = timestamp.slice(0, place) + junk + timestamp.slice(place)
    return !isTimestamp(mangled) || (/[0-9]/.test(junk) && mangled.includes('.'))
  }), { numRuns: 2000 })
})

t.test('the canonical timestamp has no trailing zeros in its fraction', async t => {
  for (const [timestamp, canonical] of [
    ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.0Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.000000000Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.500Z', '2025-01-15T10:00:00.5Z'],
    ['2025-01-15T10:00:00.050Z', '2025-01-15T10:00:00.05Z'],
    ['2025-01-15T10:00:00.000000001Z', '2025-01-15T10:00:00.000000001Z'],
    ['2000-10-10T10:10:10.10Z', '2000-10-10T10:10:10.1Z']
  ] as const) t.equal(canonicalTimestamp(timestamp), canonical)
})

t.test('the canonical timestamp is the same moment, and there is one for each moment', async () => {
  const valid = timestamps.filter(isTimestamp)
  fc.assert(fc.property(valid, timestamp => {
    const canonical = canonicalTimestamp(timestamp)
    return isTimestamp(canonical) && nanoseconds(canonical) === nanoseconds(timestamp) && canonicalTimestamp(canonical) === canonical
  }))
  fc.assert(fc.property(valid, fc.nat({ max: 9 }), (timestamp, zeros) => {
    const longer = `${timestamp.slice(0, -1)}${timestamp.includes('.') ? '' : '.'}${'0'.repeat(zeros)}Z`
    return !isTimestamp(longer) || canonicalTimestamp(longer) === canonicalTimestamp(timestamp)
  }))
})

t.test('moments sort as time does, to the nanosecond', async () => {
  const near = fc.tuple(fc.constantFrom('2025-01-15T10:00:00', '2025-01-15T10:00:01', '2024-12-31T23:59:59'), fields)
    .map(([second, { fraction }]) => `${second}${fraction === undefined ? '' : `.${fraction}`}Z`)
  for (const moments of [timestamps.filter(isTimestamp), near]) {
    fc.assert(fc.property(moments, moments, (one, other) => {
      const [a, b] = [momentOf(canonicalTimestamp(one)), momentOf(canonicalTimestamp(other))]
      const [x, y] = [nanoseconds(one), nanoseconds(other)]
      return (a < b) === (x < y) && (a === b) === (x === y)
    }), { numRuns: 5000 })
  }
})

t.test('a moment with an offset is told in UTC', async t => {
  for (const [local, utc] of [
    ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z'], ['2025-01-15T10:00:00+00:00', '2025-01-15T10:00:00Z'], ['2025-01-15T10:00:00-00:00', '2025-01-15T10:00:00Z'],
    ['2025-01-15T15:30:00+05:30', '2025-01-15T10:00:00Z'], ['2025-01-15T00:30:00.123456789-09:30', '2025-01-15T10:00:00.123456789Z'],
    ['2024-03-01T00:15:00+00:30', '2024-02-29T23:45:00Z'], ['2024-12-31T23:59:59.5-00:01', '2025-01-01T00:00:59.5Z'], ['0099-01-01T00:00:00+23:59', '0098-12-31T00:01:00Z'],
    ['0001-01-01T00:00:00-00:01', '0001-01-01T00:01:00Z'], ['9999-12-31T23:59:00+00:01', '9999-12-31T23:58:00Z']
  ] as const) t.equal(inUtc(local), utc, local)
  for (const none of [
    '', 'Z', '2025-01-15T10:00:00', '2025-01-15 10:00:00Z', '2025-01-15T10:00:00z', '2025-01-15T10:00:00+0530', '2025-01-15T10:00:00+05', '2025-01-15T10:00:00+24:00',
    '2025-01-15T10:00:00+05:60', '2025-02-30T10:00:00+01:00', '2025-01-15T24:00:00+01:00', '2025-01-15T10:00:60Z', '2025-01-15T10:00:00.Z', '2025-01-15T10:00:00.1234567890Z',
    '0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '2025-01-15T10:00:00+05:30Z', '2025-01-15T10:00:00Z+05:30', '1736935200', '+002025-01-15T10:00Z'
  ]) t.equal(inUtc(none), undefined, none)
  fc.assert(fc.property(timestamps, timestamp => inUtc(timestamp) === (isTimestamp(timestamp) ? timestamp : undefined)))
})
