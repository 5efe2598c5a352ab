/** Services that are killed in the middle of removing old messages, while others come in. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Arrival } from '../src/message.ts'
import type { MessageStore } from '../src/storage/message-store.ts'
import { openMessageStore } from '../src/storage/open.ts'
import { message } from './helper.ts'
import { isBroken } from './lane.ts'
import { startPostgres } from './postgres.ts'
import { deliverTo, serve, type Env, type Service } from './process.ts'
import { inspect, untilIndexed, wrongCounters } from './src/storage/inspect.ts'
import * as postgres from './src/storage/postgres-inspect.ts'
import { statsOf } from './src/storage/reference.ts'
import { EVERYTHING, SILENT, walk } from './src/storage/suite/common.ts'

const OLD = 6000
const KILLS = 3
const ENV: Env = { RETENTION_DAYS: '30', SHUTDOWN_DELAY: '0' }

const numbered = (id: string, index: number): Arrival => message({ message_id: `${id} ${index}`, from: `+${index % 97}`, ts: id === 'old' ? '2020-01-15T10:00:00Z' : '2025-01-15T10:00:00Z', text: `${id} No. ${index}` }) as Arrival

/** Kills services while they remove, and starts others in their place, until nothing old is left. @returns the store, open */
async function liveThrough (t: Test, url: string, cwd: string, processes: number): Promise<MessageStore> {
  const store = await openMessageStore(url, SILENT)
  t.teardown(() => store.close())
  const old = Array.from({ length: OLD }, (_, index) => ({ ...numbered('old', index), source: 'webhook', received_at: '2025-01-01T00:00:00.000Z' }))
  for (let place = 0; place < OLD; place += 1000) await store.saveAll(old.slice(place, place + 1000), [])
  const left = async (): Promise<number> => (await store.page({ until: '2021-01-01T00:00:00Z' }, 1, 0)).total

  const begin = (): Promise<Service[]> => Promise.all(Array.from({ length: processes }, () => serve(t, cwd, { ...ENV, DATABASE_URL: url })))
  const delivered: Arrival[] = []
  let services = await begin()
  const so = { over: false }
  const delivering = (async () => {
    for (let index = 0; !so.over; index++) {
      // Each until it is acknowledged, and now and then one that was removed, or will be.
      for (const each of index % 5 === 0 ? [numbered('new', index), numbered('old', index * 7 % OLD)] : [numbered('new', index)]) {
        for (let stored = false; !stored && !so.over;) {
          try {
            stored = (await deliverTo((services[index % processes] as Service).url, each)).status === 200
          } catch (error) {
            if (!isBroken(error)) throw error
          }
          if (!stored) await delay(5)
        }
        if (!so.over && each.message_id.startsWith('new')) delivered.push(each)
      }
    }
  })()
  let halfway = 0
  for (let kill = 0, last = OLD; kill < KILLS && last > 0; kill++) {
    while (await left() >= last) await delay(1)
    for (const { end } of services) await end('SIGKILL')
    last = await left()
    if (last > 0) halfway++
    services = await begin()
  }
  t.ok(halfway > 0, `killed ${halfway} times with some left`)
  while (await left() > 0) await delay(10)
  so.over = true
  await delivering
  for (let index = 0; index < OLD; index += 501) {
    t.equal(await store.save(numbered('old', index)), 'duplicate')
    t.equal(await store.get(`old ${index}`), undefined)
  }
  for (const { end } of services) await end('SIGTERM')
  const present = new Set((await walk(store, EVERYTHING, 100)).map(each => each.message_id))
  t.strictSame(delivered.filter(each => !present.has(each.message_id)), [], `each of ${delivered.length} that were acknowledged is there`)
  const stats = await store.stats()
  // The last may have been stored and not acknowledged.
  t.ok(stats.total_messages - delivered.length <= 1)
  if (stats.total_messages === delivered.length) t.strictSame(stats, statsOf(delivered))
  t.equal((await store.page({ q: 'No.' }, 1, 0)).total, stats.total_messages)
  return store
}

t.test('on SQLite', { timeout: 0 }, async t => {
  const cwd = t.testdir()
  const file = join(cwd, 'app.db')
  const store = await liveThrough(t, `sqlite:///${file}`, cwd, 1)
  await untilIndexed(file)
  await store.close()
  t.strictSame(wrongCounters(file), [])
  inspect(file, database => {
    t.equal(database.pragma('integrity_check', { simple: true }), 'ok')
    t.doesNotThrow(() => database.prepare("INSERT INTO messages_search (messages_search) VALUES ('integrity-check')").run())
    t.equal(database.prepare('SELECT count(*) FROM removed_ids').pluck().get(), OLD)
  })
})

t.test('on PostgreSQL, with two services that would both remove', { timeout: 0 }, async t => {
  const server = await startPostgres(t)
  const url = await server.createDatabase()
  const store = await liveThrough(t, url, t.testdir(), 2)
  // Counting is done by who stores something.
  await store.save(message() as Arrival)
  await postgres.untilCounted(server, url)
  t.strictSame(await postgres.wrongCounters(server, url), [])
  t.strictSame(await server.query(url, 'SELECT count(*)::integer AS count FROM removed_ids'), [{ count: OLD }])
})
