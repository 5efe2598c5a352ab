/** What a snapshot holds while several connections store messages: sequence numbers are taken before they are committed, in any order. */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { MessageStore } from '../../../src/storage/message-store.ts'
import { openMessageStore } from '../../../src/storage/open.ts'
import { startPostgres } from '../../postgres.ts'
import { EVERYTHING, SILENT, ids, message, saveAll } from './suite/common.ts'

const server = await startPostgres(t)

async function open (t: Test, url: string): Promise<MessageStore> {
  const store = await openMessageStore(url, SILENT)
  t.teardown(() => store.close())
  return store
}

/** A writer that does not commit yet. */
async function writer (t: Test, url: string, id: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN')
  await client.query(`INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts) VALUES ('${id}', '+1', '+2', '2025-01-15T10:00:00Z')`)
  return client
}

async function all (store: MessageStore): Promise<string[]> {
  const found: string[] = []
  for await (const page of store.snapshot(EVERYTHING)) found.push(...ids(page))
  return found
}

t.test('a message that is being stored when it is asked for is waited for', async t => {
  const url = await server.createDatabase()
  const [store, other] = [await open(t, url), await open(t, url)]
  const [slow, dropped] = [await writer(t, url, 'slow'), await writer(t, url, 'dropped')]
  await other.save(message({ message_id: 'before' }))
  let ended = false
  const reading = all(store).finally(() => { ended = true })
  await delay(100)
  t.equal(ended, false)
  await other.save(message({ message_id: 'meanwhile' }))
  await slow.query('COMMIT')
  await dropped.query('ROLLBACK')
  // It begins when nobody is waited for any more.
  t.strictSame(await reading, ['before', 'meanwhile', 'slow'])
})

t.test('under load from several processes it has what was acknowledged before, and all of each delivery or nothing', async t => {
  const url = await server.createDatabase()
  const [store, ...others] = await Promise.all([open(t, url), open(t, url), open(t, url)])
  const acknowledged = new Set<string>()
  const stop = new AbortController()
  const load = Promise.all(others.map(async (other, process) => {
    for (let delivery = 0; !stop.signal.aborted; delivery++) {
      const messages = Array.from({ length: 7 }, (_, index) => message({ message_id: `${index} ${process} ${delivery}` }))
      await other.saveAll(messages, [])
      for (const { message_id: id } of messages) acknowledged.add(id)
    }
  }))
  for (let round = 0; round < 30; round++) {
    const before = new Set(acknowledged)
    const found = new Set(await all(store))
    t.strictSame([...before].filter(id => !found.has(id)), [], `${before.size} before, ${found.size} found`)
    const deliveries = Map.groupBy(found, id => id.slice(2))
    t.strictSame([...deliveries.values()].filter(each => each.length !== 7), [])
  }
  stop.abort()
  await load
  await saveAll(others[0] as MessageStore, [message()])
  t.equal((await all(store)).length, acknowledged.size + 1)
})

t.test('a transaction that does not end is not waited for any longer than a read may take', async t => {
  const url = await server.createDatabase()
  const store = await open(t, url)
  await writer(t, url, 'stuck')
  await t.rejects(all(store), { name: 'StoreUnavailable', message: 'a transaction that stores messages does not end' })
})
