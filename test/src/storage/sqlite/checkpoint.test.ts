import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SqliteCheckpoint } from '../../../../src/storage/sqlite/checkpoint.ts'
import { openForReading, openForWriting } from '../../../../src/storage/sqlite/database.ts'

const MB = 1024 * 1024

t.test('a log that a reader has kept from beginning anew is cut back as soon as it may be', async t => {
  const file = join(t.testdir(), 'app.db')
  const writer = openForWriting(file, false)
  t.teardown(() => writer.close())
  writer.exec('CREATE TABLE blobs (bytes BLOB)')
  const checkpoint = new SqliteCheckpoint(writer, file)
  const log = (): number => statSync(`${file}-wal`).size

  const reader = openForReading(file)
  t.teardown(() => reader.close())
  reader.exec('BEGIN; SELECT * FROM blobs')
  const insert = writer.prepare('INSERT INTO blobs VALUES (zeroblob(?))')
  while (log() < 97 * MB) insert.run(MB)
  checkpoint.afterCommit()
  t.ok(log() >= 97 * MB, 'not while it is read')

  reader.exec('COMMIT')
  checkpoint.afterCommit()
  t.equal(log(), 0)
  t.equal(reader.prepare('SELECT count(*) FROM blobs').pluck().get(), writer.prepare('SELECT count(*) FROM blobs').pluck().get())

  insert.run(MB)
  checkpoint.afterCommit()
  t.ok(log() > MB, 'a small log is left alone')
  checkpoint.whenIdle()
  t.equal(log(), 0)
})
