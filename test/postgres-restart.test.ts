/** What a provider and an operator see while PostgreSQL is away. The service is never restarted. */
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { message } from './helper.ts'
import { lane, type Lane } from './lane.ts'
import { startPostgres } from './postgres.ts'
import { allMessages, ask, deliverTo, serve, type Answer, type Service } from './process.ts'
import { untilResolved } from './src/storage/inspect.ts'
import { untilCounted, wrongCounters } from './src/storage/postgres-inspect.ts'

const LANES = 8
/** How long a provider waits after a refusal, in ms. */
const BACKOFF = 20

const server = await startPostgres(t)

/** One answer to a delivery. */
interface Delivered {
  readonly id: string
  readonly begun: number
  readonly ended: number
  readonly status: number | undefined
  readonly retryAfter: string | undefined
}

interface Load {
  /** All answers so far. */
  readonly answers: Delivered[]
  /** Resolves when so many more were stored. */
  stored (count: number): Promise<void>
  /** Resolves when all lanes have delivered what they had begun. */
  stop (): Promise<void>
}

/** Delivers in many lanes until it is stopped, and what was not answered 200 again. */
function load (t: Test, service: Service): Load {
  const answers: Delivered[] = []
  const stopping = new AbortController()
  let [next, stored] = [0, 0]
  const waiting = new Set<() => void>()

  async function deliver (send: Lane, id: string): Promise<void> {
    const begun = performance.now()
    const { status, headers } = await send(service.url, message({ message_id: id, from: `+${answers.length % 30}` }))
    answers.push({ id, begun, ended: performance.now(), status, retryAfter: headers['retry-after'] })
    if (status !== 200) {
      await delay(BACKOFF)
      return deliver(send, id)
    }
    stored++
    for (const look of waiting) look()
  }
  async function run (send: Lane): Promise<void> {
    while (!stopping.signal.aborted) await deliver(send, `m${next++}`)
  }
  const lanes = Array.from({ length: LANES }, () => run(lane(t)))

  return {
    answers,
    async stored (count) {
      const target = stored + count
      const enough = new Promise<void>(resolve => waiting.add(() => { if (stored >= target) resolve() }))
      await Promise.race([enough, Promise.all(lanes)])
    },
    async stop () {
      stopping.abort()
      await Promise.all(lanes)
    }
  }
}

/** Checks what was answered to deliveries that were begun and ended within a time. */
function refusedWithin (t: Test, { answers }: Load, from: number, to: number): void {
  const within = answers.filter(({ begun, ended }) => begun >= from && ended <= to)
  t.ok(within.length >= LANES, 'there were deliveries meanwhile')
  t.strictSame(within.filter(({ status, retryAfter }) => status !== 503 || retryAfter !== '1'), [], 'each was answered 503 with Retry-After')
}

/** Live and not ready, each answered in time. */
async function probe (t: Test, service: Service): Promise<void> {
  const begun = performance.now()
  const [live, ready] = await Promise.all(['live', 'ready'].map(path => ask(`${service.url}/health/${path}`)))
  const elapsed = performance.now() - begun
  if (live?.status !== 200) t.fail('it is not live', { live })
  if (ready?.status !== 503 || JSON.parse(ready.body).detail !== 'not ready: the store does not answer') t.fail('it says that it is ready', { ready })
  if (elapsed > 2000) t.fail('the probes took too long', { elapsed })
}

async function probeFor (t: Test, service: Service, milliseconds: number): Promise<void> {
  for (const end = performance.now() + milliseconds; performance.now() < end; await delay(250)) {
    await probe(t, service)
    const depth = await queueDepth(service)
    if (depth > 3 * LANES) t.fail('deliveries pile up', { depth })
  }
}

async function queueDepth ({ url }: Service): Promise<number> {
  return Number(/^store_queue_depth (.*)$/m.exec((await ask(`${url}/metrics`)).body)?.[1])
}

function untilReady ({ url }: Service): Promise<void> {
  return untilResolved(async () => { if ((await ask(`${url}/health/ready`)).status !== 200) throw new Error('not yet') })
}

