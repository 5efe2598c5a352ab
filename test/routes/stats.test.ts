import t from 'tap'
import { buildApp, deliver, delivery, get, message } from '../helper.ts'

t.test('with no message everything is zero, empty or null', async t => {
  const { app } = await buildApp(t)
  const { statusCode, body, headers } = await app.inject('/stats')
  t.equal(statusCode, 200)
  t.match(headers['content-type'], /^application\/json/)
  t.equal(body, '{"total_messages":0,"senders_count":0,"messages_per_sender":[],"first_message_ts":null,"last_message_ts":null}')
})

t.test('a message that was answered 200 is counted in the next answer; a duplicate is not', async t => {
  const { app } = await buildApp(t)
  for (let total = 1; total <= 20; total++) {
    await deliver(t, app, message({ message_id: `m${total}` }), message({ message_id: 'm1', from: '+1', ts: '2000-01-01T00:00:00Z' }))
    t.strictSame((await get(app, '/stats')).body, {
      total_messages: total,
      senders_count: 1,
      messages_per_sender: [{ from: '+919876543210', count: total }],
      first_message_ts: '2025-01-15T10:00:00Z',
      last_message_ts: '2025-01-15T10:00:00Z'
    })
  }
})

t.test('a refused delivery is not counted', async t => {
  const { app } = await buildApp(t)
  await app.inject(delivery(message(), { 'x-signature': '' }))
  await app.inject(delivery(message({ from: '1' })))
  t.match((await get(app, '/stats')).body, { total_messages: 0, senders_count: 0 })
})

t.test('the ten busiest senders come by count descending, ties by number ascending', async t => {
  const { app } = await buildApp(t)
  const counts = { '+9': 3, '+10': 3, '+2': 3, '+100': 1, '+99': 2, '+1': 1, '+3': 1, '+4': 1, '+5': 1, '+6': 4, '+7': 1, '+8': 1 }
  let id = 0
  for (const [from, count] of Object.entries(counts)) {
    for (let n = 0; n < count; n++) await deliver(t, app, message({ message_id: `m${id++}`, from }))
  }
  t.strictSame((await get(app, '/stats')).body, {
    total_messages: 22,
    senders_count: 12,
    messages_per_sender: [
      { from: '+6', count: 4 }, { from: '+10', count: 3 }, { from: '+2', count: 3 }, { from: '+9', count: 3 }, { from: '+99', count: 2 },
      { from: '+1', count: 1 }, { from: '+100', count: 1 }, { from: '+3', count: 1 }, { from: '+4', count: 1 }, { from: '+5', count: 1 }
    ],
    first_message_ts: '2025-01-15T10:00:00Z',
    last_message_ts: '2025-01-15T10:00:00Z'
  })
})

t.test('first and last are the extremes of ts as time, whatever the order of arrival', async t => {
  const { app } = await buildApp(t)
  const times = ['2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00Z', '2025-01-15T10:00:00.25Z', '2025-01-15T10:00:00.750Z']
  await deliver(t, app, ...times.map(ts => message({ message_id: ts, ts })))
  t.match((await get(app, '/stats')).body, { first_message_ts: '2025-01-15T10:00:00Z', last_message_ts: '2025-01-15T10:00:00.75Z' })
  await deliver(t, app, message({ message_id: 'first', ts: '0001-01-01T00:00:00Z' }), message({ message_id: 'last', ts: '9999-12-31T23:59:59.999999999Z' }))
  t.match((await get(app, '/stats')).body, { first_message_ts: '0001-01-01T00:00:00Z', last_message_ts: '9999-12-31T23:59:59.999999999Z' })
})

t.test('the same number as sender and recipient is one sender', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message({ from: '+1', to: '+1' }), message({ message_id: 'm2', from: '+1', to: '+2' }))
  t.match((await get(app, '/stats')).body, { senders_count: 1, messages_per_sender: [{ from: '+1', count: 2 }] })
})

t.test('a store that does not answer is 503', async t => {
  const { app } = await buildApp(t)
  await app.messages.close()
  const { statusCode, body, headers } = await app.inject('/stats')
  t.equal(statusCode, 503)
  t.match(headers['retry-after'], /^[1-9]\d*$/)
  t.equal(body, '{"detail":"the service cannot do this now, try again"}')
})
