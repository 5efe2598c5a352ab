/** TLS between Letterbox and a PostgreSQL that speaks it, and one that does not. */
import { join } from 'node:path'
import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { connectionTo } from '../../../src/storage/postgres/connection.ts'
import { PostgresPool } from '../../../src/storage/postgres/pool.ts'
import { createAuthority } from '../../certificates.ts'
import { message } from '../../helper.ts'
import { startPostgres, type PostgresServer } from '../../postgres.ts'
import { SERVER, ask, deliverTo, run, serve } from '../../process.ts'
import { untilResolved } from './inspect.ts'
import { SILENT } from './suite/common.ts'

const [authority, stranger] = [await createAuthority('Letterbox Test'), await createAuthority('Somebody Else')]
const [named, addressed, guest] = await Promise.all([
  authority.issue('server', { names: ['localhost'] }), authority.issue('server', { addresses: ['127.0.0.1'] }), authority.issue('guest')
])

/** Speaks it, as `localhost`. Whoever comes as guest has to show a certificate. */
const server = await startPostgres(t, {
  files: {
    'server.crt': named.cert,
    'server.key': named.key,
    'ca.crt': authority.cert,
    'pg_hba.conf': 'hostssl all guest all cert\nhost all all all scram-sha-256\n'
  },
  settings: ['ssl=on', 'ssl_ca_file=ca.crt']
})
/** Does not, but could, as 127.0.0.1. */
const plain = await startPostgres(t, { files: { 'server.crt': addressed.cert, 'server.key': addressed.key } })

const folder = t.testdir({
  'ca.pem': authority.cert,
  'stranger.pem': stranger.cert,
  // As a bundle of a provider's has them.
  'both.pem': `${stranger.cert}\n${authority.cert}`,
  'guest.pem': guest.cert,
  'guest.key': guest.key,
  'garbage.pem': 'hunter2',
  'empty.pem': ''
})
const file = (name: string): string => join(folder, name)

/** A URL of a database, with these parameters, by this name of the host. */
function by (host: string, url: string, parameters: Record<string, string>): string {
  const changed = new URL(url)
  changed.hostname = host
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value)
  return changed.href
}

const VERIFIED = { sslmode: 'verify-full', sslrootcert: file('ca.pem') }

