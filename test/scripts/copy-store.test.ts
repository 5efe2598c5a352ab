import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../postgres.ts'
import { COPY_STORE, run } from '../process.ts'
import { message } from '../src/storage/suite/common.ts'
import { copy, fill, list, messages, startCopy } from './copier.ts'

const server = await startPostgres(t)

/** A new SQLite file with these messages. */
async function sqliteWith (t: Test, ...rows: ReturnType<typeof messages>): Promise<string> {
  const url = `sqlite:///${join(t.testdir(), 'source.db')}`
  await fill(url, ...rows)
  return url
}

/** A new, empty PostgreSQL database that stores `m1500` only when it is let go. */
async function heldDatabase (): Promise<{ url: string, release: () => Promise<void> }> {
  const url = await server.createDatabase()
  await fill(url)
  await server.query(url, `
    CREATE FUNCTION wait () RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
    CREATE TRIGGER wait BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.message_id = 'm1500') EXECUTE FUNCTION wait()`)
  return { url, release: await hold(url) }
}

/** Holds `m1500` back until what is returned is called. */
async function hold (url: string): Promise<() => Promise<void>> {
  const holder = new pg.Client(url)
  // The server may be stopped meanwhile.
  holder.on('error', () => {})
  await holder.connect()
  await holder.query('SELECT pg_advisory_lock(1)')
  return () => holder.end()
}

const HALFWAY = /^1000 of 2500 \(40\.0 %\), \d+ a second$/

t.test('a copy into PostgreSQL and back again is the same list, and can be made again', async t => {
  const expected = messages(2500)
  const [from, to, back] = [await sqliteWith(t, ...expected), await server.createDatabase(), `sqlite:///${join(t.testdirName, 'new', 'back.db')}`]
  t.match(await copy(t, '--from', from, '--to', to), {
    code: 0, stdout: '{"copied":2500,"created":2500,"source":2500,"destination":2500}\n'
  })
  t.strictSame(await list(to), expected)
  t.match(await copy(t, '--from', to, '--to', back), {
    code: 0, stdout: '{"copied":2500,"created":2500,"source":2500,"destination":2500}\n'
  })
  t.strictSame(await list(back), expected)

  // Again: it does no harm, and takes what came in meanwhile.
  const late = message({ message_id: 'late', ts: '2001-01-01T00:00:00Z' })
  await fill(from, late)
  t.match(await copy(t, '--from', from, '--to', to), {
    code: 0, stdout: '{"copied":2501,"created":1,"source":2501,"destination":2501}\n'
  })
  t.strictSame(await list(to), [late, ...expected])
})

t.test('the password can be left out of the URL', async t => {
  const [from, to] = [await sqliteWith(t, message()), new URL(await server.createDatabase())]
  const env = { PGPASSWORD: to.password }
  to.password = ''
  const args = ['--from', from, '--to', to.href]
  t.match(await run(t, COPY_STORE, t.testdirName, { args, env }), { code: 0, stdout: /"created":1/ })
})

t.test('a copy that was stopped ends with its page, says how to go on, and goes on there', async t => {
  const expected = messages(2500)
  const [from, { url, release }] = [await sqliteWith(t, ...expected), await heldDatabase()]
  const copying = startCopy(t, '--from', from, '--to', url)
  await copying.told(HALFWAY)
  copying.kill('SIGINT')
  await copying.told(/^stopping after the page under way$/)
  await release()
  const [, cursor = ''] = /^2000 messages were copied; to go on, add --resume-after (\S+)$/.exec(await copying.told(/copied/)) ?? []
  t.strictSame(await copying.exited, { code: 130, stdout: '' })
  t.strictSame(await list(url), expected.slice(0, 2000))

  t.match(await copy(t, '--from', from, '--to', url, '--resume-after', cursor), {
    code: 0, stdout: '{"copied":500,"created":500,"source":2500,"destination":2500}\n'
  })
  t.strictSame(await list(url), expected)
})

t.test('progress counts what an earlier run has copied', async t => {
  const [from, { url, release }] = [await sqliteWith(t, ...messages(2500)), await heldDatabase()]
  const first = startCopy(t, '--from', from, '--to', url, '--patience', '0')
  await first.told(HALFWAY)
  // What is under way fails.
  await server.stop()
  await server.start()
  await first.told(/^the destination was unavailable for 0 s: /)
  const line = await first.told(/^1000 messages were copied/)
  t.strictSame(await first.exited, { code: 1, stdout: '' })

  const releaseAgain = await hold(url)
  const second = startCopy(t, '--from', from, '--to', url, '--resume-after', line.replace(/.* /, ''))
  await second.told(/^999 of 2500 \(40\.0 %\), 0 a second$/)
  await releaseAgain()
  t.match(await second.exited, { code: 0, stdout: /"copied":1500/ })
  await release()
})

t.test('a destination that goes away for a moment is waited for', async t => {
  const expected = messages(2500)
  const [from, { url, release }] = [await sqliteWith(t, ...expected), await heldDatabase()]
  const copying = startCopy(t, '--from', from, '--to', url, '--patience', '60')
  await copying.told(HALFWAY)
  await server.stop()
  await server.start()
  t.match(await copying.exited, { code: 0, stdout: /"copied":2500,.*"source":2500,"destination":2500\}\n/ })
  t.strictSame(await list(url), expected)
  await release()
})

t.test('a signal while the destination is away ends it soon, with the place to go on', async t => {
  const [from, { url, release }] = [await sqliteWith(t, ...messages(2500)), await heldDatabase()]
  const copying = startCopy(t, '--from', from, '--to', url, '--patience', '3600')
  await copying.told(HALFWAY)
  await server.stop()
  copying.kill('SIGTERM')
  await copying.told(/^1000 messages were copied; to go on, add --resume-after \S+$/)
  t.strictSame(await copying.exited, { code: 143, stdout: '' })
  await server.start()
  await release()
})
