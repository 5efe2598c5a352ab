import t from 'tap'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { buildApp, get } from '../helper.ts'

const READY = '{"status":"ready"}'

t.test('a service that can store is alive and ready', async t => {
  const { app } = await buildApp(t)
  const [live, ready] = [await app.inject('/health/live'), await app.inject('/health/ready')]
  t.equal(live.statusCode, 200)
  t.equal(live.body, '{"status":"alive"}')
  t.equal(ready.statusCode, 200)
  t.equal(ready.body, READY)
})

t.test('without a secret it is alive and not ready', async t => {
  for (const secret of [undefined, '']) {
    const { app } = await buildApp(t, { WEBHOOK_SECRET: secret })
    t.strictSame((await get(app, '/health/live')).status, 200)
    const { statusCode, body } = await app.inject('/health/ready')
    t.equal(statusCode, 503)
    t.equal(body, '{"detail":"not ready: WEBHOOK_SECRET is not set"}')
  }
})

t.test('with a closed store it is alive and not ready, within 2 s', async t => {
  const { app } = await buildApp(t)
  await app.messages.close()
  t.equal((await get(app, '/health/live')).status, 200)
  const begun = performance.now()
  const { statusCode, body } = await app.inject('/health/ready')
  t.ok(performance.now() - begun < 2000)
  t.equal(statusCode, 503)
  t.equal(body, '{"detail":"not ready: the store does not answer"}')
})

t.test('everything that is missing is named', async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET: undefined })
  await app.messages.close()
  app.drain()
  t.equal((await app.inject('/health/ready')).body,
    '{"detail":"not ready: the process is shutting down, WEBHOOK_SECRET is not set, the store does not answer"}')
})

t.test('without its schema it is not ready, and ready again without a restart once that is back', async t => {
  const { app } = await buildApp(t)
  const other = new Database(join(t.testdirName, 'test.db'))
  t.teardown(() => other.close())
  t.equal((await get(app, '/health/ready')).status, 200)
  other.exec('ALTER TABLE messages RENAME TO gone')
  t.strictSame((await get(app, '/health/ready')).body, { detail: 'not ready: the store does not answer' })
  t.equal((await get(app, '/health/live')).status, 200)
  other.exec('ALTER TABLE gone RENAME TO messages')
  const { statusCode, body } = await app.inject('/health/ready')
  t.equal(statusCode, 200)
  t.equal(body, READY)
})

t.test('from drain() on it is alive and not ready, and still serves', async t => {
  const { app } = await buildApp(t)
  app.drain()
  const { statusCode, body } = await app.inject('/health/ready')
  t.equal(statusCode, 503)
  t.equal(body, '{"detail":"not ready: the process is shutting down"}')
  t.equal((await get(app, '/health/live')).status, 200)
  t.equal((await get(app, '/messages')).status, 200)
})
