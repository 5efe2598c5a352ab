/** A file large enough that every read goes in several slices, and that searches use the index. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { foldCase } from '../../../src/fold.ts'
import type { Message } from '../../../src/message.ts'
import type { Filter, MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { inspect, untilIndexed, wrongCounters } from './inspect.ts'
import { SILENT, ids, message, walk } from './suite/common.ts'

/** Above every slice that reads rows. */
const ROWS = 52_000
/** So many of them are stored, and not listed yet. */
const TAIL = 1500
/** With the first ones, above the largest slice that a walk takes of an index alone. */
const MORE_ROWS = 150_000
const SQLITE = join(import.meta.dirname, '../../../src/storage/sqlite')

interface Row extends Message { readonly moment: string, readonly folded: string | null }

/** Messages whose order by time is not that of their commits, several of them at one moment. */
function rowOf (index: number): Row {
  const second = new Date(Date.UTC(2025, 0, 1) + ((index * 7919) % 30_011) * 60_000).toISOString().slice(0, 19)
  const moment = second + ['', '.5', '', '.25'][index % 4]
  const text = index % 401 === 0
    ? `Rare №${index} РЕДКИЙ 稀有的 ${index % 802 === 0 ? 'even' : 'ODD'}`
    : index % 5 === 0 ? null : `Common ОБЫЧНЫЙ 普通的消息 ${index % 1000}`
  return {
    message_id: `m${String((index * 31) % ROWS).padStart(6, '0')}`,
    from: index % 5 < 3 ? '+1' : `+${10 + index % 40}`,
    to: index % 2 === 0 ? '+2' : `+${10 + index % 7}`,
    ts: `${moment}Z`,
    text,
    moment,
    folded: text === null ? null : foldCase(text)
  }
}

const rows = Array.from({ length: ROWS }, (_, index) => rowOf(index))
const sorted = rows.toSorted((a, b) => a.moment === b.moment ? (a.message_id < b.message_id ? -1 : 1) : a.moment < b.moment ? -1 : 1)

function select ({ from, to, since, until, q }: Filter): Row[] {
  const folded = q === undefined ? '' : foldCase(q)
  return sorted.filter(row =>
    (from === undefined || row.from === from) && (to === undefined || row.to === to) &&
    (since === undefined || row.moment >= since.slice(0, -1)) && (until === undefined || row.moment < until.slice(0, -1)) &&
    (q === undefined || row.folded?.includes(folded) === true))
}

/** The rows in the table, with the counters as the migration counts those before the tail; nothing is in the search index. */
function fill (database: Database.Database): void {
  const insert = database.prepare('INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, created_at, seq, text_folded, listed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const put = (from: number, to: number, listed: 0 | 1): void => {
    for (const [index, { message_id: id, from: sender, to: recipient, ts, text, folded }] of rows.slice(from, to).entries()) {
      insert.run(id, sender, recipient, ts, text, ts, from + index + 1, folded, listed)
    }
  }
  const counting = ['002.do.listing.sql', '004.do.source.sql', '005.do.removal.sql', '006.do.receipts.sql'].flatMap(name =>
    readFileSync(join(SQLITE, 'migrations', name), 'utf8').split(/;\n/).map(sql => sql.trim()).filter(sql => sql.startsWith('INSERT')))
  database.pragma('synchronous = OFF')
  database.transaction(() => {
    put(0, ROWS - TAIL, 1)
    for (const table of ['senders', 'busiest_senders', 'recipients', 'periods', 'sources']) database.exec(`DELETE FROM ${table}`)
    database.exec("DELETE FROM totals WHERE name <> 'indexed'")
    for (const sql of counting) database.exec(sql)
    put(ROWS - TAIL, ROWS, 0)
  })()
}

const FILTERS: readonly Filter[] = [
  {}, { from: '+1' }, { to: '+2' }, { from: '+1', to: '+2' }, { since: '2025-01-20T00:00:00Z', until: '2025-02-01T12:30:00.5Z' },
  { from: '+11', to: '+10', since: '2025-01-10T00:00:00Z' }, { q: 'r' }, { q: 'РЕ' }, { q: '稀有' }
]

/** Of three characters and more. */
const SEARCHES: readonly Filter[] = [
  { q: 'RARE' }, { q: 'редкий' }, { q: '稀有的' },
  { q: 'rare', from: '+1' }, { q: 'rare', to: '+2', since: '2025-01-20T00:00:00Z', until: '2025-02-01T12:30:00.5Z' }, { q: 'even', from: '+1', to: '+2' },
  { q: 'COMMON' }, { q: 'обычный', from: '+1' }, { q: '普通的', to: '+2', until: '2025-02-01T00:00:00Z' }, { q: 'common', from: '+11' }, { q: 'nowhere' }, { q: '"' }, { q: 'a"b' }
]

