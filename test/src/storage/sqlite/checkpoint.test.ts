import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SqliteCheckpoint } from '../../../../src/storage/sqlite/checkpoint.ts'
import { openForReading, openForWriting } from '../../../../src/storage/sqlite/database.ts'

const MB = 1024 * 1024

/** A database with an empty log, one connection that writes to it and one that reads. */
function open (t: Test) {
  const file = join(t.testdir(), 'app.db')
  const writer = openForWriting(file, false)
  t.teardown(() => writer.close())
  writer.exec('CREATE TABLE blobs (bytes BLOB)')
  const checkpoint = new SqliteCheckpoint(writer, file)
  checkpoint.whenIdle()
  const reader = openForReading(file)
  t.teardown(() => reader.close())
  return {
    writer,
    reader,
    insert: writer.prepare('INSERT INTO blobs VALUES (zeroblob(?))'),
    checkpoint,
    /** The size of the log, in bytes. */
    log: (): number => statSync(`${file}-wal`).size
  }
}

t.test('a log that a reader has kept from beginning anew is cut back as soon as it may be', async t => {
  const { writer, reader, insert, checkpoint, log } = open(t)
  reader.exec('BEGIN; SELECT * FROM blobs')
  while (log() < 65 * MB) insert.run(MB)
  checkpoint.afterCommit()
  t.ok(log() >= 65 * MB, 'not while it is read')

  reader.exec('COMMIT')
  checkpoint.afterCommit()
  t.ok(log() >= 65 * MB, 'commits are not made to wait for it one after the other')
  await delay(150)
  checkpoint.afterCommit()
  t.equal(log(), 0)
  t.equal(reader.prepare('SELECT count(*) FROM blobs').pluck().get(), writer.prepare('SELECT count(*) FROM blobs').pluck().get())

  insert.run(MB)
  checkpoint.afterCommit()
  t.ok(log() > MB, 'a small log is left alone')
  reader.exec('BEGIN; SELECT * FROM blobs')
  t.throws(() => checkpoint.whenIdle(), { message: 'a reader is in the way' })
  reader.exec('COMMIT')
  checkpoint.whenIdle()
  t.equal(log(), 0)
})

t.test('a log that is about to be too large is cut back at once', async t => {
  const { reader, insert, checkpoint, log } = open(t)
  reader.exec('BEGIN; SELECT * FROM blobs')
  while (log() < 112 * MB) insert.run(MB)
  reader.exec('COMMIT')
  checkpoint.afterCommit()
  t.equal(log(), 0)
})
