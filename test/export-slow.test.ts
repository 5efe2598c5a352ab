/** An export whose client reads slowly: what is read from the database waits for the client, and so memory does not grow. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startPostgres } from './postgres.ts'
import { ask, serve } from './process.ts'
import { withStore } from './scripts/copier.ts'
import { message } from './src/storage/suite/common.ts'

const ROWS = 25_000
/** Some 120 MB in all: more than the process may grow by while its client takes a tenth of it. */
const RAW = JSON.stringify({ filling: 'x'.repeat(4500) })
const GROWTH = 64 * 1024 * 1024

async function fill (url: string): Promise<void> {
  await withStore(url, async store => {
    for (let part = 0; part < ROWS; part += 500) {
      await store.saveAll(Array.from({ length: 500 }, (_, index) => ({
        ...message({ message_id: `m${String(part + index).padStart(6, '0')}`, text: null }), source: 'whatsapp', raw: RAW
      })), [])
    }
  })
}

/** Resident set size, in bytes. */
const rss = (pid = 0): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

async function check (t: Test, cwd: string, url: string): Promise<void> {
  await fill(url)
  const service = await serve(t, cwd, { DATABASE_URL: url }, ['--max-semi-space-size=8'])
  t.match(await ask(`${service.url}/export?from=+1`), { status: 200, body: '' })
  const [response] = await once(get(`${service.url}/export`, { agent: false }), 'response') as [IncomingMessage]
  const before = rss(service.child.pid)
  let [largest, received] = [0, '']
  const note = (): void => { largest = Math.max(largest, rss(service.child.pid) - before) }
  response.setEncoding('latin1')
  // It reads nothing, then a little every now and then, then the rest as fast as it can.
  for (let step = 0; step < 30; step++) {
    await delay(50)
    note()
  }
  for (let step = 0; step < 60; step++) {
    received += response.read() ?? ''
    await delay(20)
    note()
  }
  t.ok(received.length > 100_000 && received.length < 60_000_000, `${received.length} bytes so far`)
  t.ok(largest < GROWTH, `it grew by ${Math.round(largest / 2 ** 20)} MiB`)
  t.comment(`it grew by ${Math.round(largest / 2 ** 20)} MiB at most`)
  for await (const part of response) received += part
  const lines = received.split('\n')
  t.equal(lines.length, ROWS + 1)
  t.strictSame([0, 1, ROWS / 2, ROWS - 1].map(index => JSON.parse(lines[index] ?? '').message_id), ['m000000', 'm000001', 'm012500', 'm024999'])
  t.match(await ask(`${service.url}/health/ready`), { status: 200 })
}

const skip = process.platform !== 'linux' && 'the resident set is read from /proc'
t.test('on SQLite', { skip, timeout: 120_000 }, async t => {
  const cwd = t.testdir()
  await check(t, cwd, `sqlite:///${join(cwd, 'app.db')}`)
})
t.test('on PostgreSQL', { skip, timeout: 120_000 }, async t => check(t, t.testdir(), await (await startPostgres(t)).createDatabase()))
