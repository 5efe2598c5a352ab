/** That the feed of PostgreSQL keeps the order of commits, whatever writers do. */
import pg from 'pg'
import t, { type Test } from 'tap'
import { BEGINNING } from '../../../src/storage/feed-position.ts'
import { UnknownPosition } from '../../../src/storage/errors.ts'
import type { FeedRow, MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { ANNOUNCE } from '../../../src/storage/postgres/feed.ts'
import { startPostgres } from '../../postgres.ts'
import { follow } from './suite/feed.ts'
import { SILENT, ids, message } from './suite/common.ts'

const server = await startPostgres(t)

async function open (t: Test, url: string): Promise<MessageStore> {
  const store = await openMessageStore(url, SILENT)
  t.teardown(() => store.close())
  return store
}

async function connect (t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** What a writer of another process does, in a transaction that the test holds open. */
const INSERT = `
  WITH announced AS MATERIALIZED (${ANNOUNCE})
  INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts)
  SELECT id, '+1', '+2', '2025-01-15T10:00:00Z' FROM announced, unnest($1::text[]) AS id ORDER BY id RETURNING seq`

t.test('nothing comes before what is under way, and everything once that is over, one way or the other', async t => {
  for (const end of ['COMMIT', 'ROLLBACK']) {
    const url = await server.createDatabase()
    const store = await open(t, url)
    const [slow, slower] = [await connect(t, url), await connect(t, url)]
    await slow.query('BEGIN')
    await slow.query(INSERT, [['first']])
    await store.save(message({ message_id: 'second' }))
    t.strictSame(await store.feed({}, BEGINNING, 10), { rows: [], position: BEGINNING, isLast: true }, 'of the very first, too')
    t.strictSame(await store.feedEnd(), BEGINNING)
    await slow.query(end)
    const expected = end === 'COMMIT' ? ['first', 'second'] : ['second']
    t.strictSame(ids(await follow(store)), expected)

    await slow.query('BEGIN')
    await slow.query(INSERT, [['a', 'b']])
    await store.save(message({ message_id: 'c' }))
    await slower.query('BEGIN')
    await slower.query(INSERT, [['d']])
    await store.save(message({ message_id: 'e' }))
    t.strictSame(ids(await follow(store)), expected)
    await slow.query(end)
    t.strictSame(ids(await follow(store)), [...expected, ...end === 'COMMIT' ? ['a', 'b'] : [], 'c'], 'up to what is still under way')
    await slower.query('ROLLBACK')
    t.strictSame(ids(await follow(store)), [...expected, ...end === 'COMMIT' ? ['a', 'b'] : [], 'c', 'e'])
  }
})

t.test('the lock is had before the first seq is, and kept to the end', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await store.save(message())
  const client = await connect(t, url)
  const locks = 'SELECT (classid::bigint & 65535) << 32 | objid::bigint AS reached, mode FROM pg_locks WHERE locktype = \'advisory\' AND pid = $1'
  const { rows: [{ pid }] } = await client.query('SELECT pg_backend_pid() AS pid')
  await client.query('BEGIN')
  const { rows } = await client.query(INSERT, [Array.from({ length: 100 }, (_, index) => `row ${index}`)])
  const other = await connect(t, url)
  t.strictSame((await other.query(locks, [pid])).rows, [{ reached: '1', mode: 'ShareLock' }])
  t.strictSame(rows.map(({ seq }) => Number(seq)), Array.from({ length: 100 }, (_, index) => index + 2))
  await client.query('ROLLBACK')
  t.strictSame((await other.query(locks, [pid])).rows, [])
})

t.test('the statements that store take it, whatever they store', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  // Each row says what locks there are while its statement runs.
  await server.query(url, `
    CREATE TABLE seen (message_id text, locks bigint);
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS '
      BEGIN
        INSERT INTO seen SELECT NEW.message_id, count(*) FROM pg_locks
          WHERE locktype = ''advisory'' AND pid = pg_backend_pid() AND (classid::bigint & 65535) << 32 | objid::bigint < NEW.seq;
        RETURN NEW;
      END';
    CREATE TRIGGER look BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION look()`)
  await store.save(message({ message_id: 'plain' }))
  await store.save({ ...message({ message_id: 'other' }), source: 'whatsapp', raw: '{}' })
  await store.saveAll([message({ message_id: 'a' }), { ...message({ message_id: 'b' }), source: 'x' }], [{ source: 'x', raw: '1' }])
  t.strictSame(await server.query(url, 'SELECT message_id, locks::integer FROM seen ORDER BY 1'), ['a', 'b', 'other', 'plain'].map(id => ({ message_id: id, locks: 1 })))
})

t.test('of several processes that store at once, one that reads all the while misses nothing, and sees the order of all', async t => {
  const url = await server.createDatabase()
  const stores = [await open(t, url), await open(t, url), await open(t, url)]
  const reader = await open(t, url)
  const client = await connect(t, url)
  // Between getting their seqs and the commit, some take their time.
  await server.query(url, `
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS '
      BEGIN
        IF random() < 0.3 THEN PERFORM pg_sleep(random() * 0.05); END IF;
        RETURN NULL;
      END';
    CREATE TRIGGER dawdle AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION dawdle()`)

  const met: FeedRow[] = []
  let position = BEGINNING
  const over = new AbortController()
  let early = 0
  const writing = stores.flatMap((store, process) => Array.from({ length: 4 }, async (_, lane) => {
    for (let number = 0; number < 80; number++) await store.save(message({ message_id: `${process} ${lane} ${number}` }))
  }))
  const read = async (): Promise<void> => {
    const page = await reader.feed({}, position, 100)
    met.push(...page.rows)
    position = page.position
  }
  const written = Promise.all(writing).finally(() => over.abort())
  while (!over.signal.aborted) {
    await read()
    const { rows: [row] } = await client.query('SELECT max(seq) AS last FROM messages')
    if (Number(row.last) > position.seq) early++
  }
  await written
  await read()
  await read()
  while (met.length < 960 && position.seq < (await reader.feedEnd()).seq) await read()

  const inOrder = await server.query<{ message_id: string }>(url, 'SELECT message_id FROM messages ORDER BY seq')
  t.equal(met.length, 960)
  t.strictSame(ids(met), inOrder.map(row => row.message_id))
  t.ok(early > 0, 'there were rows that it had to leave alone')
})

t.test('a server that another has taken the place of, with less in it, is found out', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  for (const id of ['m1', 'm2', 'm3']) await store.save(message({ message_id: id }))
  const { position } = await store.feed({}, BEGINNING, 10)
  await server.query(url, "DELETE FROM messages WHERE seq > 1; SELECT setval('messages_seq_seq', 1)")
  await t.rejects(store.feed({}, { ...position, mark: '0'.repeat(16) }, 10), UnknownPosition)
  await store.save(message({ message_id: 'other' }))
  t.strictSame(ids(await follow(store)), ['m1', 'other'])
  await store.save(message({ message_id: 'another' }))
  await t.rejects(store.feed({}, position, 10), UnknownPosition, 'also where as much has come')
})

t.test('what was removed leaves no gap that anyone falls into', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  for (const id of ['m1', 'm2', 'm3', 'm4']) await store.save(message({ message_id: id }))
  const { position } = await store.feed({}, BEGINNING, 2)
  await server.query(url, "DELETE FROM messages WHERE message_id IN ('m2', 'm3')")
  t.strictSame(ids(await follow(store, {}, position)), ['m4'])
  await server.query(url, 'DELETE FROM messages')
  t.strictSame(await store.feed({}, position, 10), { rows: [], position, isLast: true })
})
