/** What is refused while more waits than can be stored in time. Another process's lock lets deliveries pile up. */
import Database from 'better-sqlite3'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { buildApp, delivery, get, message, untilQueued, type TestApp } from '../helper.ts'

/** More than wait without any sign of an overload. */
const MANY = 200
const FEW = 60

/** Builds the service and looks at it while so many deliveries wait; then they are stored, or refused in time. */
async function whileWaiting (t: Test, count: number, look: (service: TestApp) => Promise<void>): Promise<TestApp> {
  const file = join(t.testdir(), 'app.db')
  const service = await buildApp(t, { DATABASE_URL: `sqlite:///${file}` })
  const { app } = service
  const other = new Database(file)
  other.exec('BEGIN IMMEDIATE')
  const waiting = Promise.all(Array.from({ length: count }, (_, index) => app.inject(delivery(message({ message_id: `m${index}` })))))
  await untilQueued(app, count)
  await look(service)
  other.exec('ROLLBACK')
  other.close()
  await waiting
  return service
}

t.test('a delivery that could not be stored in time is refused, and taken later', async t => {
  const { app } = await whileWaiting(t, MANY, async ({ app, requestLines }) => {
    // As a store that takes 20 ms a save tells of it.
    app.storeObserver.committed(100, 2)
    const { statusCode, headers, body } = await app.inject(delivery(message({ message_id: 'late' })))
    t.equal(statusCode, 503)
    t.match(headers, { 'retry-after': '1', 'content-type': /^application\/json/, 'x-request-id': /./ })
    t.equal(body, '{"detail":"the service cannot do this now, try again"}')
    t.match(requestLines(), [{
      level: 'error', path: '/webhook', status: 503, message_id: 'late', dup: false, result: 'unavailable', error: 'more deliveries wait than can be stored in time'
    }])
    t.match((await app.inject('/metrics')).body, /^webhook_requests_total\{result="unavailable"\} 1$/m)
  })
  t.equal((await get(app, '/messages/late')).status, 404)
  t.equal((await app.inject(delivery(message({ message_id: 'late' })))).statusCode, 200)
})

t.test('what is wrong with a delivery by itself is told in an overload as ever', async t => {
  await whileWaiting(t, MANY, async ({ app, requestLines }) => {
    app.storeObserver.committed(100, 2)
    const { headers: { 'x-signature': _, ...unsigned } = {}, ...rest } = delivery(message())
    for (const [request, status] of [
      [{ ...rest, headers: unsigned }, 401], [delivery(message(), { 'x-signature': 'x' }), 401], [delivery(message(), {}, 'another secret'), 401],
      [{ method: 'POST', url: '/webhook' }, 401], [delivery('x'.repeat(1_048_577)), 413], [delivery(message(), { 'content-type': 'text/plain' }), 415],
      [delivery('{'), 422], [delivery(message({ ts: 'x' })), 422], [delivery(message()), 503]
    ] as const) {
      t.equal((await app.inject(request)).statusCode, status)
      t.match(requestLines().at(-1), { status })
    }
    t.match((await app.inject('/metrics')).body, /^webhook_requests_total\{result="invalid_signature"\} 4$/m)
  })
})

t.test('reads and probes are not refused by it', async t => {
  await whileWaiting(t, MANY, async ({ app }) => {
    app.storeObserver.committed(100, 2)
    for (const path of ['/messages', '/stats', '/health/live', '/metrics']) t.equal((await app.inject(path)).statusCode, 200, path)
  })
})

t.test('while few wait, or the store is fast, none is refused', async t => {
  for (const [count, seconds] of [[FEW, 1000], [MANY, 0.001]] as const) {
    const late: Promise<{ statusCode: number }>[] = []
    await whileWaiting(t, count, async ({ app }) => {
      app.storeObserver.committed(100, seconds)
      late.push(app.inject(delivery(message({ message_id: 'late' }))).then(answer => answer))
      for (let turns = 0; turns < 1000 && app.messages.queueDepth === count; turns++) await turn()
      t.equal(app.messages.queueDepth, count + 1, 'it was let in')
    })
    for (const { statusCode } of await Promise.all(late)) t.equal(statusCode, 200)
  }
})
