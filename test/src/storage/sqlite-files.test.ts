import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { foldCase } from '../../../src/fold.ts'
import type { Message } from '../../../src/message.ts'
import { StoreUnusable } from '../../../src/storage/errors.ts'
import type { MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { inspect, untilIndexed, wrongCounters } from './inspect.ts'
import { select, statsOf } from './reference.ts'
import { EVERYTHING, SILENT, message, saveAll } from './suite/common.ts'
import { removeAll } from './suite/removals.ts'

async function openStore (t: Test, file: string): Promise<MessageStore> {
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  return store
}

/** Opening the file must fail with one clear line. */
async function unusable (t: Test, file: string, reason: RegExp): Promise<void> {
  const error: unknown = await openMessageStore(`sqlite:///${file}`, SILENT).then(() => undefined, (error: unknown) => error)
  t.type(error, StoreUnusable)
  if (!(error instanceof StoreUnusable)) return
  t.match(error.message, reason)
  t.notMatch(error.message, /[\r\n]|undefined|\[object|^\s*$/)
}

t.test('parent folders are made', async t => {
  const file = join(t.testdir(), 'a', 'b c', 'd%20é', 'app.db')
  const store = await openStore(t, file)
  await store.save(message())
  t.ok(statSync(file).isFile())
})

t.test('what was saved is there after reopening, and known', async t => {
  const file = join(t.testdir(), 'app.db')
  const first = await openStore(t, file)
  await saveAll(first, [message(), message({ message_id: 'm2', text: null, ts: '2025-01-15T09:00:00.25Z' })])
  const stats = await first.stats()
  await first.close()

  const second = await openStore(t, file)
  t.strictSame((await second.page(EVERYTHING, 50, 0)).messages, [message({ message_id: 'm2', text: null, ts: '2025-01-15T09:00:00.25Z' }), message()])
  t.equal((await second.page({ q: 'HELLO' }, 50, 0)).total, 1)
  t.strictSame(await second.stats(), stats)
  t.equal(await second.save(message({ text: 'other' })), 'duplicate')
  t.equal(await second.save(message({ message_id: 'm3' })), 'created')
  t.equal(await second.count(), 3)
})

t.test('a store that was opened again and again keeps its rows and its schema', async t => {
  const file = join(t.testdir(), 'app.db')
  for (let round = 1; round <= 4; round++) {
    const store = await openStore(t, file)
    await store.save(message({ message_id: `m${round}` }))
    t.equal(await store.count(), round)
    await store.close()
  }
  const schema = (): unknown => inspect(file, database => database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all())
  const before = schema()
  await (await openStore(t, file)).close()
  t.strictSame(schema(), before)
})

t.test('two stores on one file see each other, and one message is created once', async t => {
  const file = join(t.testdir(), 'app.db')
  const [one, other] = [await openStore(t, file), await openStore(t, file)]
  const messages = Array.from({ length: 50 }, (_, index) => message({ message_id: `m${index}` }))
  const results = await Promise.all([saveAll(one, messages), saveAll(other, messages)])
  t.equal(results.flat().filter(result => result === 'created').length, 50)
  t.equal(await one.count(), 50)
  t.equal(await other.count(), 50)
})

t.test('the table and the columns that are promised are there', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openStore(t, file)
  const before = new Date().toISOString()
  await saveAll(store, [message({ message_id: 'm1', ts: '2025-01-15T10:00:00.5Z' }), message({ message_id: 'm2', text: null })])
  const after = new Date().toISOString()
  await store.close()

  inspect(file, database => {
    const rows = database.prepare(
      'SELECT message_id, from_msisdn, to_msisdn, ts, text, created_at FROM messages ORDER BY message_id'
    ).all() as Record<string, string>[]
    t.match(rows, [
      { message_id: 'm1', from_msisdn: '+919876543210', to_msisdn: '+14155550100', ts: '2025-01-15T10:00:00.5Z', text: 'Hello' },
      { message_id: 'm2', from_msisdn: '+919876543210', to_msisdn: '+14155550100', ts: '2025-01-15T10:00:00Z', text: null }
    ])
    t.ok(rows.every(row => before <= String(row['created_at']) && String(row['created_at']) <= after), 'created_at is ISO 8601 UTC')
    const key = database.prepare("SELECT name FROM pragma_table_info('messages') WHERE pk > 0").pluck().all()
    t.strictSame(key, ['message_id'])
    t.throws(() => database.exec("UPDATE messages SET message_id = 'm1'"), { code: /^SQLITE_CONSTRAINT/ })
  })
})

t.test('an item that no message could be read from is there as it came, once', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openStore(t, file)
  const items = [{ source: 'whatsapp', raw: '{ "odd": "\\u0000 — 😀" }' }, { source: 'whatsapp', raw: '' }, { source: 'other', raw: '' }]
  for (const delivery of [items, items.toReversed()]) await store.saveAll([], delivery)
  t.strictSame(inspect(file, database => database.prepare('SELECT source, raw FROM unread_items ORDER BY rowid').all()), items)
})

t.test('the file is in WAL mode, and sound', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openStore(t, file)
  await store.save(message())
  inspect(file, database => {
    t.equal(database.pragma('journal_mode', { simple: true }), 'wal')
    t.equal(database.pragma('integrity_check', { simple: true }), 'ok')
  })
})

t.test('an acknowledged message is in the file before its store is closed', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openStore(t, file)
  for (const message_id of ['m1', 'm2', 'm3']) {
    await store.save(message({ message_id }))
    t.equal(inspect(file, database => database.prepare('SELECT 1 FROM messages WHERE message_id = ?').pluck().get(message_id)), 1)
  }
})

