import t from 'tap'
import { buildApp, deliver, get, message } from '../helper.ts'

interface Volume { interval: string, since: string, until: string, data: { ts: string, count: number }[] }

t.test('every interval is answered, with what is in it', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app,
    message({ ts: '2025-01-15T10:00:00Z' }), message({ message_id: 'm2', ts: '2025-01-15T10:59:59.999Z', from: '+1' }),
    message({ message_id: 'm3', ts: '2025-01-15T12:00:00Z', from: '+1' }), message({ message_id: 'm4', ts: '2025-01-15T13:00:00Z' }))
  const { status, body } = await get(app, '/stats/volume?interval=hour&since=2025-01-15T09:30:00Z&until=2025-01-15T12:00:01Z')
  t.equal(status, 200)
  t.strictSame(body, {
    interval: 'hour',
    since: '2025-01-15T09:00:00Z',
    until: '2025-01-15T13:00:00Z',
    data: [
      { ts: '2025-01-15T09:00:00Z', count: 0 }, { ts: '2025-01-15T10:00:00Z', count: 2 },
      { ts: '2025-01-15T11:00:00Z', count: 0 }, { ts: '2025-01-15T12:00:00Z', count: 1 }
    ]
  })
  const { body: { data } } = await get<Volume>(app, '/stats/volume?interval=day&since=2025-01-14T00:00:00Z&until=2025-01-16T00:00:00Z&from=+1')
  t.strictSame(data, [{ ts: '2025-01-14T00:00:00Z', count: 0 }, { ts: '2025-01-15T00:00:00Z', count: 2 }], 'a + that was not escaped, too')
})

t.test('without bounds it is the latest time, and a message of now is in it', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message({ ts: new Date().toISOString() }))
  for (const [query, interval, length] of [['', 'hour', 48], ['?interval=hour', 'hour', 48], ['?interval=day', 'day', 30]] as const) {
    const { body } = await get<Volume>(app, `/stats/volume${query}`)
    t.equal(body.interval, interval)
    t.equal(body.data.length, length)
    t.equal(body.data.at(0)?.ts, body.since)
    t.equal(body.data.reduce((sum, { count }) => sum + count, 0), 1)
    t.ok(Date.parse(body.until) >= Date.now() - 60_000)
  }
  t.equal((await get<Volume>(app, '/stats/volume?interval=minute')).body.data.length, 60)
})

t.test('what breaks a rule is told which', async t => {
  const { app } = await buildApp(t)
  const refused = async (query: string) => {
    const { status, body } = await get(app, `/stats/volume?${query}`)
    t.equal(status, 422, query)
    return body['errors']
  }
  t.strictSame(await refused('interval=year'), [{ path: '/interval', message: 'must be minute, hour or day' }])
  t.match(await refused('since=yesterday'), [{ path: '/since', message: /^must be an existing moment/ }])
  const reversed = [{ path: '/since', message: 'must not be later than until' }]
  t.strictSame(await refused('since=2025-01-15T10:40:00Z&until=2025-01-15T10:20:00Z'), reversed)
  t.strictSame(await refused('since=9999-01-01T00:00:00Z'), reversed)
  t.strictSame(await refused('interval=minute&since=2025-01-01T00:00:00Z&until=2025-01-02T01:00:01Z'), [
    { path: '/interval', message: 'must be one of which at most 1500 are between since and until' }
  ])
  t.equal((await get<Volume>(app, '/stats/volume?interval=minute&since=2025-01-01T00:00:00Z&until=2025-01-02T01:00:00Z')).body.data.length, 1500)
})

t.test('it is a read: it needs a key where there are keys', async t => {
  const { app } = await buildApp(t, { API_KEYS: 'test:a-key-that-is-long-enough' })
  t.equal((await get(app, '/stats/volume')).status, 401)
  const { statusCode } = await app.inject({ url: '/stats/volume', headers: { authorization: 'Bearer a-key-that-is-long-enough' } })
  t.equal(statusCode, 200)
})
