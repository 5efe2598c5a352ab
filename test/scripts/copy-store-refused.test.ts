import { existsSync, readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../free-port.ts'
import { COPY_STORE, COVERED, run } from '../process.ts'
import { encodeCursor } from '../../src/storage/cursor.ts'
import { inspect } from '../src/storage/inspect.ts'
import { message } from '../src/storage/suite/common.ts'
import { copy, fill, list, messages } from './copier.ts'

const ONE_LINE = /^[^\n]+\n$/

t.test('what cannot be copied is told in one line without any password, and nothing is made', async t => {
  const cwd = t.testdir({ 'garbage.db': 'this is no database' })
  for (const [args, reason] of [
    [['--from', 'mysql://user:s3cret@db/x', '--to', 'sqlite:///new.db'], /--from must be the URL of a database/],
    [['--from', 'sqlite:///garbage.db', '--to', 'sqlite:///new.db'], /--from names a database that cannot be used: file is not a database/]
  ] as const) {
    const { code, stdout, stderr } = await run(t, COPY_STORE, cwd, { args, execArgv: COVERED })
    t.strictSame({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr, reason)
    t.match(stderr, ONE_LINE)
    t.notMatch(stderr, /s3cret/)
  }
  t.strictSame(readdirSync(cwd).filter(name => !name.startsWith('garbage.db')), [])
})

t.test('--help tells the options', async t => {
  const { code, stdout, stderr } = await run(t, COPY_STORE, t.testdir(), { args: ['--help'], execArgv: COVERED })
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  for (const option of ['--from', '--to', '--resume-after', '--patience']) t.match(stdout, option)
})

t.test('a PostgreSQL that cannot be reached is waited for as long as was asked, and told in one line', async t => {
  const port = await freePort()

  t.testdir()
  const [here, nowhere] = [`sqlite:///${join(t.testdirName, 'here.db')}`, `postgres://user:s3cret@127.0.0.1:${port}/x`]
  await fill(here, message())
  for (const [from, to, who] of [[here, nowhere, 'destination'], [nowhere, `sqlite:///${join(t.testdirName, 'new.db')}`, 'source']] as const) {
    const begun = performance.now()
    const { code, stdout, stderr } = await copy(t, '--from', from, '--to', to, '--patience', '1')
    t.ok(performance.now() - begun >= 1000)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.equal(stderr, `the ${who} was unavailable for 1 s: connect ECONNREFUSED 127.0.0.1:${port}\n`)
  }
  t.notOk(existsSync(join(t.testdirName, 'new.db')))
})

t.test('a PostgreSQL that is silent is given up as well', async t => {
  t.testdir()
  const here = `sqlite:///${join(t.testdirName, 'here.db')}`
  await fill(here, message())
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const nowhere = `postgres://user:s3cret@127.0.0.1:${(silent.address() as AddressInfo).port}/x`
  // So long that an attempt to connect is under way in the end.
  t.match(await copy(t, '--from', here, '--to', nowhere, '--patience', '2'), {
    code: 1, stdout: '', stderr: /^the destination was unavailable for 2 s: [^\n]*timeout[^\n]*\n$/
  })
})

t.test('one SQLite file is copied into another, and a run that leaves messages behind says so', async t => {
  t.testdir()
  const [from, to] = ['sqlite:///from.db', 'sqlite:///to.db'].map(url => url.replace('///', `///${t.testdirName}/`)) as [string, string]
  await fill(from, ...messages(3))
  t.match(await copy(t, '--from', 'sqlite:///from.db', '--to', 'sqlite:///to.db'), {
    code: 0, stdout: '{"copied":3,"created":3,"source":3,"destination":3}\n', stderr: ''
  })
  t.strictSame(await list(to), messages(3))

  // A run that goes on leaves behind what came in before.
  await fill(from, message({ message_id: 'late', ts: '2001-01-01T00:00:00Z' }))
  const cursor = encodeCursor({ ts: '2024-01-01T00:00:00Z', message_id: 'm' })
  t.match(await copy(t, '--from', from, '--to', to, '--resume-after', cursor), {
    code: 0,
    stdout: '{"copied":3,"created":0,"source":4,"destination":3}\n',
    stderr: 'the source holds 1 more: run it again, without --resume-after\n'
  })
})

t.test('a destination that does not keep what it took is an error', async t => {
  t.testdir()
  const [from, to] = [join(t.testdirName, 'from.db'), join(t.testdirName, 'to.db')]
  await fill(`sqlite:///${from}`, ...messages(3))
  await fill(`sqlite:///${to}`)
  inspect(to, database => database.exec('CREATE TRIGGER lose BEFORE INSERT ON messages BEGIN SELECT raise(IGNORE); END'))
  t.match(await copy(t, '--from', `sqlite:///${from}`, '--to', `sqlite:///${to}`), {
    code: 1,
    stdout: '{"copied":3,"created":0,"source":3,"destination":0}\n',
    stderr: 'the destination holds 0 messages, fewer than the 3 that were copied\n'
  })
})
