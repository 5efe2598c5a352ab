/** What the threads of the SQLite store do when something is in their way. */
import { once } from 'node:events'
import { mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { StoreUnavailable } from '../../../src/storage/errors.ts'
import { WAITING_READS, type MessageStore, type StoreObserver } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { SqliteWriterHandle } from '../../../src/storage/sqlite/writer-handle.ts'
import { inspect, untilIndexed, untilResolved } from './inspect.ts'
import { EVERYTHING, message, messageIn, saveAll, SILENT } from './suite/common.ts'

async function openStore (t: Test, observer: StoreObserver = SILENT): Promise<{ file: string, store: MessageStore }> {
  const file = join(t.testdir(), 'app.db')
  const store = await openMessageStore(`sqlite:///${file}`, observer)
  t.teardown(() => store.close())
  return { file, store }
}

/** Opens the writer alone; the thread is the one that Node.js tells of. */
async function openWriter (t: Test): Promise<{ file: string, writer: SqliteWriterHandle, thread: Worker }> {
  const file = join(t.testdir(), 'app.db')
  const started = nextThread()
  const writer = await SqliteWriterHandle.open({ file, durable: true }, SILENT)
  // The handle does not keep the process alive while its thread is down.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(async () => {
    clearInterval(alive)
    await writer.close()
  })
  return { file, writer, thread: await started }
}

async function nextThread (): Promise<Worker> {
  const [thread] = await once(process, 'worker')
  return thread
}

const rows = (file: string): unknown => inspect(file, database => database.prepare('SELECT count(*) FROM messages').pluck().get())

t.test('a writer thread that dies refuses what it had in hand, and another takes over', async t => {
  const { file, writer, thread } = await openWriter(t)
  t.strictSame((await writer.commit([message()])).outcomes, ['created'])
  const other = new Database(file)
  t.teardown(() => other.close())
  // Keeps the thread from being done with it.
  other.exec('BEGIN IMMEDIATE')
  const lost = new StoreUnavailable('the writer thread ended')
  const refused = [t.rejects(writer.commit([message({ message_id: 'm2' })]), lost), t.rejects(writer.ping(), lost)]
  const ended = thread.terminate()
  other.exec('ROLLBACK')
  await ended
  await Promise.all(refused)
  await t.rejects(writer.commit([message({ message_id: 'm3' })]), new StoreUnavailable('the writer thread is not running'))
  await t.rejects(writer.ping(), StoreUnavailable)

  await nextThread()
  await untilResolved(() => writer.ping())
  t.strictSame((await writer.commit([message(), message({ message_id: 'm3' })])).outcomes, ['duplicate', 'created'])
  t.ok(Number(rows(file)) >= 2)
})

t.test('a writer thread that cannot be started again is tried until it can', async t => {
  const { file, writer, thread } = await openWriter(t)
  await writer.commit([message()])
  const dead = once(thread, 'exit')
  await thread.terminate()
  await dead
  const aside = `${file}-aside`
  renameSync(file, aside)
  mkdirSync(file)
  const failing = await nextThread()
  t.match(await once(failing, 'error'), [{ code: 'SQLITE_CANTOPEN' }])
  await t.rejects(writer.ping(), new StoreUnavailable('the writer thread is not running'))
  rmdirSync(file)
  renameSync(aside, file)
  await nextThread()
  await untilResolved(() => writer.ping())
  t.strictSame((await writer.commit([message()])).outcomes, ['duplicate'])
})

t.test('a writer that is closed while its thread is down is not started again', async t => {
  const { writer, thread } = await openWriter(t)
  const dead = once(thread, 'exit')
  await thread.terminate()
  await dead
  await writer.close()
  await t.rejects(writer.ping(), StoreUnavailable)
})

t.test('a writer that is closed while its thread starts anew ends that one too', async t => {
  const { writer, thread } = await openWriter(t)
  await thread.terminate()
  const started = await nextThread()
  const ended = once(started, 'exit')
  await writer.close()
  t.strictSame(await ended, [0])
})

