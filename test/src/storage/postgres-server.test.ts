/** What the PostgreSQL store does beside other processes, and when the server is not as it should be. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { StoreUnavailable } from '../../../src/storage/errors.ts'
import { WAITING_READS, type MessageStore, type StoreObserver } from '../../../src/storage/message-store.ts'
import { openMessageStore, type ServerOptions } from '../../../src/storage/open.ts'
import { PostgresPool } from '../../../src/storage/postgres/pool.ts'
import { startPostgres } from '../../postgres.ts'
import { untilResolved } from './inspect.ts'
import { untilCounted, wrongCounters } from './postgres-inspect.ts'
import { EVERYTHING, SILENT, count, message, saveAll } from './suite/common.ts'

const server = await startPostgres(t)

async function open (t: Test, url: string, observer: StoreObserver = SILENT, options: ServerOptions = {}): Promise<MessageStore> {
  const store = await openMessageStore(url, observer, options)
  t.teardown(() => store.close())
  return store
}

/** An observer, and what it was told. */
function listener (): { notices: string[], observer: StoreObserver } {
  const notices: string[] = []
  return { notices, observer: { ...SILENT, notice: text => { notices.push(text) } } }
}

const number = async (url: string, sql: string): Promise<number> => Number((await server.query<{ number: string }>(url, `SELECT (${sql}) AS number`))[0]?.number)

const NEWER = "INSERT INTO schema_version (version, name, md5, run_at) VALUES (99, 'future', '', now())"

t.test('ten that start at once on an empty database all come up, on one schema', async t => {
  const url = await server.createDatabase()
  const stores = await Promise.all(Array.from({ length: 10 }, () => open(t, url, SILENT, { readConnections: 1 })))
  await Promise.all(stores.map(store => store.ping()))
  t.strictSame(await Promise.all(stores.map((store, index) => store.save(message({ message_id: `m${index}` })))), stores.map(() => 'created'))
  t.equal((await stores[0]?.stats())?.total_messages, 10)
})

t.test('of processes that store the same messages at once each message is created by one', async t => {
  const url = await server.createDatabase()
  const stores = await Promise.all([open(t, url), open(t, url), open(t, url)])
  const messages = Array.from({ length: 500 }, (_, index) => message({ message_id: `m${index}`, from: `+${index % 7}`, text: `text ${index % 3}` }))
  const results = await Promise.all(stores.map(async (store, index) => saveAll(store, index % 2 === 0 ? messages : messages.toReversed())))
  t.equal(count(results.flat(), 'created'), 500)
  t.equal(count(results.flat(), 'duplicate'), 1000)

  for (const round of ['before they are counted', 'after']) {
    for (const store of stores) {
      const stats = await store.stats()
      t.equal(stats.total_messages, 500, round)
      t.equal(stats.senders_count, 7)
      t.strictSame(stats.messages_per_sender, ['+0', '+1', '+2', '+3', '+4', '+5', '+6'].map((from, index) => ({ from, count: index < 3 ? 72 : 71 })))
      t.equal((await store.page({ from: '+1' }, 1, 0)).total, 72)
    }
    await untilCounted(server, url)
  }
  t.strictSame(await wrongCounters(server, url), [])
})

t.test('a process that begins to count while another ends counts no sender twice', async t => {
  const url = await server.createDatabase()
  // The lock is asked for half a second late, and kept for half a second.
  await server.query(url, `
    CREATE SCHEMA slow;
    CREATE FUNCTION slow.pg_try_advisory_xact_lock(integer) RETURNS boolean LANGUAGE plpgsql AS '
      DECLARE held boolean;
      BEGIN
        PERFORM pg_sleep(0.5);
        held := pg_catalog.pg_try_advisory_xact_lock($1);
        IF held THEN PERFORM pg_sleep(0.5); END IF;
        RETURN held;
      END';
    ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = slow, pg_catalog, public`)
  const first = await open(t, url)
  await first.save(message({ message_id: 'm1', from: '+1' }))
  await untilCounted(server, url)
  await first.save(message({ message_id: 'm2', from: '+2' }))
  // The first is counting by now. One that is opened begins to count as well, and has the lock after it.
  await delay(500)
  const second = await open(t, url)
  await second.save(message({ message_id: 'm3', from: '+2' }))
  await untilCounted(server, url)
  t.strictSame(await wrongCounters(server, url), [])
})

