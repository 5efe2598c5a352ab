import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { backupSqlite } from '../../../src/storage/sqlite/backup.ts'
import { inspect, untilResolved } from './inspect.ts'
import { SILENT, message } from './suite/common.ts'

const LARGE = 113 * 1024 * 1024

t.test('while another process reads for long, messages are stored, the log grows, and that is told', async t => {
  const file = join(t.testdir(), 'app.db')
  const { promise: told, resolve: notice } = Promise.withResolvers<string>()
  const store = await openMessageStore(`sqlite:///${file}`, { committed () {}, notice })
  t.teardown(() => store.close())
  await store.save(message({ message_id: 'before' }))

  const backup = new Database(file, { readonly: true })
  t.teardown(() => backup.close())
  backup.exec('BEGIN; SELECT count(*) FROM messages')
  // As a day of deliveries would.
  inspect(file, database => database.exec(`CREATE TABLE blobs (bytes BLOB); INSERT INTO blobs VALUES (zeroblob(${LARGE}))`))
  t.equal(await store.save(message({ message_id: 'first' })), 'created')
  t.match(await told, /^another process/)
  const begun = performance.now()
  for (let number = 0; number < 20; number++) t.equal(await store.save(message({ message_id: `m${number}` })), 'created')
  // Were each of them made to wait for the reader, they would take 20 s.
  t.ok(performance.now() - begun < 10_000)
  t.equal((await store.page({}, 50, 0)).total, 22)
  t.equal(backup.prepare('SELECT count(*) FROM messages').pluck().get(), 1, 'the backup sees what was there when it began')

  backup.exec('COMMIT')
  await untilResolved(async () => { if (statSync(`${file}-wal`).size > 0) throw new Error('not yet') })
})

t.test('a copy is of the moment at which it began, and commits do not make it begin anew', async t => {
  const [file, copy] = [join(t.testdir(), 'app.db'), join(t.testdirName, 'copy.db')]
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  await store.save(message())
  const writer = new Database(file)
  t.teardown(() => writer.close())
  writer.exec('CREATE TABLE blobs (bytes BLOB); INSERT INTO blobs VALUES (zeroblob(40000000))')
  const steps: number[] = []
  t.equal(await backupSqlite(file, copy, copied => {
    steps.push(copied)
    if (steps.length > 10) throw new Error('it began anew')
    writer.exec('INSERT INTO blobs VALUES (1)')
  }), 1)
  t.ok(steps.length >= 3, 'there were commits between its steps')
  t.equal(inspect(copy, database => database.prepare('SELECT count(*) FROM blobs').pluck().get()), 1)
  t.equal(inspect(file, database => database.prepare('SELECT count(*) FROM blobs').pluck().get()), 1 + steps.length)
})
