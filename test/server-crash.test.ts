import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { message } from './helper.ts'
import { killAmid } from './lane.ts'
import { wrongCounters } from './src/storage/inspect.ts'
import { COVERED, allMessages, ask, deliverTo, serve } from './process.ts'

/** `npm run faults` does it twenty times on both databases, in full load. */
const KILLS = 6

t.test('after a kill -9 under load every acknowledged message is there exactly once', async t => {
  const cwd = t.testdir()
  const acknowledged = new Set<string>()
  const sent = new Set<string>()
  let next = 0

  for (let round = 0; round < KILLS; round++) {
    const service = await serve(t, cwd)
    const enough = Promise.withResolvers<void>()
    const target = acknowledged.size + 150

    // Each lane delivers until the connection breaks, every fourth message twice.
    const lane = async (): Promise<void> => {
      for (;;) {
        const id = `m${next++}`
        sent.add(id)
        for (let copies = next % 4 === 0 ? 2 : 1; copies > 0; copies--) {
          const { status } = await deliverTo(service.url, message({ message_id: id, text: `text of ${id}` }))
          if (status !== 200) throw new Error(`answered ${status}`)
          acknowledged.add(id)
        }
        if (acknowledged.size >= target) enough.resolve()
      }
    }
    const lanes = Array.from({ length: 16 }, lane)
    await Promise.race([enough.promise, ...lanes])
    await killAmid(t, service, lanes)
  }

  const service = await serve(t, cwd)
  t.equal((await ask(`${service.url}/health/ready`)).status, 200)
  const rows = await allMessages(service.url)
  const stored = new Set(rows.map(row => String(row['message_id'])))
  t.equal(stored.size, rows.length, 'no message is there twice')
  t.strictSame([...acknowledged].filter(id => !stored.has(id)), [], 'no acknowledged message is lost')
  t.strictSame([...stored].filter(id => !sent.has(id)), [], 'nothing is there that was not sent')
  t.ok(rows.every(row => row['text'] === `text of ${row['message_id']}`), 'every message is whole')
  t.equal(JSON.parse((await ask(`${service.url}/stats`)).body).total_messages, rows.length)
  t.equal(JSON.parse((await ask(`${service.url}/messages?q=TEXT`)).body).total, rows.length, 'the search finds all of them')
  t.equal((await service.end('SIGTERM')).code, 0)

  t.strictSame(wrongCounters(join(cwd, 'data', 'app.db')), [])
  const database = new Database(join(cwd, 'data', 'app.db'), { readonly: true })
  t.teardown(() => database.close())
  t.strictSame(database.pragma('integrity_check'), [{ integrity_check: 'ok' }])
})

/** Faults that the program itself does not have, on a signal that it leaves alone. */
const fault = (code: string): string[] => [
  ...COVERED, '--import', `data:text/javascript,${encodeURIComponent(`process.on('SIGWINCH', () => { ${code} })`)}`
]

t.test('an error that nobody caught is logged, and the process ends in order with code 1', async t => {
  const cwd = t.testdir()
  const service = await serve(t, cwd, {}, fault("throw new Error('boom')"))
  t.equal((await deliverTo(service.url, message())).status, 200)
  const { code, stderr } = await service.end('SIGWINCH')
  t.equal(code, 1)
  t.equal(stderr, '')
  t.match(await service.logged('an error that nobody caught'), { level: 'fatal', error: /boom/ })
  t.match(await service.logged('stopped'), { level: 'info' })

  const again = await serve(t, cwd)
  t.equal((await ask(`${again.url}/messages/m1`)).status, 200)
  await again.end('SIGTERM')
})

t.test('a rejection that nobody caught is treated the same', async t => {
  const service = await serve(t, t.testdir(), {}, fault("Promise.reject(new Error('boom'))"))
  const { code, stderr } = await service.end('SIGWINCH')
  t.equal(code, 1)
  t.equal(stderr, '')
  t.match(await service.logged('an error that nobody caught'), { level: 'fatal', error: /boom/ })
})

t.test("Node.js's own warnings are log lines", async t => {
  const service = await serve(t, t.testdir(), {}, fault("process.emitWarning('careful', 'OddWarning')"))
  service.child.kill('SIGWINCH')
  t.match(await service.logged('careful'), { level: 'warn', warning: 'OddWarning' })
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})
