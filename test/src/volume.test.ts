import t from 'tap'
import { isReversed, lengthOf, MOST_INTERVALS, seriesOf, spanOf, timestampOf, type Interval } from '../../src/volume.ts'

/** A span as it is answered. */
function span (interval: Interval, since?: string, until?: string, now = '2025-01-15T10:20:30Z'): [since: string, until: string, length: number] {
  const span = spanOf(interval, since, until, Date.parse(now))
  return [timestampOf(span.since), timestampOf(span.until), lengthOf(span)]
}

t.test('bounds are widened to whole intervals', async t => {
  t.strictSame(span('minute', '2025-01-15T10:20:30Z', '2025-01-15T10:21:30Z'), ['2025-01-15T10:20:00Z', '2025-01-15T10:22:00Z', 2])
  t.strictSame(span('hour', '2025-01-15T10:20:30Z', '2025-01-15T12:00:00Z'), ['2025-01-15T10:00:00Z', '2025-01-15T12:00:00Z', 2])
  t.strictSame(span('day', '1969-12-31T10:20:30Z', '1970-01-01T00:00:00.000000001Z'), ['1969-12-31T00:00:00Z', '1970-01-02T00:00:00Z', 2])
  t.strictSame(span('hour', '2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z'), ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z', 0])
})

t.test('by default the interval under way is the last of the usual number', async t => {
  t.strictSame(span('minute'), ['2025-01-15T09:21:00Z', '2025-01-15T10:21:00Z', 60])
  t.strictSame(span('hour'), ['2025-01-13T11:00:00Z', '2025-01-15T11:00:00Z', 48])
  t.strictSame(span('day'), ['2024-12-17T00:00:00Z', '2025-01-16T00:00:00Z', 30])
  t.strictSame(span('day', undefined, '2024-03-02T00:00:00Z'), ['2024-02-01T00:00:00Z', '2024-03-02T00:00:00Z', 30])
  t.strictSame(span('hour', '2025-01-15T09:00:00Z'), ['2025-01-15T09:00:00Z', '2025-01-15T11:00:00Z', 2])
})

t.test('time has a beginning and an end', async t => {
  t.strictSame(span('hour', undefined, '0001-01-01T01:30:00Z'), ['0001-01-01T00:00:00Z', '0001-01-01T02:00:00Z', 2])
  t.strictSame(span('minute', '9999-12-31T23:59:00Z', '9999-12-31T23:59:30Z'), ['9999-12-31T23:59:00Z', '9999-12-31T23:59:59.999999999Z', 1])
})

t.test('a span that ends before it begins is told from one of a part of an interval', async t => {
  t.equal(isReversed('2025-01-15T10:40:00Z', '2025-01-15T10:20:00Z'), true)
  t.equal(isReversed('2025-01-15T10:20:00.5Z', '2025-01-15T10:20:00Z'), true)
  t.equal(isReversed('2025-01-15T10:20:00Z', '2025-01-15T10:20:00.5Z'), false)
  t.equal(isReversed(undefined, '2025-01-15T10:20:00Z'), false)
  t.equal(isReversed('2025-01-15T10:20:00Z', undefined), false)
})

t.test('a series has every interval, through a leap day and the end of a year', async t => {
  const days = (since: string, until: string) => seriesOf(spanOf('day', since, until, 0), [{ ts: '2024-02-29T00:00:00Z', count: 7 }])
  t.strictSame(days('2024-02-28T00:00:00Z', '2024-03-02T00:00:00Z'), [
    { ts: '2024-02-28T00:00:00Z', count: 0 }, { ts: '2024-02-29T00:00:00Z', count: 7 }, { ts: '2024-03-01T00:00:00Z', count: 0 }
  ])
  t.strictSame(days('1900-02-28T00:00:00Z', '1900-03-02T00:00:00Z').map(({ ts }) => ts), ['1900-02-28T00:00:00Z', '1900-03-01T00:00:00Z'])
  t.strictSame(days('9999-12-30T00:00:00Z', '9999-12-31T23:00:00Z').map(({ ts }) => ts), ['9999-12-30T00:00:00Z', '9999-12-31T00:00:00Z'])
  t.equal(days('2020-01-01T00:00:00Z', '2024-02-09T00:00:00Z').length, MOST_INTERVALS)
})
