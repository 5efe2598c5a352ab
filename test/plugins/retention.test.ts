import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Arrival } from '../../src/message.ts'
import { buildApp, deliver, listen, message } from '../helper.ts'

t.test('with RETENTION_DAYS old messages are removed while the service listens, and the log says how many', async t => {
  const { app, lines } = await buildApp(t, { RETENTION_DAYS: '30' })
  await app.messages.saveAll([{ ...message({ message_id: 'old' }) as Arrival, received_at: '2025-01-01T00:00:00.000Z' }], [])
  await deliver(t, app, message({ ts: '2001-01-01T00:00:00Z' }))
  await listen(app)
  const line = () => lines.find(({ msg }) => String(msg).startsWith('messages were removed'))
  while (line() === undefined) await delay(5)
  t.match(line(), { level: 'info', removed: 1, received_before: /^20\d\d-.*Z$/ })
  t.equal(await app.messages.count(), 1)
  t.ok(await app.messages.get('m1'), 'the time of receipt counts, and not ts')
})

t.test('without it everything is kept', async t => {
  const { app, lines } = await buildApp(t)
  await app.messages.saveAll([{ ...message({ message_id: 'old' }) as Arrival, received_at: '2025-01-01T00:00:00.000Z' }], [])
  await listen(app)
  await delay(200)
  t.equal(await app.messages.count(), 1)
  t.notOk(lines.find(({ msg }) => String(msg).startsWith('messages were removed')))
})
