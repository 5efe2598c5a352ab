import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { SECRETS } from '../../src/secret-files.ts'
import { Environment } from '../../src/environment.ts'

type Env = Record<string, string | undefined>

/** The message of the error that `env` ends the start with. */
function refusal (env: Env): string {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`)
}

t.test('an empty environment gives the defaults', async t => {
  t.strictSame(loadConfig({}), {
    webhookSecrets: [],
    signatureScheme: { header: 'x-signature', prefix: '', encoding: 'hex', algorithm: 'sha256' },
    standardSecrets: [],
    twilioTokens: [],
    whatsappSecrets: [],
    whatsappVerifyToken: undefined,
    publicUrl: '',
    apiKeys: [],
    rateLimit: undefined,
    trustProxy: false,
    databaseUrl: 'sqlite:///data/app.db',
    databaseReadUrl: undefined,
    databasePool: 8,
    retentionDays: undefined,
    dedupeDays: 7,
    logLevel: 'info',
    host: '127.0.0.1',
    port: 8000,
    bodyLimit: 1_048_576,
    maxConnections: 4096,
    tracing: undefined,
    shutdownDelay: 500
  })
})

t.test('every variable is read', async t => {
  const env = {
    WEBHOOK_SECRET: 's1',
    WEBHOOK_SECRET_PREVIOUS: 's0',
    WEBHOOK_SIGNATURE_HEADER: 'X-Seal',
    WEBHOOK_SIGNATURE_PREFIX: 'v1=',
    WEBHOOK_SIGNATURE_ENCODING: 'base64',
    WEBHOOK_SIGNATURE_ALGORITHM: 'sha512',
    STANDARD_WEBHOOKS_SECRET: 'whsec_b25l',
    TWILIO_AUTH_TOKEN: 't1',
    PUBLIC_URL: 'https://hooks.example.com',
    WHATSAPP_APP_SECRET: 'a1',
    WHATSAPP_VERIFY_TOKEN: 'v1',
    API_KEYS: 'reader:k1,other:k2',
    RATE_LIMIT: '60',
    TRUST_PROXY: 'loopback, 10.0.0.0/8',
    DATABASE_URL: 'postgres://u@primary/x',
    DATABASE_READ_URL: 'postgresql://u@replica/x',
    DATABASE_POOL: '4',
    RETENTION_DAYS: '90',
    DEDUPE_DAYS: '30',
    LOG_LEVEL: 'DEBUG',
    HOST: '0.0.0.0',
    PORT: '9000',
    BODY_LIMIT: '2048',
    MAX_CONNECTIONS: '1200',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    SHUTDOWN_DELAY: '0'
  }
  t.strictSame(Object.keys(env).sort(), Object.keys(Environment.properties).sort())
  const { standardSecrets, ...config } = loadConfig({ ...env, UNRELATED: 'x' })
  t.strictSame(standardSecrets.map(key => key.export().toString()), ['one'])
  t.strictSame(config, {
    webhookSecrets: ['s1', 's0'],
    signatureScheme: { header: 'x-seal', prefix: 'v1=', encoding: 'base64', algorithm: 'sha512' },
    twilioTokens: ['t1'],
    whatsappSecrets: ['a1'],
    whatsappVerifyToken: 'v1',
    publicUrl: 'https://hooks.example.com',
    apiKeys: [{ name: 'reader', key: 'k1' }, { name: 'other', key: 'k2' }],
    rateLimit: 60,
    trustProxy: ['loopback', '10.0.0.0/8'],
    databaseUrl: 'postgres://u@primary/x',
    databaseReadUrl: 'postgresql://u@replica/x',
    databasePool: 4,
    retentionDays: 90,
    dedupeDays: 30,
    logLevel: 'debug',
    host: '0.0.0.0',
    port: 9000,
    bodyLimit: 2048,
    maxConnections: 1200,
    tracing: { endpoint: 'http://collector:4318', sampler: 'traceidratio', ratio: 0.25 },
    shutdownDelay: 0
  })
})

t.test('a variable that is empty or undefined counts as unset', async t => {
  const names = [...Object.keys(Environment.properties), ...SECRETS.map(name => `${name}_FILE`)]
  for (const nothing of ['', undefined]) {
    t.strictSame(loadConfig(Object.fromEntries(names.map(name => [name, nothing]))), loadConfig({}))
  }
})

t.test('the configuration cannot be changed, nor the environment by it', async t => {
  const env = Object.freeze({ WEBHOOK_SECRET: 's1', PORT: '1' })
  const config = loadConfig(env)
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(config.webhookSecrets))
})

t.test('levels are read in any case, with the names of other programs', async t => {
  for (const [name, level] of [
    ['TRACE', 'trace'], ['DEBUG', 'debug'], ['INFO', 'info'], ['WARN', 'warn'], ['WARNING', 'warn'], ['ERROR', 'error'],
    ['FATAL', 'fatal'], ['CRITICAL', 'fatal'], ['SILENT', 'silent']
  ] as const) {
    for (const spelling of [name, name.toLowerCase(), `${name.slice(0, 1)}${name.slice(1).toLowerCase()}`]) {
      t.equal(loadConfig({ LOG_LEVEL: spelling }).logLevel, level, spelling)
    }
  }
})

t.test('a level that there is not is refused, and the levels are named', async t => {
  const rule = 'LOG_LEVEL must be one of TRACE, DEBUG, INFO, WARN, WARNING, ERROR, FATAL, CRITICAL, SILENT, in any case'
  for (const LOG_LEVEL of ['verbose', '30', ' INFO', 'INFO,DEBUG', 'constructor', '__proto__', 'toString']) t.equal(refusal({ LOG_LEVEL }), rule)
})

t.test('numbers at the edges are taken', async t => {
  for (const [PORT, port] of [['0', 0], ['65535', 65535], ['0080', 80]] as const) t.equal(loadConfig({ PORT }).port, port)
  for (const BODY_LIMIT of ['1', '1073741824']) t.equal(loadConfig({ BODY_LIMIT }).bodyLimit, Number(BODY_LIMIT))
  for (const MAX_CONNECTIONS of ['1', '1000000']) t.equal(loadConfig({ MAX_CONNECTIONS }).maxConnections, Number(MAX_CONNECTIONS))
  for (const SHUTDOWN_DELAY of ['0', '60000']) t.equal(loadConfig({ SHUTDOWN_DELAY }).shutdownDelay, Number(SHUTDOWN_DELAY))
})

t.test('numbers that cannot be meant are refused with their rule', async t => {
  const neverNumbers = ['banana', '-1', '1.5', '8000.0', '1e3', '0x50', ' ', ' 80', '80 ', '1_000', 'NaN', 'Infinity', 'true', '٨', '[]']
  for (const [name, rule, beyond] of [
    ['PORT', 'PORT must be an integer from 0 to 65535', ['65536', '9'.repeat(400)]],
    ['BODY_LIMIT', 'BODY_LIMIT must be a number of bytes from 1 to 1073741824', ['0', '1073741825']],
    ['MAX_CONNECTIONS', 'MAX_CONNECTIONS must be a number of connections from 1 to 1000000', ['0', '1000001']],
    ['SHUTDOWN_DELAY', 'SHUTDOWN_DELAY must be a number of milliseconds from 0 to 60000', ['60001']],
    ['RATE_LIMIT', 'RATE_LIMIT must be a number of requests a minute from 1 to 1000000', ['0', '1000001']],
    ['RETENTION_DAYS', 'RETENTION_DAYS must be a number of days from 1 to 36500', ['0', '36501', '1.5']],
    ['DEDUPE_DAYS', 'DEDUPE_DAYS must be a number of days from 1 to 36500', ['0', '-1']],
    ['DATABASE_POOL', 'DATABASE_POOL must be a number of connections from 1 to 1000', ['0', '1001']]
  ] as const) {
    for (const value of [...neverNumbers, ...beyond]) t.equal(refusal({ [name]: value }), rule, JSON.stringify(value).slice(0, 20))
  }
})

t.test('a DATABASE_URL that names no database is refused, and its password is not told', async t => {
  for (const DATABASE_URL of ['mysql://user:hunter2@host/db', 'sqlite:hunter2', 'hunter2', ' ']) {
    const message = refusal({ DATABASE_URL })
    t.match(message, /^DATABASE_URL must be sqlite:\/\/\/relative\.db/)
    t.notMatch(message, 'hunter2')
  }
})

t.test('a replica is read only beside a PostgreSQL', async t => {
  for (const DATABASE_URL of ['postgres://u@h/x', '', 'sqlite:///data/app.db']) {
    for (const DATABASE_READ_URL of ['sqlite:///hunter2.db', 'hunter2', 'mysql://u:hunter2@h/x', 'postgres://u:hunter2@h/x']) {
      if (DATABASE_URL.startsWith('postgres') && DATABASE_READ_URL.startsWith('postgres')) continue
      t.equal(refusal({ DATABASE_URL, DATABASE_READ_URL }),
        'DATABASE_READ_URL must be postgres://user:password@host/database, and DATABASE_URL too')
    }
  }
})

t.test('every variable that breaks its rule is named at once', async t => {
  t.equal(refusal({ PORT: 'banana', BODY_LIMIT: '0', WEBHOOK_SECRET: 'hunter2' }),
    'PORT must be an integer from 0 to 65535; BODY_LIMIT must be a number of bytes from 1 to 1073741824')
})

t.test('a collector is an http:// or https:// address; a sampler has one of six names, and a part', t => {
  const endpoint = (address: string): Env => ({ OTEL_EXPORTER_OTLP_ENDPOINT: address })
  for (const address of ['http://127.0.0.1:4318', 'https://collector.example/otlp/', 'http://[::1]:4318']) {
    t.strictSame(loadConfig(endpoint(address)).tracing, { endpoint: address, sampler: 'parentbased_always_on', ratio: 1 })
  }
  for (const address of ['collector', 'collector:4318', 'http://', 'grpc://collector:4317', 'http://user:password@collector:4318', 'http://x?key=password', 'http://x#password', ' ']) {
    t.equal(refusal(endpoint(address)), 'OTEL_EXPORTER_OTLP_ENDPOINT must be the address of a collector of OpenTelemetry, http:// or https://, without user, query and fragment')
  }
  for (const [part, ratio] of [['0', 0], ['1', 1], ['1.0', 1], ['.5', 0.5], ['0.001', 0.001]] as const) {
    t.equal(loadConfig({ ...endpoint('http://x'), OTEL_TRACES_SAMPLER_ARG: part }).tracing?.ratio, ratio)
  }
  for (const part of ['2', '1.5', '-1', '1e-3', '0.', 'half', '50%']) {
    t.equal(refusal({ OTEL_TRACES_SAMPLER_ARG: part }), 'OTEL_TRACES_SAMPLER_ARG must be a part from 0 to 1, such as 0.01')
  }
  t.match(refusal({ OTEL_TRACES_SAMPLER: 'jaeger_remote' }), /^OTEL_TRACES_SAMPLER must be parentbased_always_on or .* or traceidratio$/)
  t.equal(loadConfig({ OTEL_TRACES_SAMPLER: 'always_off' }).tracing, undefined, 'without a collector there is nothing to sample')
  t.end()
})