/** Whether a connection is encrypted; or why there is none. */
async function encrypted (url: string): Promise<unknown> {
  const pool = new PostgresPool(url, 1)
  try {
    const [row] = await pool.query<{ ssl: boolean }>({ name: '', text: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()' }, [])
    return row?.ssl
  } catch (error) {
    return (error as Error).message
  } finally {
    await pool.close()
  }
}

const UNKNOWN = /self-signed certificate in certificate chain|unable to (?:verify the first|get local issuer) certificate/
const MISMATCH = /does not match certificate's altnames/

t.test('what is checked is what docs/scaling.md says of each sslmode', async t => {
  const url = await server.createDatabase()
  const [ca, other, compat] = [{ sslrootcert: file('ca.pem') }, { sslrootcert: file('stranger.pem') }, { uselibpqcompat: 'true' }]
  t.equal(await encrypted(url), false, 'nothing by default')
  t.equal(await encrypted(by('localhost', url, { sslmode: 'disable', ...ca })), false)
  t.equal(await encrypted(by('127.0.0.1', url, { sslmode: 'no-verify' })), true)
  t.equal(await encrypted(by('localhost', url, ca)), true)
  t.match(await encrypted(by('localhost', url, other)), UNKNOWN, 'an authority alone asks for all of it')
  for (const sslmode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
    t.equal(await encrypted(by('localhost', url, { sslmode, ...ca })), true, sslmode)
    t.equal(await encrypted(by('localhost', url, { sslmode, sslrootcert: file('both.pem') })), true, sslmode)
    t.match(await encrypted(by('localhost', url, { sslmode, ...other })), UNKNOWN, sslmode)
    t.match(await encrypted(by('localhost', url, { sslmode })), UNKNOWN, `${sslmode}, by the authorities of Node.js`)
    t.match(await encrypted(by('127.0.0.1', url, { sslmode, ...ca })), MISMATCH, sslmode)
    t.equal(await encrypted(by('127.0.0.1', plain.here(url), { sslmode, ...ca })), 'The server does not support SSL connections', sslmode)
  }
  t.equal(await encrypted(by('127.0.0.1', url, { sslmode: 'verify-ca', ...ca, ...compat })), true)
  t.match(await encrypted(by('127.0.0.1', url, { sslmode: 'verify-ca', ...other, ...compat })), UNKNOWN)
  t.equal(await encrypted(by('127.0.0.1', url, { sslmode: 'require', ...compat })), true)
  t.equal(await encrypted(by('127.0.0.1', plain.here(url), { sslmode: 'prefer', ...compat })), 'The server does not support SSL connections')
})

t.test('a client shows its certificate', async t => {
  const url = new URL(await server.createDatabase())
  await server.query(url.href, 'CREATE ROLE guest LOGIN')
  ;[url.username, url.password] = ['guest', '']
  t.match(await encrypted(by('localhost', url.href, VERIFIED)), /requires a valid client certificate/)
  t.equal(await encrypted(by('localhost', url.href, { ...VERIFIED, sslcert: file('guest.pem'), sslkey: file('guest.key') })), true)
})

t.test('every connection of a service is verified: it is ready, stores, and answers', async t => {
  const [url, replica] = [await server.createDatabase(), await server.createDatabase()]
  await (await openMessageStore(replica, SILENT)).close()
  const service = await serve(t, t.testdir(), { DATABASE_URL: by('localhost', url, VERIFIED), DATABASE_READ_URL: by('localhost', replica, { ...VERIFIED, sslmode: 'require' }) })
  t.equal((await ask(`${service.url}/health/ready`)).status, 200)
  t.equal((await deliverTo(service.url, message())).status, 200)
  t.equal((await ask(`${service.url}/stats`)).status, 200)
  t.equal((await ask(`${service.url}/feed`)).status, 200)
  t.strictSame(await sessions(server, url), [{ ssl: true }])
  t.strictSame(await sessions(server, replica), [{ ssl: true }])
  t.notMatch(service.stdout.join('\n'), /"level":"(?:warn|error)"/)
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})

function sessions (on: PostgresServer, url: string): Promise<{ ssl: boolean }[]> {
  return on.query(url, "SELECT DISTINCT ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE datname = current_database() AND application_name = 'letterbox'")
}

t.test('a service that cannot verify its server is live and not ready, and the log says why, once', async t => {
  const url = await server.createDatabase()
  for (const [reason, host, parameters] of [
    [UNKNOWN, 'localhost', { ...VERIFIED, sslrootcert: file('stranger.pem') }],
    [MISMATCH, '127.0.0.1', VERIFIED]
  ] as const) {
    const service = await serve(t, t.testdir(), { DATABASE_URL: by(host, url, parameters) })
    t.equal((await ask(`${service.url}/health/live`)).status, 200)
    t.equal((await ask(`${service.url}/health/ready`)).status, 503)
    t.match(await deliverTo(service.url, message()), { status: 503, headers: { 'retry-after': '1' } })
    t.match(await service.logged('the database cannot be used'), { level: 'warn', msg: reason })
    t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
    t.equal(service.stdout.filter(line => line.includes('the database cannot be used')).length, 1)
  }
})

t.test('a replica that cannot be verified is read by nobody, and deliveries go on', async t => {
  const url = await server.createDatabase()
  const service = await serve(t, t.testdir(), {
    DATABASE_URL: by('localhost', url, VERIFIED), DATABASE_READ_URL: by('127.0.0.1', url, VERIFIED)
  })
  t.equal((await ask(`${service.url}/health/ready`)).status, 200)
  t.equal((await deliverTo(service.url, message())).status, 200)
  t.match(await ask(`${service.url}/stats`), { status: 503, headers: { 'retry-after': '1' } })
  await service.end('SIGTERM')
  t.match(service.stdout.map(line => JSON.parse(line)).find(line => line.path === '/stats'), { level: 'error', status: 503, error: MISMATCH })
})

t.test('a server that learns TLS is used from then on', async t => {
  const url = await plain.createDatabase()
  const store = await openMessageStore(by('127.0.0.1', url, VERIFIED), SILENT)
  t.teardown(() => store.close())
  await t.rejects(store.ping(), { cause: { message: 'The server does not support SSL connections' } })
  await plain.query(url, 'ALTER SYSTEM SET ssl = on')
  await plain.query(url, 'SELECT pg_reload_conf()')
  await untilResolved(() => store.ping())
  t.strictSame(await sessions(plain, url), [{ ssl: true }])
  t.match(await encrypted(by('localhost', url, VERIFIED)), MISMATCH)
})

t.test('a file that cannot be meant ends the start, with the parameter and its rule', async t => {
  const url = await server.createDatabase()
  const [CA, PAIR] = [
    'sslrootcert must be the path of a file of certificates, in PEM',
    'sslcert and sslkey must be the paths of a certificate and of its key, in PEM, without a password'
  ]
  for (const [rule, parameters] of [
    [CA, { sslrootcert: file('hunter2.pem') }],
    [CA, { sslrootcert: file('garbage.pem') }],
    [CA, { sslrootcert: file('empty.pem') }],
    [CA, { sslrootcert: folder, sslmode: 'disable' }],
    [PAIR, { sslcert: file('guest.pem') }],
    [PAIR, { sslkey: file('guest.key') }],
    [PAIR, { sslcert: file('ca.pem'), sslkey: file('guest.key') }],
    ['sslmode must be disable or no-verify or prefer or require or verify-ca or verify-full', { sslmode: 'hunter2' }],
    ['sslmode must be disable or no-verify or prefer or require or verify-ca or verify-full', { sslmode: '' }],
    ['sslmode=verify-ca must come with sslrootcert', { sslmode: 'verify-ca', uselibpqcompat: 'true' }]
  ] as const) t.throws(() => connectionTo(by('localhost', url, parameters)), { name: 'StoreUnusable', message: rule })

  for (const [variable, more] of [['DATABASE_URL', {}], ['DATABASE_READ_URL', { DATABASE_URL: url }]] as const) {
    const { code, stdout, stderr } = await run(t, SERVER, t.testdir(), { env: { ...more, [variable]: by('localhost', url, { sslrootcert: file('hunter2.pem') }) } })
    t.match(JSON.parse(stdout), { level: 'fatal', error: 'ConfigError', msg: `${variable}: ${CA}` })
    t.notMatch(stdout, 'hunter2')
    t.strictSame({ code, stderr }, { code: 1, stderr: '' })
  }
})

t.test('what a URL says beside TLS stays as it is', async t => {
  for (const url of ['postgres://u:p%40s%s^@h:5/db', 'postgres://u@h/db?options=-c%20work_mem%3D8MB&application_name=x']) {
    t.strictSame(connectionTo(url), { connectionString: url })
  }
  t.strictSame(connectionTo('postgres://u:p%40s@h:5/db?sslmode=disable&options=-c%20work_mem%3D8MB'), { connectionString: 'postgres://u:p%40s@h:5/db?options=-c+work_mem%3D8MB', ssl: false })
  t.throws(() => connectionTo('postgres://u:%ff@h/db'), { message: 'user, password and database must be percent-encoded UTF-8' })
})
