/** Several processes of the service on one PostgreSQL, and a provider that delivers everything to each of them at once. */
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import type { Message } from '../src/message.ts'
import { message } from './helper.ts'
import { isBroken, lane, type Lane } from './lane.ts'
import { startPostgres } from './postgres.ts'
import { allMessages, ask, serve, type Service } from './process.ts'
import { untilCounted, wrongCounters } from './src/storage/postgres-inspect.ts'
import { statsOf } from './src/storage/reference.ts'

const PROCESSES = 3
const MESSAGES = 1667
/** Each is one lane for each process, which deliver the copies of one message at the same time. */
const TRIOS = 8
const HALF = MESSAGES * PROCESSES >> 1

/** What the provider sent under one id, and what it may find later. */
interface Sent {
  /** The copies that were sent before one of them was answered 200: the one that was kept is among them. */
  readonly copies: Record<string, unknown>[]
  acknowledged: boolean
}

interface Page { readonly total: number }

const json = async <Body>(url: string): Promise<Body> => JSON.parse((await ask(url)).body)

/** One of the copies of a message: they differ in all but the sender, so that one can be told from another. */
function copyOf (index: number, copy: number): Record<string, unknown> {
  return message({
    message_id: `m${index}`,
    // Some of forty numbers that all processes count at once, and some of a number that is new each time.
    from: index % 5 === 0 ? `+7${index}` : `+${index % 40 + 100}`,
    to: `+${copy + 1}`,
    ts: `2025-01-${15 + copy}T10:${String(index % 60).padStart(2, '0')}:00.${index + 1}5Z`,
    text: `copy ${copy} of m${index}`
  })
}

/**
 * Delivers everything to every process, in many lanes, until all of it is acknowledged. Half-way the last process is
 * killed, and its lanes go on with the others.
 */
async function deliverAll (t: Test, services: readonly Service[], sent: Map<string, Sent>): Promise<void> {
  const alive = [...services]
  let answers = 0

  async function deliver (send: Lane, home: number, copy: Record<string, unknown>, record: Sent): Promise<void> {
    const service = alive[home % alive.length] as Service
    if (!record.acknowledged) record.copies.push(copy)
    try {
      const { status, body } = await send(service.url, copy)
      if (status !== 200) t.fail('a delivery was refused', { status, body })
      record.acknowledged = true
      if (++answers === HALF) alive.pop()?.child.kill('SIGKILL')
    } catch (error) {
      if (!isBroken(error) || alive.includes(service)) throw error
      await deliver(send, home, copy, record)
    }
  }

  let next = 0
  await Promise.all(Array.from({ length: TRIOS }, async () => {
    const lanes = services.map(() => lane(t))
    while (next < MESSAGES) {
      const index = next++
      const record: Sent = { copies: [], acknowledged: false }
      sent.set(`m${index}`, record)
      await Promise.all(lanes.map((send, home) => deliver(send, home, copyOf(index, home), record)))
    }
  }))
}

t.test('what three processes take at once is there exactly once, also when one of them is killed', async t => {
  const server = await startPostgres(t)
  const url = await server.createDatabase()
  const cwd = t.testdir()
  const services = await Promise.all(Array.from({ length: PROCESSES }, () => serve(t, cwd, { DATABASE_URL: url })))
  for (const service of services) t.equal((await ask(`${service.url}/health/ready`)).status, 200, 'all are ready on one new database')

  const sent = new Map<string, Sent>()
  const delivering = deliverAll(t, services, sent)
  const survivors = services.slice(0, -1)
  await Promise.all([delivering, ...survivors.map(service => watch(t, service, sent))])
  t.equal((await services.at(-1)?.exited)?.signal, 'SIGKILL')

  const [rows = [], ...others] = await Promise.all(survivors.map(service => allMessages(service.url)))
  for (const other of others) t.strictSame(other, rows, 'all processes answer the same')
  const ids = rows.map(row => String(row['message_id']))
  t.equal(new Set(ids).size, rows.length, 'no message is there twice')
  t.strictSame([...sent.keys()].filter(id => !ids.includes(id)), [], 'no acknowledged message is lost')
  t.strictSame(ids.filter(id => !sent.has(id)), [], 'nothing is there that was not sent')
  for (const row of rows) {
    const copies = sent.get(String(row['message_id']))?.copies ?? []
    if (!copies.some(copy => isDeepStrictEqual(copy, row))) t.fail('a message is not as its first delivery was', { row, copies })
  }

  for (const round of ['before all of it is counted', 'after']) {
    for (const service of survivors) {
      t.equal((await json<Page>(`${service.url}/messages`)).total, rows.length, round)
      t.equal((await json<Page>(`${service.url}/messages?from=%2B101`)).total, rows.filter(({ from }) => from === '+101').length, round)
      t.equal((await json<Page>(`${service.url}/messages?to=%2B2`)).total, rows.filter(({ to }) => to === '+2').length, round)
      t.strictSame(await json(`${service.url}/stats`), statsOf(rows as unknown as Message[]), round)
    }
    await untilCounted(server, url)
  }
  t.strictSame(await wrongCounters(server, url), [])
  for (const service of survivors) t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})

/** Until all is delivered: what any process has acknowledged is counted in the next answer of this one. */
async function watch (t: Test, service: Service, sent: ReadonlyMap<string, Sent>): Promise<void> {
  let acknowledged = 0
  while (acknowledged < MESSAGES) {
    acknowledged = [...sent.values()].filter(record => record.acknowledged).length
    const { total_messages: total } = await json<{ total_messages: number }>(`${service.url}/stats`)
    if (total < acknowledged || total > sent.size) t.fail('a wrong count', { acknowledged, total, sent: sent.size })
  }
}
