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
  const notices: string[] = []
  const checkpoint = new SqliteCheckpoint(writer, file, text => { notices.push(text) })
  checkpoint.whenIdle()
  const reader = openForReading(file)
  t.teardown(() => reader.close())
  return {
    writer,
    reader,
    insert: writer.prepare('INSERT INTO blobs VALUES (zeroblob(?))'),
    checkpoint,
    notices,
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

t.test('a reader that stays for long is waited for once, and once more each time that the log has doubled', async t => {
  const { reader, insert, checkpoint, notices, log } = open(t)
  const waited = (): boolean => {
    const begun = performance.now()
    checkpoint.afterCommit()
    return performance.now() - begun >= 1000
  }
  reader.exec('BEGIN; SELECT * FROM blobs')
  while (log() < 112 * MB) insert.run(MB)
  t.ok(waited())
  t.match(notices, [/^another process.* reads the database for long/])

  const begun = performance.now()
  for (let commits = 0; commits < 20; commits++) {
    insert.run(1)
    checkpoint.afterCommit()
  }
  // Were each of them made to wait, they would take 20 s.
  t.ok(performance.now() - begun < 10_000)
  while (log() < 226 * MB) insert.run(MB)
  t.ok(waited())
  t.equal(notices.length, 1, 'it is told once')

  reader.exec('COMMIT')
  await delay(1100)
  checkpoint.afterCommit()
  t.equal(log(), 0)
  reader.exec('BEGIN; SELECT * FROM blobs')
  while (log() < 112 * MB) insert.run(MB)
  t.ok(waited(), 'from then on it is as before')
  t.equal(notices.length, 2)
  reader.exec('COMMIT')
})
