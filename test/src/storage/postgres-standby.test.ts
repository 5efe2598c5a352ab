/** A hot standby behind DATABASE_READ_URL: a real one, that streams. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import type { StoredMessage } from '../../../src/message.ts'
import { StoreUnavailable } from '../../../src/storage/errors.ts'
import type { Filter, MessageStore } from '../../../src/storage/message-store.ts'
import { startPostgres } from '../../postgres.ts'
import { allMessages, ask, deliverTo, serve, type Service } from '../../process.ts'
import { untilResolved } from './inspect.ts'
import { SILENT, message } from './suite/common.ts'

const primary = await startPostgres(t)
const standby = await primary.standby()

/** A database, and where it can be read. */
async function databases (): Promise<[url: string, readUrl: string]> {
  const url = await primary.createDatabase()
  const readUrl = standby.here(url)
  await untilResolved(() => standby.query(readUrl, 'SELECT'))
  return [url, readUrl]
}

async function service (t: Test): Promise<[service: Service, url: string, readUrl: string]> {
  const [url, readUrl] = await databases()
  const started = await serve(t, t.testdir(), { DATABASE_URL: url, DATABASE_READ_URL: readUrl })
  await untilSeen(started, 0)
  return [started, url, readUrl]
}

const get = async ({ url }: Service, path: string): Promise<{ status: number | undefined, body: Record<string, unknown> }> => {
  const { status, body } = await ask(url + path)
  return { status, body: JSON.parse(body) }
}
const total = async (service: Service): Promise<unknown> => (await get(service, '/stats')).body['total_messages']
const untilSeen = (service: Service, messages: number): Promise<void> =>
  untilResolved(async () => { if (await total(service) !== messages) throw new Error('not yet') })
const deliver = async ({ url }: Service, id: string): Promise<number | undefined> => (await deliverTo(url, { ...message({ message_id: id }) })).status

/** Until the test ends the standby waits for no read: what conflicts with what it is to replay is ended at once. */
async function hurry (t: Test, readUrl: string): Promise<void> {
  const configure = async (sql: string): Promise<void> => {
    await standby.query(readUrl, `ALTER SYSTEM ${sql}`)
    await standby.query(readUrl, 'SELECT pg_reload_conf()')
  }
  await configure('SET max_standby_streaming_delay = 0')
  t.teardown(() => configure('RESET max_standby_streaming_delay'))
}

async function exported (store: MessageStore, filter: Filter): Promise<StoredMessage[]> {
  const found: StoredMessage[] = []
  for await (const page of store.snapshot(filter)) found.push(...page)
  return found
}

async function pause (readUrl: string): Promise<void> {
  await standby.query(readUrl, 'SELECT pg_wal_replay_pause()')
  await untilResolved(async () => {
    const [row] = await standby.query<{ state: string }>(readUrl, 'SELECT pg_get_wal_replay_pause_state() AS state')
    if (row?.state !== 'paused') throw new Error('not yet')
  })
}
const resume = (readUrl: string): Promise<unknown> => standby.query(readUrl, 'SELECT pg_wal_replay_resume()')

t.test('reads are of the standby, as old as it is, and of one state; deliveries, readiness and feeds are of the primary', async t => {
  const [letterbox, , readUrl] = await service(t)
  t.equal(await deliver(letterbox, 'before'), 200)
  await untilSeen(letterbox, 1)
  await pause(readUrl)
  t.equal(await deliver(letterbox, 'after'), 200)

  t.equal((await get(letterbox, '/health/ready')).status, 200)
  t.match(await get(letterbox, '/messages'), { body: { data: [{ message_id: 'before' }], total: 1 } })
  t.equal((await get(letterbox, '/messages?from=%2B919876543210&q=hello')).body['total'], 1)
  t.equal((await get(letterbox, '/messages/after')).status, 404)
  t.match((await get(letterbox, '/stats')).body, { total_messages: 1, messages_per_sender: [{ count: 1 }] })
  t.match((await ask(`${letterbox.url}/metrics`)).body, /^messages_stored 1$/m)
  t.match((await get(letterbox, '/feed')).body, { data: [{ message_id: 'before' }, { message_id: 'after' }] })
  t.equal(await deliver(letterbox, 'after'), 200, 'a duplicate, which the primary knows')

  // An export holds what was acknowledged before it, so it waits for the standby.
  let isOver = false
  const exported = ask(`${letterbox.url}/export`).finally(() => { isOver = true })
  await untilResolved(async () => {
    const rows = await standby.query(readUrl, "SELECT FROM pg_stat_activity WHERE application_name = 'letterbox' AND query LIKE '%pg_last_wal_replay_lsn%'")
    if (rows.length === 0 && !isOver) throw new Error('not yet')
  })
  await resume(readUrl)
  const { status, body } = await exported
  t.equal(status, 200)
  t.strictSame(body.trim().split('\n').map(line => JSON.parse(line).message_id), ['after', 'before'])
  await untilSeen(letterbox, 2)
  t.equal((await get(letterbox, '/messages/after')).status, 200)
})