t.test('a schema that takes long to make is waited for, and the waiting leaves nothing in the server', async t => {
  const url = await server.createDatabase()
  await server.query(url, `
    CREATE FUNCTION linger() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(8); END';
    CREATE EVENT TRIGGER slowly ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION linger()`)
  const [first, second] = await Promise.all([open(t, url), open(t, url)])
  await untilResolved(() => Promise.all([first.ping(), second.ping()]))
  t.equal(await number(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_advisory_lock%' AND state = 'active' AND pid <> pg_backend_pid()"), 0)
  t.equal(await number(url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'messages_search'"), 1)
  t.strictSame(await saveAll(first, [message()]), ['created'])
  t.strictSame(await saveAll(second, [message()]), ['duplicate'])
})

t.test('a store that is closed while it looks for its database says and asks no more', async t => {
  // It hangs up on the first, and lets the next wait.
  const listening = createServer()
  listening.once('connection', (socket: Socket) => { socket.destroy() })
  await new Promise<void>(resolve => { listening.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => listening.close())
  const { port } = listening.address() as AddressInfo

  const { notices, observer } = listener()
  const store = await openMessageStore(`postgres://nobody@127.0.0.1:${port}/none`, observer)
  const [again] = await once(listening, 'connection') as [Socket]
  const closing = store.close()
  again.resetAndDestroy()
  await closing
  await turn()
  t.match(notices, [/^the database cannot be used: Connection terminated/])
  t.equal(notices.length, 1)
  await t.rejects(store.ping(), new StoreUnavailable('the store is closed'))
})

t.test('what one process leaves uncounted another counts, and gives its space back', async t => {
  const url = await server.createDatabase()
  await (await openMessageStore(url, SILENT)).close()
  await server.query(url, `
    WITH stored AS (
      INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts)
      SELECT 'm' || i, '+' || i % 100, '+1', '2025-01-15T10:00:' || to_char(i % 60, 'FM00') || 'Z' FROM generate_series(1, 12000) AS i
      RETURNING from_msisdn, to_msisdn, moment
    )
    INSERT INTO uncounted SELECT from_msisdn, to_msisdn, left(moment, 19) FROM stored`)
  const store = await open(t, url)
  t.equal((await store.stats()).total_messages, 12_000)
  await untilCounted(server, url)
  t.equal((await store.stats()).total_messages, 12_000)
  t.strictSame(await wrongCounters(server, url), [])
  await untilResolved(async () => { if (await number(url, "SELECT pg_relation_size('uncounted')") > 0) throw new Error('not yet') })
})

t.test('a message that the database refuses does not keep its neighbours from being stored', async t => {
  const store = await open(t, await server.createDatabase())
  // More than an entry of an index holds, and nothing that compresses.
  const long = randomBytes(4500).toString('base64')
  const saves = await Promise.allSettled([message(), message({ message_id: long }), message({ message_id: 'm2' })].map(each => store.save(each)))
  t.match(saves, [{ value: 'created' }, { reason: { name: 'StoreUnavailable', cause: { message: /index row/ } } }, { value: 'created' }])
  t.equal(await store.count(), 2)
})

t.test('a database of a newer Letterbox is refused', async t => {
  const url = await server.createDatabase()
  await (await openMessageStore(url, SILENT)).close()
  await server.query(url, NEWER)
  await t.rejects(openMessageStore(url, SILENT), { name: 'StoreUnusable', message: /^the database is from a newer Letterbox: its schema is version 99, this program knows \d+ at most$/ })
})

t.test('a database of another encoding than UTF-8 is refused', async t => {
  const url = new URL(await server.createDatabase())
  await server.query(url.href, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
  url.pathname = '/latin'
  await t.rejects(openMessageStore(url.href, SILENT), { name: 'StoreUnusable', message: 'the database must have the encoding UTF8' })
})

t.test('a database without an encoding keeps and finds every text', async t => {
  const url = new URL(await server.createDatabase())
  await server.query(url.href, "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
  url.pathname = '/ascii'
  const store = await open(t, url.href)
  const stored = message({ text: 'ПРИВЕТ 😀 мир' })
  t.strictSame([await store.save(stored), await store.save(stored)], ['created', 'duplicate'])
  t.match(await store.get('m1'), stored)
  t.equal((await store.page({ q: 'привет 😀' }, 10, 0)).total, 1)
})

t.test('a search index that was not finished is made anew', async t => {
  const url = await server.createDatabase()
  const { notices, observer } = listener()
  await (await openMessageStore(url, SILENT)).close()
  await server.query(url, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_search'::regclass")
  await open(t, url, observer)
  t.strictSame(notices, [])
  t.equal(await number(url, "SELECT count(*) FROM pg_index WHERE indexrelid = 'messages_search'::regclass AND indisvalid"), 1)
})

t.test('a store that is closed while the index of receipts is made does not wait for it', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await store.save(message())
  // The index waits for everybody who may be writing to the table.
  const other = new pg.Client(url)
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN; LOCK TABLE messages IN ROW EXCLUSIVE MODE')
  const old = { receivedBefore: new Date(Date.now() + 60_000).toISOString() }
  const stop = new AbortController()
  const removed = store.remove(old, stop.signal)
  await untilResolved(async () => { if (await number(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND wait_event_type = 'Lock'") === 0) throw new Error('not yet') })
  stop.abort()
  t.equal(await removed, 0)
  await store.close()

  const later = await open(t, url)
  t.equal(await later.remove(old), 0, 'the server is making it still')
  await other.query('COMMIT')
  await untilResolved(async () => { if (await later.remove(old) !== 1) throw new Error('not yet') })
})

t.test('without pg_trgm searches scan, are as exact, and the operator is told once', async t => {
  const url = await server.createDatabase()
  // Whoever may not create anything in the database can have no extension.
  await server.query(url, "CREATE ROLE guest LOGIN PASSWORD 'guest'; GRANT ALL ON SCHEMA public TO guest")
  const guest = new URL(url)
  guest.username = guest.password = 'guest'
  const { notices, observer } = listener()
  const store = await open(t, guest.href, observer)
  await saveAll(store, [message({ text: 'ПРИВЕТ мир' }), message({ message_id: 'm2', text: 'hello' })])
  t.equal((await store.page({ q: 'привет' }, 10, 0)).total, 1)
  t.match(notices, [/^searches scan every message, since their index cannot be had in this database: permission denied/])
  t.equal(notices.length, 1)
})

t.test('a table that has rows gets its search index from the operator, as docs/scaling.md says', async t => {
  const url = await server.createDatabase()
  const { notices, observer } = listener()
  const first = await open(t, url, observer)
  await first.save(message())
  const [made] = await server.query<{ indexdef: string }>(url, "SELECT indexdef FROM pg_indexes WHERE indexname = 'messages_search'")
  await server.query(url, 'DROP INDEX messages_search')

  const second = await open(t, url, observer)
  t.strictSame(notices, ['searches scan every message until their index is made: docs/scaling.md says how'])
  t.equal((await second.page({ q: 'hello' }, 10, 0)).total, 1)
  const manual = await readFile(join(import.meta.dirname, '..', '..', '..', 'docs', 'scaling.md'), 'utf8')
  await server.query(url, /CREATE INDEX CONCURRENTLY [^;]+;/.exec(manual)?.[0] ?? '')
  t.strictSame(await server.query(url, "SELECT indexdef FROM pg_indexes WHERE indexname = 'messages_search'"), [made])
  await open(t, url, observer)
  t.equal(notices.length, 1)
})

t.test('a server whose disk is full is not ready until a commit succeeds, or might', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await server.query(url, `
    CREATE FUNCTION fail () RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''disk_full''; END';
    CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()`)
  await t.rejects(store.save(message()), StoreUnavailable)
  await t.rejects(store.ping(), new StoreUnavailable('commits fail'))
  await untilResolved(() => store.ping())
  await t.rejects(store.save(message()), StoreUnavailable)
  await server.query(url, 'DROP TRIGGER fail ON messages')
  t.equal(await store.save(message()), 'created')
  await store.ping()
})

t.test('a server on which commits time out is not ready until one succeeds, or might', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  const locked = server.query(url, 'BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE; SELECT pg_sleep(6); COMMIT')
  await untilResolved(async () => { if (await number(url, "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND granted AND relation = 'messages'::regclass") === 0) throw new Error('not yet') })
  await store.ping()
  await t.rejects(store.save(message()), StoreUnavailable)
  await t.rejects(store.ping(), new StoreUnavailable('commits fail'))
  await locked
  await t.rejects(store.ping(), StoreUnavailable, 'nobody knows yet')
  t.equal(await store.save(message()), 'created')
  await store.ping()
})

t.test('a read whose client has gone is ended in the server', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await server.query(url, 'ALTER TABLE totals RENAME TO kept; CREATE VIEW totals AS SELECT kept.* FROM kept, pg_sleep(60)')
  const active = (): Promise<number> => number(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
  const client = new AbortController()
  const read = t.rejects(store.stats(client.signal), StoreUnavailable)
  await untilResolved(async () => { if (await active() === 0) throw new Error('not yet') })
  client.abort()
  await read
  t.equal(await active(), 0)
  await t.rejects(store.stats(AbortSignal.abort()), StoreUnavailable)
})

t.test('the end of a read whose client has gone meets nobody else', async t => {
  const url = await server.createDatabase()
  const pool = new PostgresPool(url, 1)
  t.teardown(() => pool.close())
  const sleep = (seconds: number) => ({ name: `sleep ${seconds}`, text: `SELECT pg_sleep(${seconds}), pg_backend_pid() AS pid` })
  const [first] = await pool.query<{ pid: number }>(sleep(0), [])
  await t.rejects(pool.query(sleep(0), [], AbortSignal.abort()), new StoreUnavailable('nobody waits for the answer'))
  t.match(await pool.query(sleep(0), []), [first], 'a connection on which nothing was begun is kept')

  const client = new AbortController()
  const gone = t.rejects(pool.query(sleep(4), [], client.signal), StoreUnavailable)
  const next = pool.query(sleep(0.2), [])
  await untilResolved(async () => { if (await number(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") === 0) throw new Error('not yet') })
  const begun = performance.now()
  client.abort()
  await gone
  t.ok(performance.now() - begun < 3000, 'though no connection of the pool was free')
  t.equal((await next).length, 1)
})

t.test('a read that takes longer than five seconds is given up, and holds up no delivery', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await server.query(url, 'ALTER TABLE totals RENAME TO kept; CREATE VIEW totals AS SELECT kept.* FROM kept, pg_sleep(60)')
  const slow = t.rejects(store.stats(), StoreUnavailable)
  t.equal(await store.save(message()), 'created')
  await slow
})

t.test('more reads than may wait are refused at once; those that wait are answered', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await store.save(message())
  const answers = Promise.allSettled(Array.from({ length: 2 * WAITING_READS }, () => store.get('m1')))
  await t.rejects(store.get('m1'), new StoreUnavailable('too many statements are waiting'))
  await t.resolves(store.ping())
  t.equal(await store.save(message({ message_id: 'm2' })), 'created')
  const refused = (await answers).filter(answer => answer.status === 'rejected' && /too many/.test(answer.reason.message))
  t.ok(refused.length > 0 && refused.length <= WAITING_READS, `${refused.length} were refused`)
  t.match(await store.get('m1'), message())
})

t.test('reads go to the replica that was named, and saves do not', async t => {
  const [url, readUrl] = [await server.createDatabase(), await server.createDatabase()]
  const replica = await open(t, readUrl)
  const store = await open(t, url, SILENT, { readUrl })
  t.equal(await store.save(message()), 'created')
  t.equal(await store.get('m1'), undefined)
  t.equal(await replica.save(message({ text: 'from the replica' })), 'created')
  t.match(await store.get('m1'), { text: 'from the replica' })
})

t.test('a database that can only be read is not ready', async t => {
  const url = await server.createDatabase()
  await (await openMessageStore(url, SILENT)).close()
  await server.query(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`)
  const store = await open(t, url)
  await t.rejects(store.ping(), new StoreUnavailable('the database can only be read'))
  await t.rejects(store.save(message()), StoreUnavailable)
  t.equal((await store.page(EVERYTHING, 1, 0)).total, 0)
})

t.test('an item that no message could be read from is there as it came, once', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  const items = [{ source: 'other', raw: '' }, { source: 'whatsapp', raw: '' }, { source: 'whatsapp', raw: '{ "odd": "\\u0000 — 😀" }' }]
  for (const delivery of [items, items.toReversed()]) await store.saveAll([], delivery)
  t.strictSame(await server.query(url, 'SELECT source, raw FROM unread_items ORDER BY source, raw'), items)
})

t.test('commits wait for the disk, whatever the default of the database is', async t => {
  const url = await server.createDatabase()
  const name = new URL(url).pathname.slice(1)
  await server.query(url, `ALTER DATABASE ${name} SET synchronous_commit = off; ALTER DATABASE ${name} SET default_transaction_isolation = serializable`)
  const pool = new PostgresPool(url, 1)
  t.teardown(() => pool.close())
  const ask = async (setting: string): Promise<unknown> => (await pool.query<Record<string, unknown>>({ name: '', text: `SHOW ${setting}` }, []))[0]?.[setting]
  t.equal(await ask('synchronous_commit'), 'on')
  t.equal(await ask('transaction_isolation'), 'read committed')
})

t.test('a table that is missing is not ready', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await server.query(url, 'DROP TABLE periods')
  await t.rejects(store.ping(), StoreUnavailable)
})

t.test('a database in which nothing may be made yet is used as soon as it may', async t => {
  const url = await server.createDatabase()
  await server.query(url, "CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
  const stranger = new URL(url)
  stranger.username = stranger.password = 'stranger'
  const { notices, observer } = listener()
  const store = await open(t, stranger.href, observer)
  await t.rejects(store.ping(), new StoreUnavailable('the database is not ready'))
  t.match(notices, [/^the database cannot be used: permission denied/])
  await server.query(url, 'GRANT ALL ON SCHEMA public TO stranger')
  await untilResolved(() => store.ping())
  t.equal(await store.save(message()), 'created')
})

// The last one: it stops the server.
t.test('a store whose server is down is not ready, and works without a restart once it is back', async t => {
  const url = await server.createDatabase()
  const newer = await server.createDatabase()
  await (await openMessageStore(newer, SILENT)).close()
  await server.query(newer, NEWER)
  const before = await open(t, url)
  t.equal(await before.save(message()), 'created')
  await server.stop()

  await t.rejects(before.ping(), StoreUnavailable)
  await t.rejects(before.save(message({ message_id: 'm2' })), StoreUnavailable)
  await t.rejects(before.stats(), StoreUnavailable)
  const { notices, observer } = listener()
  const meanwhile = await open(t, url, observer)
  await t.rejects(meanwhile.ping(), new StoreUnavailable('the database is not ready'))
  await t.rejects(meanwhile.save(message({ message_id: 'm3' })), StoreUnavailable)
  t.match(notices, [/^the database cannot be used: .*ECONNREFUSED/])
  t.equal(meanwhile.queueDepth, 0)
  const tooOld = listener()
  const refused = await open(t, newer, tooOld.observer)

  await server.start()
  await untilResolved(() => meanwhile.ping())
  await untilResolved(() => before.ping())
  t.strictSame(await saveAll(meanwhile, ['m1', 'm2', 'm3'].map(id => message({ message_id: id }))), ['duplicate', 'created', 'created'])
  t.equal(await before.save(message({ message_id: 'm3' })), 'duplicate')
  t.equal((await before.stats()).total_messages, 3)
  await untilResolved(async () => { if (tooOld.notices.length < 2) throw new Error('not yet') })
  t.match(tooOld.notices[1], /the database is from a newer Letterbox/)
  await t.rejects(refused.ping(), StoreUnavailable)
})
