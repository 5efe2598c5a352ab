/** How a SQLite file finds what is old and forgets ids without an index for either, and what removals leave in the search index. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { dayOf } from '../../../../src/storage/removed.ts'
import { SqliteListing } from '../../../../src/storage/sqlite/listing.ts'
import { migrateSqlite } from '../../../../src/storage/sqlite/migrate.ts'
import { SqliteRemoval } from '../../../../src/storage/sqlite/removal.ts'
import { SqliteRemovedIds } from '../../../../src/storage/sqlite/removed-ids.ts'
import { SqliteSearchIndex } from '../../../../src/storage/sqlite/search-index.ts'
import { SqliteWriter } from '../../../../src/storage/sqlite/writer.ts'
import { message } from '../suite/common.ts'

const START = Date.UTC(2025, 0, 1)

/** Received so many minutes after the start. */
const at = (minutes: number): string => new Date(START + minutes * 60_000).toISOString()

async function filled (t: Test, minutes: readonly number[]): Promise<{ database: Database.Database, removal: SqliteRemoval, add: (minutes: readonly number[]) => void }> {
  const database = new Database(join(t.testdir(), 'app.db'))
  t.teardown(() => database.close())
  database.pragma('synchronous = OFF')
  await migrateSqlite(database)
  let id = 0
  const [writer, listing, index] = [new SqliteWriter(database), new SqliteListing(database), new SqliteSearchIndex(database)]
  const add = (minutes: readonly number[]): void => {
    writer.save(minutes.map(minute => message({ message_id: `m${++id}`, text: `No. ${id} was received in minute ${minute}`, received_at: at(minute) } as never)))
    while (listing.step(10_000) > 0);
    while (index.step(10_000) > 0);
  }
  add(minutes)
  return { database, removal: new SqliteRemoval(database), add }
}

/** Steps until nothing is left. @returns how many were removed, and how many steps only looked */
function removeAll (removal: SqliteRemoval, receivedBefore: string): { removed: number, looks: number } {
  let [removed, looks] = [0, 0]
  for (let step = removal.step({ receivedBefore }); step !== 0; step = removal.step({ receivedBefore })) {
    if (step === undefined) looks++
    else removed += step
  }
  return { removed, looks }
}

const receipts = (database: Database.Database): unknown => database.prepare('SELECT block, earliest FROM receipts ORDER BY block').raw().all()

t.test('what is old is found by the earliest receipt of each block, whatever the order', async t => {
  // Four whole blocks but for seq 0, and some more; each holds one that is much older, as copies may be.
  const minutes = Array.from({ length: 4600 }, (_, index) => index % 1000 === 500 ? index / 1000 - 0.5 : 10_000 + index)
  const { database, removal, add } = await filled(t, minutes)
  t.match(removeAll(removal, at(-1)), { removed: 0, looks: 4 }, 'each block is looked into once')
  t.strictSame(receipts(database), [[0, at(0)], [1, at(1)], [2, at(2)], [3, at(3)]])
  t.strictSame(removeAll(removal, at(-1)), { removed: 0, looks: 0 })
  t.equal(removeAll(removal, at(3)).removed, 3)
  t.strictSame(receipts(database), [[0, at(10_000)], [1, at(11_023)], [2, at(12_047)], [3, at(3)]])
  t.equal(removeAll(removal, at(9999)).removed, 2, 'the last is of no block yet')
  // A block that is made whole later, by messages that are older than all.
  add(Array.from({ length: 2000 }, () => 0))
  t.equal(removeAll(removal, at(1)).removed, 2000)
  t.equal(removeAll(removal, at(10_000 + 2100)).removed, 2098)
  t.equal(database.prepare('SELECT min(created_at) FROM messages').pluck().get(), at(12_100))
  t.equal(removeAll(removal, at(99_999)).removed, 4600 + 2000 - 3 - 2 - 2000 - 2098)
  t.equal(database.prepare('SELECT count(*) FROM messages').pluck().get(), 0)
  // Places that are empty are not looked at.
  add(Array.from({ length: 5 }, () => 0))
  t.equal(removeAll(removal, at(1)).removed, 5)
  t.strictSame(receipts(database), [])
})

t.test('entries that other removals left too early are put right', async t => {
  const { database, removal } = await filled(t, Array.from({ length: 2100 }, (_, index) => index))
  removeAll(removal, at(-1))
  for (let index = 1; index <= 100; index++) t.equal(removal.step({ messageId: `m${index}` }), 1)
  t.match(receipts(database), [[0, at(0)], [1, at(1023)]])
  t.match(removeAll(removal, at(50)), { removed: 0, looks: 1 })
  t.match(receipts(database), [[0, at(100)], [1, at(1023)]])
})

t.test('the search index does not grow by what is removed from it', async t => {
  const { database, removal, add } = await filled(t, Array.from({ length: 6000 }, (_, index) => index))
  const size = (): number => database.prepare<[], number>('SELECT sum(length(block)) FROM messages_search_data').pluck().get() ?? 0
  const full = size()
  let largest = 0
  for (let round = 1; round <= 4; round++) {
    for (let part = 1; part <= 6; part++) {
      removeAll(removal, at(part * 1000))
      largest = Math.max(largest, size())
      add(Array.from({ length: 1000 }, (_, index) => (part - 1) * 1000 + index))
    }
    if (round === 1) t.ok(database.prepare("SELECT count FROM totals WHERE name = 'unmerged'").pluck().get() as number <= 1000)
  }
  t.ok(largest < full * 1.5, `${full} bytes at first, ${largest} at most`)
  t.doesNotThrow(() => database.prepare("INSERT INTO messages_search (messages_search) VALUES ('integrity-check')").run())
  removeAll(removal, at(99_999))
  t.ok(size() < full / 4, `of ${full} bytes ${size()} are left`)
})

t.test('ids are forgotten in steps, each once, however many days they are of', async t => {
  const { database } = await filled(t, [])
  const today = dayOf(Date.now())
  const put = database.prepare('INSERT INTO removed_ids VALUES (randomblob(16), ?)')
  database.transaction(() => { for (let index = 0; index < 9000; index++) put.run(today - index % 10) })()
  const ids = new SqliteRemovedIds(database)
  const forget = (before: number): { forgotten: number, looks: number } => {
    let [forgotten, looks] = [0, 0]
    for (let step = ids.forget(before); step !== 0; step = ids.forget(before)) {
      if (step === undefined) looks++
      else forgotten += step
    }
    return { forgotten, looks }
  }
  t.match(forget(today - 9), { forgotten: 0, looks: 4 })
  t.match(forget(today - 9), { forgotten: 0, looks: 0 }, 'nothing is looked at twice')
  t.equal(forget(today - 8).forgotten, 900)
  // Midnight, in the middle of a walk: the next walk is about the day that is over now.
  let forgotten = ids.forget(today - 7) ?? 0
  for (let step = ids.forget(today - 5); step !== 0; step = ids.forget(today - 5)) forgotten += step ?? 0
  t.equal(forgotten, 900 * 3)
  // A clock that was ahead: what is remembered by the right one is forgotten in its time.
  t.equal(forget(today + 30).forgotten, 900 * 6)
  ids.remember(['m1'])
  t.equal(forget(today).forgotten, 0)
  t.equal(forget(today + 1).forgotten, 1)
})
