import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import t from 'tap'
import { buildApp, deliver, delivery, get, message, rowsStored, untilQueued } from '../helper.ts'
import { build } from '../../app.ts'
import { loadConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { StoreUnusable } from '../../src/storage/errors.ts'

const silent = createLogger('silent')

t.test('the store is open before the first request, and closed with the app', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  t.equal(await app.messages.count(), 1)
  await app.close()
  await t.rejects(app.messages.count())
  t.equal(await rowsStored(t), 1)
})

t.test('the next app on the same file has the messages and knows their ids', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  await app.close()

  const config = loadConfig({ WEBHOOK_SECRET: 'testsecret', DATABASE_URL: `sqlite:///${t.testdirName}/test.db` })
  const again = await build(config, silent)
  t.teardown(() => again.close())
  await deliver(t, again, message({ text: 'other' }))
  t.strictSame((await get(again, '/messages')).body, { data: [message()], total: 1, limit: 50, offset: 0 })
})

t.test('a database in memory serves as any other', async t => {
  const { app } = await buildApp(t, { DATABASE_URL: 'sqlite:///:memory:' })
  await deliver(t, app, message(), message())
  t.match((await get(app, '/messages')).body, { data: [message()], total: 1 })
})

t.test('parent folders of the file are made', async t => {
  const { app } = await buildApp(t, { DATABASE_URL: `sqlite:///${t.testdir()}/a/b/c.db` })
  await deliver(t, app, message())
  t.equal((await get(app, '/health/ready')).status, 200)
})

t.test('an app on a file that is no database does not start', async t => {
  const folder = t.testdir({ 'test.db': 'this is no database, and long enough to be seen as none'.repeat(99) })
  const config = loadConfig({ DATABASE_URL: `sqlite:///${folder}/test.db` })
  await t.rejects(build(config, silent), StoreUnusable)
})

t.test('while another process holds the database a delivery is 503, readiness says so within 2 s, and both are 200 again once it is free', async t => {
  const { app, requestLines } = await buildApp(t)
  const other = new Database(join(t.testdirName, 'test.db'))
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const delivering = app.inject(delivery(message())).then(answer => answer)
  await untilQueued(app, 1)
  // One more, and the thread that writes is told: it is held up by the delivery, and answers nobody.
  await turn()
  const ready = await app.inject('/health/ready')
  const { statusCode, headers } = await delivering
  t.equal(statusCode, 503)
  t.match(headers['retry-after'], /^[1-9]\d*$/)
  t.strictSame([ready.statusCode, ready.json()], [503, { detail: 'not ready: the store does not answer' }])
  // The delivery takes 2 s: who is answered before it is answered within them, however slow the machine is.
  t.match(requestLines(), [
    { path: '/health/ready', error: 'no answer in time' },
    { path: '/webhook', level: 'error', error: /^the database could not store the message: .*locked/ }
  ], 'the errors and their causes, readiness first')
  other.exec('ROLLBACK')
  t.equal((await app.inject(delivery(message()))).statusCode, 200)
  t.equal((await app.inject('/health/ready')).statusCode, 200)
  t.equal(await rowsStored(t), 1)
})

t.test('a PostgreSQL that does not answer keeps nothing from starting, and the log says why once', async t => {
  const { app, lines, requestLines } = await buildApp(t, { DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:1/inbox' })
  t.equal((await app.inject('/health/live')).statusCode, 200)
  t.strictSame((await app.inject('/health/ready')).json(), { detail: 'not ready: the store does not answer' })
  for (const request of [delivery(message()), { url: '/messages' }, { url: '/messages/m1' }, { url: '/stats' }]) {
    const { statusCode, headers } = await app.inject(request)
    t.equal(statusCode, 503)
    t.equal(headers['retry-after'], '1')
  }
  t.match(lines.filter(line => !requestLines().includes(line)), [{ level: 'warn', msg: /^the database cannot be used: .*ECONNREFUSED/ }])
  t.notMatch(JSON.stringify(lines), 'hunter2')
})