/** Checks pages by offset and by position against the array. */
async function check (store: MessageStore, filter: Filter, offsets: readonly number[]): Promise<string[]> {
  const expected = select(filter)
  const wrong: string[] = []
  const same = (what: string, actual: unknown, right: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(right)) wrong.push(`${JSON.stringify(filter)} ${what}: ${JSON.stringify(actual).slice(0, 200)}, not ${JSON.stringify(right).slice(0, 200)}`)
  }
  for (const offset of new Set([...offsets, Math.floor(expected.length / 2)])) {
    const { messages, total, next } = await store.page(filter, 20, offset)
    same(`total at ${offset}`, [total, next !== undefined], [expected.length, offset + 20 < expected.length])
    same(`page at ${offset}`, ids(messages), ids(expected.slice(offset, offset + 20)))
  }
  for (const place of [0, Math.floor(expected.length / 2), expected.length - 30]) {
    const position = expected[place]
    if (position === undefined) continue
    const { messages, next } = await store.pageAfter(filter, 20, position)
    same(`page after ${place}`, ids(messages), ids(expected.slice(place + 1, place + 21)))
    same(`more after ${place}`, next !== undefined, place + 21 < expected.length)
  }
  return wrong
}

const file = join(t.testdir(), 'app.db')
await (await openMessageStore(`sqlite:///${file}`, SILENT)).close()
inspect(file, fill)
const other = new Database(file, { timeout: 5000 })
// Keeps the store from listing and indexing, which it does when it has nothing to store: it has to read the tail.
other.exec('BEGIN IMMEDIATE')
const store = await openMessageStore(`sqlite:///${file}`, SILENT)
t.teardown(() => store.close())

await t.test('the counters are right', async t => {
  t.strictSame(wrongCounters(file), [])
})

await t.test('before the tail is listed and the texts are indexed every answer is the array\'s', async t => {
  for (const filter of FILTERS) t.strictSame(await check(store, filter, [0, 51_950]), [], JSON.stringify(filter))
  for (const filter of SEARCHES) t.strictSame(await check(store, filter, []), [], JSON.stringify(filter))
})

await t.test('once they are indexed, too', async t => {
  // As the store does it in steps of a few hundred, which takes a while.
  other.exec(`
    INSERT INTO messages_search (rowid, text_folded) SELECT seq, text_folded FROM messages WHERE text_folded IS NOT NULL
      AND seq > (SELECT count FROM totals WHERE name = 'indexed');
    UPDATE totals SET count = (SELECT max(seq) FROM messages) WHERE name = 'indexed';
    COMMIT`)
  other.close()
  for (const filter of SEARCHES) t.strictSame(await check(store, filter, [90]), [], JSON.stringify(filter))
})

await t.test('what is saved now is found at once, and after it is indexed', async t => {
  const found = async (q: string): Promise<string[]> => ids((await store.page({ q }, 5, 0)).messages)
  await store.save(message({ message_id: 'new', text: 'Совсем новый 全新的 ĞÜN' }))
  for (const round of ['before', 'after']) {
    for (const q of ['СОВСЕМ', 'НОВЫЙ 全', '全新的', 'ğün', 'ğü', 'Ğ']) t.strictSame(await found(q), ['new'], `${q} ${round}`)
    t.equal((await store.page({ q: 'common', from: '+919876543210' }, 5, 0)).total, 0)
    await untilIndexed(file)
  }
})

await t.test('a walk through a search meets every hit once', async t => {
  for (const filter of [{ q: 'RARE' }, { q: 'rare', from: '+1' }]) {
    t.strictSame(ids(await walk(store, filter, 100)), ids(select(filter)), JSON.stringify(filter))
  }
})

await t.test('a page far into the list is found in the index', async t => {
  inspect(file, database => database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MORE_ROWS})
      INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, created_at, seq)
      SELECT 'x' || printf('%06d', i), '+3', '+4', '2026-01-01T00:00:00Z', '', (SELECT max(seq) FROM messages) + i FROM n;
    UPDATE totals SET count = count + ${MORE_ROWS} WHERE name = 'messages'`))
  const list = await store.page({}, 2, ROWS + 149_000)
  t.strictSame(ids(list.messages), ['x149000', 'x149001'])
  t.ok(list.next)
  t.equal((await store.page({}, 2, 400_000)).next, undefined)
  t.equal((await store.page({ from: '+3', since: '2026-01-01T00:00:00Z' }, 2, 0)).total, MORE_ROWS)
  t.strictSame(ids((await store.page({ to: '+4', until: '2027-01-01T00:00:00Z' }, 2, 149_998)).messages), ['x149999', 'x150000'])
})