t.test('a standby that is down is a 503 for who reads, and for nobody else, until it is back', async t => {
  const [letterbox] = await service(t)
  await standby.stop()
  t.equal(await deliver(letterbox, 'm1'), 200)
  t.equal((await get(letterbox, '/health/ready')).status, 200)
  t.equal((await get(letterbox, '/feed')).status, 200)
  t.equal((await ask(`${letterbox.url}/metrics`)).status, 200)
  for (const path of ['/messages', '/messages/m1', '/stats', '/stats/volume?interval=day&since=2025-01-15T00:00:00Z&until=2025-01-16T00:00:00Z', '/export']) {
    t.match(await ask(letterbox.url + path), { status: 503, headers: { 'retry-after': '1' } }, path)
  }
  // One that starts meanwhile does so too.
  const other = await serve(t, t.testdir(), {
    DATABASE_URL: await primary.createDatabase(), DATABASE_READ_URL: standby.here(await primary.createDatabase())
  })
  t.equal((await get(other, '/health/ready')).status, 200)
  t.equal((await get(other, '/stats')).status, 503)
  await standby.start()
  await untilSeen(letterbox, 1)
  t.equal((await allMessages(letterbox.url)).length, 1)
})

t.test('a read that the standby ends, since it has to replay what the read stands in the way of, is a 503', async t => {
  const [letterbox, url, readUrl] = await service(t)
  await hurry(t, readUrl)
  await primary.query(url, 'ALTER TABLE totals RENAME TO kept; CREATE VIEW totals AS SELECT kept.* FROM kept, pg_sleep(60)')
  await untilResolved(() => standby.query(readUrl, 'SELECT FROM kept'))
  const reading = ask(`${letterbox.url}/stats`)
  await untilResolved(async () => {
    if ((await standby.query(readUrl, "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length === 0) throw new Error('not yet')
  })
  await primary.query(url, 'DROP VIEW totals; ALTER TABLE kept RENAME TO totals')
  const { status, headers } = await reading
  t.equal(status, 503)
  t.equal(headers['retry-after'], '1')
  await untilSeen(letterbox, 0)
  await letterbox.end('SIGTERM')
  t.match(letterbox.stdout.map(line => JSON.parse(line)).find(line => line.request_id === headers['x-request-id']), { error: /conflict with recovery/ })
})

t.test('while messages come in, each answer of the standby agrees with itself', async t => {
  const [url, readUrl] = await databases()
  const store = await openMessageStore(url, SILENT, { readUrl })
  t.teardown(() => store.close())
  await untilResolved(() => store.count())
  await hurry(t, readUrl)
  const writing = Promise.all(Array.from({ length: 4 }, async (_, lane) => {
    for (let number = 0; number < 100; number++) await store.save(message({ message_id: `${lane} ${number}`, from: `+${number % 7}` }))
  }))
  let last = 0
  while (last < 400) {
    try {
      const { messages, total } = await store.page({}, 1000, 0)
      t.equal(messages.length, total)
      t.ok(total >= last, 'it does not go back')
      last = total
      const stats = await store.stats()
      t.equal(stats.messages_per_sender.reduce((sum, { count }) => sum + count, 0), stats.total_messages)
      t.equal(stats.messages_per_sender.length, stats.senders_count)
    } catch (error) {
      // Where rows are being vacuumed away.
      t.match(error, { name: 'StoreUnavailable', message: /conflict with recovery/ })
    }
  }
  await writing
})

t.test('with remote_apply reads see what was acknowledged; and every question is one that a standby can answer', async t => {
  const [url, readUrl] = await databases()
  const configure = async (sql: string): Promise<void> => {
    await primary.query(url, `ALTER SYSTEM ${sql}`)
    await primary.query(url, 'SELECT pg_reload_conf()')
  }
  const manual = await readFile(join(import.meta.dirname, '..', '..', '..', 'docs', 'scaling.md'), 'utf8')
  const options = /`(\?options=[^`]+remote_apply[^`]+)`/.exec(manual)?.[1] ?? ''
  await configure("SET synchronous_standby_names = '*'")
  const store = await openMessageStore(url + options, SILENT, { readUrl })
  const reference = await openMessageStore(url, SILENT)
  t.teardown(() => Promise.all([store.close(), reference.close()]))
  for (let number = 1; number <= 20; number++) {
    await store.save(message({ message_id: `m${number}`, from: `+${number % 3}`, to: `+${number % 2}`, ts: `2025-01-15T10:00:${10 + number}Z`, text: `Hello ${number}` }))
    t.equal(await store.count(), number)
  }
  await store.save({ ...message({ message_id: 'raw' }), source: 'whatsapp', raw: '{}' })

  const after = { ts: '2025-01-15T10:00:15Z', message_id: 'm5' }
  const span = { interval: 'minute', since: Date.parse('2025-01-15T10:00:00Z'), until: Date.parse('2025-01-15T10:05:00Z') } as const
  const filters = [
    {}, { from: '+1' }, { to: '+1' }, { source: 'whatsapp' }, { since: after.ts, until: '2025-01-15T10:00:20Z' }, { from: '+1', to: '+0' }, { q: 'hello' }, { q: 'e' }
  ]
  const answers = (store: MessageStore): Promise<unknown[]> => Promise.all([
    ...filters.flatMap(filter => [store.page(filter, 3, 1), store.pageAfter(filter, 3, after), store.recordsAfter(filter, 3, after), exported(store, filter)]),
    store.get('raw'), store.stats(), store.volume(span), store.volume(span, '+1'), store.count()
  ])
  const found = await answers(store)
  t.strictSame(found, await answers(reference))
  t.match(found.slice(0, 4), [{ total: 21 }, { messages: { length: 3 } }, { messages: { length: 3 } }, { length: 21 }])

  // What commits wait for is gone: none is acknowledged, and the service is not ready.
  await standby.stop()
  await t.rejects(store.save(message({ message_id: 'late' })), StoreUnavailable)
  await t.rejects(store.ping(), new StoreUnavailable('commits fail'))
  await standby.start()
  await untilResolved(() => store.ping())
  t.equal(await store.save(message({ message_id: 'late' })), 'duplicate', 'the primary had it')
  await configure('RESET synchronous_standby_names')
})

// The last one: there is no standby afterwards.
t.test('a process on a standby answers reads and is not ready, until the standby takes over', async t => {
  const [first, , readUrl] = await service(t)
  for (const id of ['m1', 'm2']) t.equal(await deliver(first, id), 200)
  const { body: { position } } = await get(first, '/feed')
  await untilSeen(first, 2)
  const second = await serve(t, t.testdir(), { DATABASE_URL: readUrl })
  t.equal((await get(second, '/health/ready')).status, 503)
  t.equal(await total(second), 2)
  t.equal(await deliver(second, 'm3'), 503)
  t.notMatch(second.stdout.join('\n'), 'pg_trgm')

  await primary.crash()
  t.equal((await get(first, '/health/ready')).status, 503)
  await standby.query(readUrl, 'SELECT pg_promote()')
  await untilResolved(async () => { if ((await get(second, '/health/ready')).status !== 200) throw new Error('not yet') })
  t.equal(await deliver(second, 'm3'), 200)
  t.equal(await deliver(second, 'm1'), 200)
  t.equal(await total(second), 3)
  t.match((await get(second, `/feed?after=${String(position)}`)).body, { data: [{ message_id: 'm3' }] }, 'a feed goes on where it was')
})
