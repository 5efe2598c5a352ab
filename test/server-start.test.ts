import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { freePort } from './free-port.ts'
import { message, type LogLine } from './helper.ts'
import { COVERED, SERVER, ask, deliverTo, run, serve, type Env } from './process.ts'

/** Starts the service, which must end with code 1 and one JSON line; gives the line. */
async function refusal (t: Test, cwd: string, env: Env, execArgv: readonly string[] = []): Promise<LogLine> {
  const { code, stdout, stderr } = await run(t, SERVER, cwd, { env, execArgv })
  t.equal(code, 1)
  t.equal(stderr, '')
  t.equal(stdout.indexOf('\n'), stdout.length - 1, 'one line')
  t.notMatch(stdout, 'hunter2')
  const line: LogLine = JSON.parse(stdout)
  t.match(line, { level: 'fatal', ts: /Z$/, msg: String })
  return line
}

t.test('a value that cannot be meant ends the start with the variable and its rule', async t => {
  const cwd = t.testdir({ secret: 'hunter2' })
  for (const [env, msg] of [
    [{ PORT: 'banana', WEBHOOK_SECRET: 'hunter2' }, 'PORT must be an integer from 0 to 65535'],
    [{ LOG_LEVEL: 'x' }, 'LOG_LEVEL must be one of TRACE, DEBUG, INFO, WARN, WARNING, ERROR, FATAL, CRITICAL, SILENT, in any case'],
    [{ DATABASE_URL: 'mysql://user:hunter2@x/y' }, /^DATABASE_URL must be sqlite:\/\/\/relative\.db/],
    [{ PORT: '70000', BODY_LIMIT: '0' }, 'PORT must be an integer from 0 to 65535; BODY_LIMIT must be a number of bytes from 1 to 1073741824'],
    [{ API_KEYS: 'reader:hunter2,reader:other' }, /^API_KEYS must be name:key, several of them .* with no name and no key twice/],
    [{ API_KEYS_FILE: 'secret' }, /^API_KEYS must be name:key/],
    [{ RATE_LIMIT: '0', TRUST_PROXY: 'hunter2' }, /^RATE_LIMIT must be a number of requests a minute from 1 to 1000000; TRUST_PROXY must be true, false,/],
    [{ WEBHOOK_SECRET: 'hunter2', WEBHOOK_SECRET_FILE: 'secret' }, 'WEBHOOK_SECRET and WEBHOOK_SECRET_FILE must not both be set'],
    [{ WEBHOOK_SECRET_FILE: 'missing-hunter2' }, 'WEBHOOK_SECRET_FILE must be the path of a readable file']
  ] as const) t.match(await refusal(t, cwd, env), { error: 'ConfigError', msg })
  t.notOk(existsSync(join(cwd, 'data')), 'no database was made')
})

t.test('a database that cannot be used ends the start with the reason', async t => {
  const cwd = t.testdir({ folder: {}, 'file.db': 'this is no database, but a text of some length. '.repeat(100), plain: 'x' })
  const newer = new Database(join(cwd, 'newer.db'))
  newer.exec('CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT, md5 TEXT, run_at TEXT)')
  newer.exec("INSERT INTO schema_version (version, name) VALUES (999, 'future')")
  newer.close()
  for (const [path, reason] of [
    ['folder', /folder/], ['file.db', /file is not a database/], ['plain/below.db', /plain/], ['newer.db', /newer Letterbox.*999/]
  ] as const) t.match(await refusal(t, cwd, { DATABASE_URL: `sqlite:///${path}` }), { error: 'StoreUnusable', msg: reason })
})

t.test('without a secret it runs, is never ready, and accepts nothing', async t => {
  const service = await serve(t, t.testdir(), { WEBHOOK_SECRET: '', WEBHOOK_SECRET_PREVIOUS: 'testsecret' }, COVERED)
  t.match(await service.logged('WEBHOOK_SECRET is not set'), { level: 'warn' })
  const { status, body } = await ask(`${service.url}/health/ready`)
  t.equal(status, 503)
  t.strictSame(JSON.parse(body), { detail: 'not ready: WEBHOOK_SECRET is not set' })
  t.equal((await ask(`${service.url}/health/live`)).status, 200)
  t.equal((await deliverTo(service.url, message())).status, 503)
  t.equal(JSON.parse((await ask(`${service.url}/stats`)).body).total_messages, 0)
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})

t.test('secrets come from files, and both of them are accepted', async t => {
  const service = await serve(t, t.testdir({ current: 'new\n', previous: 'old\n' }), {
    WEBHOOK_SECRET: '', WEBHOOK_SECRET_FILE: 'current', WEBHOOK_SECRET_PREVIOUS_FILE: 'previous'
  })
  t.equal((await deliverTo(service.url, message({ message_id: 'm1' }), 'new')).status, 200)
  t.equal((await deliverTo(service.url, message({ message_id: 'm2' }), 'old')).status, 200)
  t.equal((await deliverTo(service.url, message({ message_id: 'm3' }), 'older')).status, 401)
  await service.end('SIGTERM')
})

t.test('LOG_LEVEL=INFO logs requests', async t => {
  const service = await serve(t, t.testdir(), { LOG_LEVEL: 'Info' })
  await ask(`${service.url}/health/live`)
  await service.end('SIGTERM')
  t.equal(service.stdout.filter(line => JSON.parse(line).path === '/health/live').length, 1)
})

t.test('LOG_LEVEL=ERROR logs failures only, and SILENT nothing', async t => {
  for (const [level, paths] of [['error', ['/webhook']], ['silent', []]] as const) {
    // It does not log where it listens.
    const port = await freePort()
    const quiet = await serve(t, t.testdir(), { LOG_LEVEL: level, PORT: String(port) }, [], `http://127.0.0.1:${port}`)
    t.equal((await ask(`${quiet.url}/health/live`)).status, 200)
    t.equal((await deliverTo(quiet.url, message(), 'wrong')).status, 401)
    t.strictSame(await quiet.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
    t.strictSame(quiet.stdout.map(line => JSON.parse(line).path), paths, level)
  }
})
