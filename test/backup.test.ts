/** Backups that are made while messages come in, and what is found when one of them is all that is left. */
import { renameSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { message } from './helper.ts'
import { isBroken, lane } from './lane.ts'
import { BACKUP, COVERED, allMessages, ask, run, serve } from './process.ts'
import { wrongCounters } from './src/storage/inspect.ts'

const LANES = 8
const ENOUGH = 300

/** The fraction of the second ends with a 1, so that it comes back as it was sent. */
const numbered = (number: number): Record<string, unknown> => message({
  message_id: `m${number}`, from: `+${number % 30 + 100}`, ts: `2025-01-15T10:00:00.${number}1Z`, text: `Text of m${number}.`
})
const numberOf = (row: Record<string, unknown>): number => Number(String(row['message_id']).slice(1))

/** A file made from a database that is in use. */
type Backup = (t: Test, from: string, to: string) => Promise<void>

const byScript: Backup = async (t, from, to) => {
  const { code, stdout, stderr } = await run(t, BACKUP, t.testdirName, {
    args: ['--to', to], env: { DATABASE_URL: `sqlite:///${from}` }, execArgv: COVERED
  })
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(JSON.parse(stdout), { to, messages: Number, bytes: Number, seconds: Number })
}

/** In another thread, as another program would: this one goes on delivering. */
const byVacuum: Backup = async (_t, from, to) => {
  const worker = new Worker(`
    const { workerData: { module, from, to } } = require('node:worker_threads')
    const database = new (require(module))(from)
    database.prepare('VACUUM INTO ?').run(to)
    database.close()
  `, { eval: true, workerData: { module: fileURLToPath(import.meta.resolve('better-sqlite3')), from, to } })
  await once(worker, 'exit')
}

for (const [name, backup] of [['npm run backup', byScript], ['VACUUM INTO', byVacuum]] as const) {
  t.test(`${name} under load, the loss of the database, and a start on the copy`, async t => {
    const cwd = t.testdir()
    const [file, copy] = [join(cwd, 'data', 'app.db'), join(cwd, 'copy.db')]
    const service = await serve(t, cwd)
    const acknowledged = new Set<number>()
    let sent = 0

    const lanes = Array.from({ length: LANES }, async () => {
      const deliver = lane(t)
      for (;;) {
        const number = sent++
        const { status } = await deliver(service.url, numbered(number))
        if (status !== 200) throw new Error(`answered ${status}`)
        acknowledged.add(number)
      }
    })
    const ended = Promise.allSettled(lanes)
    const delivered = async (count: number): Promise<void> => {
      while (acknowledged.size < count) await Promise.race([ask(`${service.url}/health/live`), ...lanes])
    }
    await delivered(ENOUGH)
    const before = [...acknowledged]
    await backup(t, file, copy)
    const atMost = sent
    await delivered(acknowledged.size + 100)
    service.child.kill('SIGKILL')
    t.ok((await ended).every(end => end.status === 'rejected' && isBroken(end.reason)), 'nothing was refused until then')
    await service.exited

    renameSync(file, join(cwd, 'lost.db'))
    const restored = await serve(t, cwd, { DATABASE_URL: `sqlite:///${copy}` })
    t.equal((await ask(`${restored.url}/health/ready`)).status, 200)
    const rows = await allMessages(restored.url)
    const numbers = new Set(rows.map(numberOf))
    t.equal(numbers.size, rows.length, 'no message is there twice')
    t.strictSame(before.filter(number => !numbers.has(number)), [], 'all that was acknowledged before is there')
    t.ok([...numbers].every(number => number < atMost), 'and nothing that was sent after it')
    t.ok(rows.every(row => isDeepStrictEqual(row, numbered(numberOf(row)))), 'every message is whole')
    await total(t, restored.url, rows.length)
    t.strictSame(JSON.parse((await ask(`${restored.url}/messages?q=OF+M17.`)).body).data, [numbered(17)])

    // What came in after the backup is there once the provider has sent it again.
    const deliver = lane(t)
    for (let number = 0; number < sent; number++) {
      const { status } = await deliver(restored.url, numbered(number))
      if (status !== 200) t.fail('a delivery was refused', { status })
    }
    await total(t, restored.url, sent)
    t.equal((await restored.end('SIGTERM')).code, 0)
    t.strictSame(wrongCounters(copy), [])
    const database = new Database(copy, { readonly: true })
    t.teardown(() => database.close())
    t.strictSame(database.pragma('integrity_check'), [{ integrity_check: 'ok' }])
  })
}

/** Every way to count finds so many. */
async function total (t: Test, url: string, count: number): Promise<void> {
  t.equal(JSON.parse((await ask(`${url}/messages`)).body).total, count)
  t.equal(JSON.parse((await ask(`${url}/messages?q=text`)).body).total, count)
  t.equal(JSON.parse((await ask(`${url}/stats`)).body).total_messages, count)
}