t.test('while another process writes for long, reads go on, and saves and pings are refused in time', async t => {
  const { file, store } = await openStore(t)
  await store.save(message())
  await untilIndexed(file)
  const other = new Database(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const begun = performance.now()
  const saves = ['m2', 'm3', 'm4'].map(id => store.save(message({ message_id: id })))
  const refused = Promise.all(saves.map(save => t.rejects(save, { name: 'StoreUnavailable', cause: { message: /locked/ } })))
  t.strictSame(await messageIn(store, 'm1'), message())
  t.equal((await store.page(EVERYTHING, 10, 0)).total, 1)
  t.equal((await store.stats()).total_messages, 1)
  await refused
  t.ok(performance.now() - begun < 6000, 'they waited together, 2 s, and not one after the other')
  await t.rejects(store.ping(), new StoreUnavailable('the database cannot be written'))
  other.exec('ROLLBACK')
  await t.resolves(store.ping())
  t.strictSame(await saveAll(store, ['m1', 'm2', 'm3', 'm4'].map(id => message({ message_id: id }))), ['duplicate', 'created', 'created', 'created'])
  t.equal(await store.count(), 4)
})

t.test('a save that waits for another process is stored when that has finished in time', async t => {
  const { file, store } = await openStore(t)
  await store.save(message())
  await untilIndexed(file)
  const other = new Database(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const saved = store.save(message({ message_id: 'm2' }))
  await store.get('m1')
  other.exec('COMMIT')
  t.equal(await saved, 'created')
})

t.test('when the file is moved away nothing is acknowledged; moved back, it works again', async t => {
  const commits: number[] = []
  const { file, store } = await openStore(t, { ...SILENT, committed: rows => { commits.push(rows) } })
  await store.save(message())
  renameSync(file, `${file}.moved`)
  await t.rejects(store.save(message({ message_id: 'm2' })), StoreUnavailable)
  t.strictSame(commits, [1], 'what failed was no commit')
  await t.rejects(store.ping(), StoreUnavailable)
  renameSync(`${file}.moved`, file)
  await t.resolves(store.ping())
  t.equal(await store.save(message({ message_id: 'm2' })), 'created')
  t.equal(rows(file), 2)
})

t.test('when another file is in its place nothing is acknowledged either', async t => {
  const { file, store } = await openStore(t)
  renameSync(file, `${file}.moved`)
  new Database(file).close()
  await t.rejects(store.save(message()), { cause: { message: 'the database file was moved or replaced' } })
  renameSync(`${file}.moved`, file)
  t.equal(await store.save(message()), 'created')
})

t.test('a read that nobody waits for any more is given up at once', async t => {
  const { store } = await openStore(t)
  await store.save(message())
  const reads: ((signal: AbortSignal) => Promise<unknown>)[] = [
    signal => store.get('m1', signal),
    signal => store.page({ q: 'hello' }, 1, 0, signal),
    signal => store.page(EVERYTHING, 1, 20_000, signal),
    signal => store.pageAfter(EVERYTHING, 1, message(), signal),
    signal => store.stats(signal)
  ]
  for (const read of reads) {
    const controller = new AbortController()
    const answer = read(controller.signal)
    controller.abort()
    await t.rejects(answer, new StoreUnavailable('nobody waits for the answer'))
    const late = new AbortController()
    await read(late.signal)
    late.abort()
  }
  t.strictSame(await messageIn(store, 'm1'), message())
})

t.test('a message that the database refuses by itself is refused alone', async t => {
  const { file, store } = await openStore(t)
  inspect(file, database => database.exec(`
    CREATE TRIGGER unlucky BEFORE INSERT ON messages WHEN NEW.message_id = 'm13' BEGIN SELECT RAISE(ABORT, 'unlucky'); END;
    CREATE TRIGGER fatal BEFORE INSERT ON messages WHEN NEW.message_id = 'm14' BEGIN SELECT RAISE(ROLLBACK, 'fatal'); END`))
  const [first, unlucky, last] = ['m1', 'm13', 'm2'].map(id => store.save(message({ message_id: id })))
  await t.rejects(async () => { await unlucky }, { message: 'the database refused the message', cause: { message: 'unlucky' } })
  t.strictSame(await Promise.all([first, last]), ['created', 'created'])

  const group = ['m3', 'm14', 'm4'].map(id => store.save(message({ message_id: id })))
  for (const save of group) await t.rejects(save, { message: 'the database could not store the message', cause: { message: 'fatal' } })
  t.equal(await store.count(), 2)
  t.equal(rows(file), 2)
})

t.test('texts that cannot be indexed now are found all the same, and are indexed later', async t => {
  const { file, store } = await openStore(t)
  inspect(file, database => database.exec(
    "CREATE TRIGGER stuck BEFORE UPDATE ON totals WHEN NEW.name = 'indexed' BEGIN SELECT RAISE(ABORT, 'stuck'); END"
  ))
  await store.save(message())
  t.equal((await store.page({ q: 'HELLO' }, 10, 0)).total, 1)
  inspect(file, database => database.exec('DROP TRIGGER stuck'))
  await store.save(message({ message_id: 'm2' }))
  await untilIndexed(file)
  t.equal((await store.page({ q: 'HELLO' }, 10, 0)).total, 2)
})

t.test('when nothing is written for a while, the log gives its space back, as soon as no reader is in the way', async t => {
  const { file, store } = await openStore(t)
  const sizeOfLog = (): number => statSync(`${file}-wal`).size
  await saveAll(store, Array.from({ length: 500 }, (_, index) => message({ message_id: `m${index}`, text: 'x'.repeat(1000) })))
  const reader = new Database(file, { readonly: true })
  t.teardown(() => reader.close())
  reader.exec('BEGIN; SELECT * FROM messages')
  // It is tried once a second.
  await delay(3000)
  t.ok(sizeOfLog() > 100_000)
  reader.exec('COMMIT')
  await untilResolved(async () => { if (sizeOfLog() > 0) throw new Error('not yet') })
  t.equal(rows(file), 500)
})

t.test('a log that grows without a pause is moved into the database meanwhile', async t => {
  const { file, store } = await openStore(t)
  const text = 'x'.repeat(4096)
  for (let round = 0, id = 0; round < 12; round++) {
    await saveAll(store, Array.from({ length: 1000 }, () => message({ message_id: `m${++id}`, text })))
  }
  t.ok(statSync(`${file}-wal`).size < 100_000_000, `${statSync(`${file}-wal`).size} bytes of log`)
  t.ok(statSync(file).size > 10_000_000)
  t.equal(await store.count(), 12_000)
})

t.test('a log that a reader keeps from beginning anew is cut back when that reader has gone', async t => {
  const { file, store } = await openStore(t)
  const sizeOfLog = (): number => statSync(`${file}-wal`).size
  await store.save(message())
  const reader = new Database(file, { readonly: true })
  t.teardown(() => reader.close())
  reader.exec('BEGIN; SELECT * FROM messages')

  const text = 'x'.repeat(4096)
  let id = 0
  const save = async (): Promise<void> => {
    const results = await saveAll(store, Array.from({ length: 1000 }, () => message({ message_id: `m-${++id}`, text })))
    t.ok(results.every(result => result === 'created'))
  }
  while (sizeOfLog() < 112 * 1024 * 1024) await save()
  await save()
  reader.exec('COMMIT')
  // A reader that stayed for so long is looked for once a second.
  for (const end = performance.now() + 30_000; sizeOfLog() >= 64 * 1024 * 1024 && performance.now() < end;) await save()
  t.ok(sizeOfLog() < 64 * 1024 * 1024, `${sizeOfLog()} bytes of log`)
  t.equal(await store.count(), id + 1)
})

t.test('a read whose client has gone before it begins is given up', async t => {
  const { store } = await openStore(t)
  await t.rejects(store.stats(AbortSignal.abort()), new StoreUnavailable('nobody waits for the answer'))
  t.equal((await store.stats(new AbortController().signal)).total_messages, 0)
})

t.test('more reads than may wait are refused at once, while probes are answered; those that wait are answered', async t => {
  const { store } = await openStore(t)
  await store.save(message())
  const kinds: (() => Promise<unknown>)[] = [() => store.get('m1'), () => store.page({ q: 'hello' }, 1, 0)]
  for (const read of kinds) {
    const answers = Promise.allSettled(Array.from({ length: 2 * WAITING_READS }, () => read()))
    await t.rejects(read(), new StoreUnavailable('too many reads are waiting'))
    await Promise.all([t.resolves(store.ping()), t.resolves(store.count())])
    const refused = (await answers).filter(answer => answer.status === 'rejected' && /too many/.test(answer.reason.message))
    t.ok(refused.length > 0 && refused.length <= WAITING_READS, `${refused.length} were refused`)
    t.match(await read(), {})
  }
})

t.test('a read that takes longer than five seconds is given up, and holds up no delivery', async t => {
  const { file, store } = await openStore(t)
  // A table that takes very long to read, and which is left alone by the thread that writes, since what it stores cannot be counted.
  inspect(file, database => database.exec(`
    DROP TABLE busiest_senders;
    CREATE VIEW busiest_senders (msisdn, count) AS
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000000) SELECT i, i FROM n WHERE i < 0;
    CREATE TRIGGER stuck BEFORE UPDATE ON totals BEGIN SELECT RAISE(ABORT, 'stuck'); END`))
  const slow = t.rejects(store.stats(), new StoreUnavailable('the read took too long'))
  t.equal(await store.save(message()), 'created')
  await slow
})
