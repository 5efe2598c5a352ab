/**
 * A program that takes everything out, killed at random while the service is killed at random: each message once, in one
 * order. `FEED_MESSAGES=100000` makes it longer.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { freePort } from './free-port.ts'
import { message } from './helper.ts'
import { isBroken, lane } from './lane.ts'
import { startPostgres } from './postgres.ts'
import { serve, start, type Env, type Service } from './process.ts'
import { inspect, untilResolved } from './src/storage/inspect.ts'

const MESSAGES = Number(process.env['FEED_MESSAGES'] ?? 2000)
const LANES = 16
/** How often each is killed while so many are delivered; when, is left to chance. */
const SERVICE_DEATHS = 4
const CONSUMER_DEATHS = 8

const CONSUMER = join(import.meta.dirname, 'feed-consumer.ts')

interface Outcome { readonly deaths: number, readonly consumers: number, readonly taken: readonly string[] }

/** So many moments, at random, one in each of as many parts of the deliveries. */
const moments = (count: number): number[] => Array.from({ length: count }, (_, part) => Math.floor((part + Math.random()) * MESSAGES / count))

/**
 * Delivers all messages to services that are killed and started anew, on the ports that they had, while a consumer that is
 * killed and started anew takes them out of one or another of them. It ends when everything is taken.
 */
async function liveThrough (t: Test, cwd: string, env: Env, processes: number): Promise<Outcome> {
  const begin = (port: number): Promise<Service> =>
    serve(t, cwd, { ...env, LOG_LEVEL: 'ERROR', PORT: String(port) }, [], `http://127.0.0.1:${port}`)
  const services: Service[] = []
  while (services.length < processes) services.push(await begin(await freePort()))
  const file = join(cwd, 'consumer.db')
  const so = { delivered: 0 }
  let deaths = 0
  let consumers = 0
  const anyUrl = (): string => (services[Math.floor(Math.random() * processes)] as Service).url
  const untilDelivered = async (count: number): Promise<void> => { while (so.delivered < count) await delay(5) }

  const killing = (async () => {
    for (const moment of moments(SERVICE_DEATHS)) {
      await untilDelivered(moment)
      const each = deaths++ % processes
      const { port, end } = services[each] as Service
      await end('SIGKILL')
      services[each] = await begin(port)
    }
  })()
  const consuming = (async () => {
    // The last of them takes what is left.
    for (const moment of [...moments(CONSUMER_DEATHS), MESSAGES]) {
      const child = start(t, CONSUMER, cwd, { args: [file, anyUrl(), String(consumers++)] })
      const exited = once(child, 'exit')
      await untilDelivered(moment)
      if (moment === MESSAGES) {
        await untilResolved(async () => countIn(file))
        while (countIn(file) < MESSAGES) await delay(100)
        // Nothing comes a second time.
        await delay(500)
      }
      child.kill('SIGKILL')
      await exited
    }
  })()

  let next = 0
  const deliver = async (): Promise<void> => {
    const send = lane(t)
    while (next < MESSAGES) {
      const id = `m${next++}`
      for (let stored = false; !stored;) {
        try {
          stored = (await send(anyUrl(), message({ message_id: id, text: id }))).status === 200
        } catch (error) {
          if (!isBroken(error)) throw error
        }
        if (!stored) await delay(20)
      }
      so.delivered++
    }
  }
  await Promise.all([...Array.from({ length: LANES }, deliver), killing, consuming])
  for (const { end } of services) await end('SIGTERM')
  return { deaths, consumers, taken: takenIn(file) }
}

function countIn (file: string): number {
  return inspect(file, database => database.prepare<[], number>('SELECT count(*) FROM taken').pluck().get() ?? 0)
}

function takenIn (file: string): string[] {
  return inspect(file, database => database.prepare<[], string>('SELECT message_id FROM taken ORDER BY n').pluck().all())
}

function judge (t: Test, { deaths, consumers, taken }: Outcome, committed: readonly string[]): void {
  t.comment(`${taken.length} messages, ${deaths} services killed, ${consumers} consumers`)
  t.strictSame([deaths, consumers], [SERVICE_DEATHS, CONSUMER_DEATHS + 1], 'both were killed')
  t.equal(new Set(taken).size, MESSAGES, 'each message')
  t.equal(taken.length, MESSAGES, 'exactly once')
  t.ok(taken.every((id, index) => id === committed[index]), 'in the order of commits')
}

t.test('on SQLite', { timeout: 0 }, async t => {
  const cwd = t.testdir()
  const outcome = await liveThrough(t, cwd, {}, 1)
  const database = new Database(join(cwd, 'data', 'app.db'), { readonly: true })
  t.teardown(() => database.close())
  judge(t, outcome, database.prepare<[], string>('SELECT message_id FROM messages ORDER BY seq').pluck().all())
})

t.test('on PostgreSQL, with two services that store at once', { timeout: 0 }, async t => {
  const server = await startPostgres(t)
  const url = await server.createDatabase()
  const outcome = await liveThrough(t, t.testdir(), { DATABASE_URL: url }, 2)
  judge(t, outcome, (await server.query<{ message_id: string }>(url, 'SELECT message_id FROM messages ORDER BY seq')).map(row => row.message_id))
})