t.test('closing leaves one file without a log', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openStore(t, file)
  await store.save(message())
  await store.close()
  t.notOk(existsSync(`${file}-wal`))
  t.notOk(existsSync(`${file}-shm`))
})

t.test('a folder is no database', t => unusable(t, join(t.testdir({ folder: {} }), 'folder'), /folder/))

t.test('another file is no database, and is left as it is', async t => {
  const text = 'a text of some length, that is no database. '.repeat(100)
  const file = join(t.testdir({ 'notes.txt': text }), 'notes.txt')
  await unusable(t, file, /notes\.txt.*not a database/)
  t.equal(readFileSync(file, 'utf8'), text)
})

t.test('a path below a file cannot be made', async t => {
  const folder = t.testdir({ plain: 'x' })
  await unusable(t, join(folder, 'plain', 'app.db'), /plain/)
  await unusable(t, join(folder, 'plain', 'deeper', 'app.db'), /plain/)
})

t.test('a path that no file can have is refused', async t => {
  await unusable(t, join(t.testdir(), 'x'.repeat(300)), /^DATABASE_URL names \/.*x, which cannot be used: unable to open/)
})

t.test('a URL that names no database is refused', async t => {
  await t.rejects(openMessageStore('mysql://user:hunter2@host/db', SILENT), new StoreUnusable(
    'DATABASE_URL names no database that Letterbox can use'
  ))
})

t.test('a database of a newer Letterbox is refused, and left as it is', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openStore(t, file)
  await store.save(message())
  await store.close()
  const versions = (): unknown => inspect(file, database => database.prepare('SELECT version FROM schema_version ORDER BY version').pluck().all())
  inspect(file, database => database.exec("INSERT INTO schema_version (version, name) VALUES (999, 'of the future')"))
  const before = versions()

  await unusable(t, file, /newer Letterbox.*999/)
  t.strictSame(versions(), before)
  t.equal(inspect(file, database => database.prepare('SELECT count(*) FROM messages').pluck().get()), 1)
})

t.test('a database with another table of that name is refused', async t => {
  const file = join(t.testdir(), 'app.db')
  inspect(file, database => database.exec('CREATE TABLE messages (id INTEGER)'))
  await unusable(t, file, /messages/)
  t.equal(inspect(file, database => database.prepare("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'messages%'").pluck().get()), 1)
})

const MIGRATIONS = join(import.meta.dirname, '../../../src/storage/sqlite/migrations')
const scripts = readdirSync(MIGRATIONS).sort().map(name => readFileSync(join(MIGRATIONS, name), 'utf8'))

/** Makes a file as a Letterbox of this version left it, with `a`, `b` and `c` of before and, since there are lists, one that is in none yet. @returns its messages */
function older (file: string, version: number): Message[] {
  const rows = [
    message({ message_id: 'a', from: '+1', ts: '2025-01-15T10:00:00.5Z', text: 'Straße' }), message({ message_id: 'b', from: '+2', text: null }),
    message({ message_id: 'c', from: '+2', ts: '2024-12-31T23:59:59Z', text: 'Hello' })
  ]
  const unlisted = version === 1 ? [] : [message({ message_id: 'd', from: '+2', text: 'Hello again' })]
  inspect(file, database => {
    const insert = (seq: number, { message_id: id, from, to, ts, text }: Message, columns = '', values = ''): void => {
      database.prepare(`INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?${values})`)
        .run(id, from, to, ts, text, '2025-01-15T10:00:01Z', seq, text === null ? null : foldCase(text))
    }
    database.exec('CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT, md5 TEXT, run_at TIMESTAMP WITH TIME ZONE)')
    for (const [index, script] of scripts.slice(0, version).entries()) {
      database.exec(script)
      database.prepare("INSERT INTO schema_version (version, name) VALUES (?, 'x')").run(index + 1)
      if (index === 0) for (const [place, row] of rows.entries()) insert(place + 1, row)
    }
    for (const row of unlisted) insert(4, row, ', listed', ', 0')
  })
  return [...rows, ...unlisted]
}

for (let version = 1; version < scripts.length; version++) {
  t.test(`a database of version ${version} is brought up to date, with everything that it holds`, async t => {
    const file = join(t.testdir(), 'app.db')
    const rows = older(file, version)
    const store = await openStore(t, file)
    const check = async (): Promise<void> => {
      for (const filter of [EVERYTHING, { since: '2025-01-15T10:00:00Z' }, { q: 'STRASSE' }, { q: 'hello' }, { from: '+2' }, { source: 'webhook' }]) {
        const expected = select(rows, filter)
        t.match(await store.page(filter, 50, 0), { messages: expected, total: expected.length })
      }
      t.match(await store.get('c'), { text: 'Hello', source: 'webhook', type: null, raw: null, received_at: '2025-01-15T10:00:01Z' })
      t.strictSame(await store.stats(), statsOf(rows))
    }
    await check()
    await untilIndexed(file)
    await check()
    t.strictSame(wrongCounters(file), [])
    t.equal(await store.save(message({ message_id: 'a' })), 'duplicate')
    t.equal(await removeAll(store, { from: '+2' }), rows.length - 1)
    t.equal(await removeAll(store, { receivedBefore: '2025-01-16T00:00:00.000Z' }), 1)
    t.strictSame(wrongCounters(file), [])
    t.equal(await store.save(message({ message_id: 'a' })), 'duplicate')
  })
}
