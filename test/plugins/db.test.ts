import t from 'tap'
import { buildApp, deliver, get, message, rowsOnDisk } from '../helper.ts'
import { build } from '../../app.ts'
import { loadConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { StoreUnusable } from '../../src/storage/message-store.ts'

const silent = createLogger('silent')

t.test('the store is open before the first request, and closed with the app', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  t.equal(await app.messages.count(), 1)
  await app.close()
  await t.rejects(app.messages.count())
  t.equal(rowsOnDisk(t), 1)
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