/** Checks that what was answered 200 is there once, and nothing that was not sent; then ends the service. */
async function complete (t: Test, service: Service, database: string, { answers }: Load): Promise<void> {
  const ids = (await allMessages(service.url)).map(row => String(row['message_id']))
  t.equal(new Set(ids).size, ids.length, 'no message is there twice')
  const stored = new Set(answers.filter(({ status }) => status === 200).map(({ id }) => id))
  t.strictSame([...stored].filter(id => !ids.includes(id)), [], 'no acknowledged message is lost')
  t.strictSame(ids.filter(id => !stored.has(id)), [], 'nothing is there that was not sent')
  t.equal(JSON.parse((await ask(`${service.url}/stats`)).body).total_messages, ids.length)
  t.equal(await queueDepth(service), 0)
  await untilCounted(server, database)
  t.strictSame(await wrongCounters(server, database), [])
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
}

for (const [end, outage] of [['stop', 10_000], ['crash', 2000]] as const) {
  t.test(`when PostgreSQL ends under load (${end}) deliveries are refused until it is back, and nothing is lost`, async t => {
    const database = await server.createDatabase()
    const service = await serve(t, t.testdir(), { DATABASE_URL: database })
    const deliveries = load(t, service)
    await deliveries.stored(300)

    await server[end]()
    const down = performance.now()
    await probeFor(t, service, outage)
    refusedWithin(t, deliveries, down, performance.now())

    await server.start()
    await untilReady(service)
    await deliveries.stored(300)
    await deliveries.stop()
    await complete(t, service, database, deliveries)
  })
}

t.test('connections that are cut under load cost refusals, and nothing else', async t => {
  const database = await server.createDatabase()
  const service = await serve(t, t.testdir(), { DATABASE_URL: database })
  const deliveries = load(t, service)
  for (let round = 0; round < 20; round++) {
    await deliveries.stored(20)
    await server.query(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'letterbox'")
  }
  await deliveries.stored(20)
  await deliveries.stop()
  t.strictSame(deliveries.answers.filter(({ status }) => status !== 200 && status !== 503), [])
  await complete(t, service, database, deliveries)
})

t.test('a service that starts before PostgreSQL does its work as soon as that is there', async t => {
  const database = await server.createDatabase()
  await server.stop()
  const service = await serve(t, t.testdir(), { DATABASE_URL: database })
  await probe(t, service)
  for (const answer of [await deliverTo(service.url, message()), await ask(`${service.url}/messages`), await ask(`${service.url}/stats`)]) {
    t.match(answer, { status: 503, headers: { 'retry-after': '1' } })
  }
  t.match(await service.logged('the database cannot be used'), { level: 'warn' })

  await server.start()
  await untilReady(service)
  t.equal((await deliverTo(service.url, message())).status, 200)
  t.equal(JSON.parse((await ask(`${service.url}/messages`)).body).total, 1)
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})

t.test('a service that is told to end while PostgreSQL is away ends in order', async t => {
  const database = await server.createDatabase()
  const cwd = t.testdir()
  const before = await serve(t, cwd, { DATABASE_URL: database })
  t.equal((await deliverTo(before.url, message())).status, 200)
  await server.stop()
  const meanwhile = await serve(t, cwd, { DATABASE_URL: database })
  for (const service of [before, meanwhile]) t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
  await server.start()
})

t.test('while the table is locked deliveries are refused in time, and all works once it is not', async t => {
  const database = await server.createDatabase()
  const service = await serve(t, t.testdir(), { DATABASE_URL: database })
  t.equal((await deliverTo(service.url, message())).status, 200)

  const locked = server.query(database, 'BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(8); COMMIT')
  await untilResolved(async () => { if ((await server.query(database, "SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted")).length === 0) throw new Error('not yet') })
  const begun = performance.now()
  const answers: { answer: Answer, elapsed: number }[] = []
  const deliveries = Promise.all(Array.from({ length: 3 * LANES }, async (_, index) => {
    // Some come later, when all connections wait already.
    await delay(50 * index)
    const begun = performance.now()
    const answer = await deliverTo(service.url, message({ message_id: `late${index}` }))
    answers.push({ answer, elapsed: performance.now() - begun })
  }))
  await probeFor(t, service, 4000)
  await deliveries
  t.ok(performance.now() - begun < 7800, 'all were answered while it was locked')
  for (const { answer, elapsed } of answers) {
    t.match(answer, { status: 503, headers: { 'retry-after': '1' } })
    t.ok(elapsed < 6500, `within ${elapsed} ms`)
  }

  await locked
  await untilReady(service)
  for (let index = 0; index < 3 * LANES; index++) t.equal((await deliverTo(service.url, message({ message_id: `late${index}` }))).status, 200)
  t.equal(JSON.parse((await ask(`${service.url}/messages`)).body).total, 3 * LANES + 1)
  t.equal(await queueDepth(service), 0)
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})
