import { readFileSync } from 'node:fs'
import { Type, type Static } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { envSchema } from 'env-schema'
import { isTrustProxy, TRUST_PROXY_RULE, trustProxyOf, type TrustProxy } from './addresses.ts'
import { API_KEYS_RULE, parseApiKeys, type ApiKey } from './api-keys.ts'
import { DEFAULT_SCHEME, isSignatureHeader, SIGNATURE_HEADER_RULE, type HmacScheme } from './signature/hmac.ts'
import { parseStandardSecrets, STANDARD_SECRETS_RULE, type StandardSecret } from './signature/standard.ts'
import { isPublicUrl, parseTokens, PUBLIC_URL_RULE } from './signature/twilio.ts'
import { parseDatabaseUrl } from './storage/database-url.ts'

/** Letters of any case for the level; WARNING and CRITICAL are other programs' names for two of them. */
const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
  CRITICAL: 'fatal',
  SILENT: 'silent'
} as const
export type LogLevel = typeof LEVELS[keyof typeof LEVELS]

const isLevel = (name: string): boolean => Object.hasOwn(LEVELS, name)

/** Variables that may also be given as NAME_FILE, the path of a file that holds the value. */
const SECRETS = ['WEBHOOK_SECRET', 'WEBHOOK_SECRET_PREVIOUS', 'STANDARD_WEBHOOKS_SECRET', 'TWILIO_AUTH_TOKEN', 'API_KEYS', 'DATABASE_URL', 'DATABASE_READ_URL'] as const

/** A word of these, the first of them by default. */
function oneOf<Word extends string> (...words: [Word, ...Word[]]) {
  return Type.Unsafe<Word>({ type: 'string', enum: words, default: words[0], description: words.join(' or ') })
}

/** Each description ends the sentence "NAME must be …" when a value breaks the rule. */
const Environment = Type.Object({
  WEBHOOK_SECRET: Type.Optional(Type.String({ description: 'the key of the HMAC' })),
  WEBHOOK_SECRET_PREVIOUS: Type.Optional(Type.String({ description: 'the key that is being rotated out' })),
  WEBHOOK_SIGNATURE_HEADER: Type.String({ default: DEFAULT_SCHEME.header, format: 'signature-header', description: SIGNATURE_HEADER_RULE }),
  WEBHOOK_SIGNATURE_PREFIX: Type.String({
    default: DEFAULT_SCHEME.prefix,
    pattern: '^(?:[!-~][ -~]{0,63})?$',
    description: 'at most 64 ASCII characters, of which the first is no space'
  }),
  WEBHOOK_SIGNATURE_ENCODING: oneOf('hex', 'base64'),
  WEBHOOK_SIGNATURE_ALGORITHM: oneOf('sha256', 'sha512'),
  STANDARD_WEBHOOKS_SECRET: Type.Optional(Type.String({ format: 'standard-secrets', description: STANDARD_SECRETS_RULE })),
  TWILIO_AUTH_TOKEN: Type.Optional(Type.String({ pattern: '[^\\s,]', description: 'an auth token, or several separated by spaces or commas' })),
  PUBLIC_URL: Type.Optional(Type.String({ format: 'public-url', description: PUBLIC_URL_RULE })),
  API_KEYS: Type.Optional(Type.String({ format: 'api-keys', description: API_KEYS_RULE })),
  RATE_LIMIT: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'a number of requests a minute from 1 to 1000000' })),
  TRUST_PROXY: Type.String({ default: 'false', format: 'trust-proxy', description: TRUST_PROXY_RULE }),
  DATABASE_URL: Type.String({
    default: 'sqlite:///data/app.db',
    format: 'database-url',
    description: 'sqlite:///relative.db, sqlite:////absolute.db, sqlite:///:memory: or postgres://user:password@host/database'
  }),
  DATABASE_READ_URL: Type.Optional(Type.String({
    format: 'postgres-url',
    description: 'postgres://user:password@host/database, and DATABASE_URL too'
  })),
  DATABASE_POOL: Type.Integer({ default: 8, minimum: 1, maximum: 1000, description: 'a number of connections from 1 to 1000' }),
  LOG_LEVEL: Type.String({
    default: 'INFO',
    format: 'log-level',
    description: `one of ${Object.keys(LEVELS).join(', ')}, in any case`
  }),
  HOST: Type.String({ default: '127.0.0.1', description: 'a host name or an IP address' }),
  PORT: Type.Integer({ default: 8000, minimum: 0, maximum: 65535, description: 'an integer from 0 to 65535' }),
  BODY_LIMIT: Type.Integer({
    default: 1_048_576, minimum: 1, maximum: 1_073_741_824, description: 'a number of bytes from 1 to 1073741824'
  }),
  SHUTDOWN_DELAY: Type.Integer({
    default: 500, minimum: 0, maximum: 60_000, description: 'a number of milliseconds from 0 to 60000'
  })
})
type Environment = Static<typeof Environment>

const INTEGERS: ReadonlySet<string> = new Set(
  Object.entries(Environment.properties).filter(([, { type }]) => type === 'integer').map(([name]) => name)
)

/** What the process runs with. */
export interface Config {
  /** Keys under which a delivery may be signed, the current one first. Empty: nothing is ever accepted. */
  readonly webhookSecrets: readonly string[]
  /** How deliveries to /webhook are signed. */
  readonly signatureScheme: HmacScheme
  /** Keys under which a delivery to /webhook/standard may be signed, the current one first. Empty: there is no such path. */
  readonly standardSecrets: readonly StandardSecret[]
  /** Auth tokens under which a delivery to /webhook/twilio may be signed, the current one first. Empty: there is no such path. */
  readonly twilioTokens: readonly string[]
  /** The address by which the internet reaches the service. Empty where nothing needs it. */
  readonly publicUrl: string
  /** Keys that open the reads. Empty: they are open to everybody. */
  readonly apiKeys: readonly ApiKey[]
  /** Requests a minute for each key or address. Undefined: no limit. */
  readonly rateLimit: number | undefined
  readonly trustProxy: TrustProxy
  readonly databaseUrl: string
  /** Where reads go instead: a replica of PostgreSQL, which may lag behind. */
  readonly databaseReadUrl: string | undefined
  /** Connections to PostgreSQL for reads. */
  readonly databasePool: number
  readonly logLevel: LogLevel
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Bytes. */
  readonly bodyLimit: number
  /** How long, after SIGTERM, readiness says 503 before the door is shut, in ms. */
  readonly shutdownDelay: number
}

/** A value that cannot be meant. The message names variables and rules and holds no value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * Reads the configuration. A variable that is empty counts as unset.
 *
 * @param env the environment, usually `process.env`
 * @throws {ConfigError} naming every variable that breaks its rule
 */
export function loadConfig (env: Readonly<Record<string, string | undefined>>): Config {
  const read = validate(withSecretFiles(withoutEmpty(env)))
  if (read.TWILIO_AUTH_TOKEN !== undefined && read.PUBLIC_URL === undefined) {
    throw new ConfigError(`PUBLIC_URL must be ${PUBLIC_URL_RULE}: TWILIO_AUTH_TOKEN is set, and Twilio signs it`)
  }
  // The schema's format has checked that it is one.
  const level = read.LOG_LEVEL.toUpperCase() as keyof typeof LEVELS
  return Object.freeze({
    webhookSecrets: Object.freeze(acceptedSecrets(read)),
    signatureScheme: Object.freeze({
      header: read.WEBHOOK_SIGNATURE_HEADER.toLowerCase(),
      prefix: read.WEBHOOK_SIGNATURE_PREFIX,
      encoding: read.WEBHOOK_SIGNATURE_ENCODING,
      algorithm: read.WEBHOOK_SIGNATURE_ALGORITHM
    }),
    standardSecrets: Object.freeze(parseStandardSecrets(read.STANDARD_WEBHOOKS_SECRET ?? '') ?? []),
    twilioTokens: Object.freeze(parseTokens(read.TWILIO_AUTH_TOKEN ?? '')),
    publicUrl: read.PUBLIC_URL ?? '',
    apiKeys: Object.freeze(parseApiKeys(read.API_KEYS ?? '') ?? []),
    rateLimit: read.RATE_LIMIT,
    trustProxy: trustProxyOf(read.TRUST_PROXY),
    databaseUrl: read.DATABASE_URL,
    databaseReadUrl: read.DATABASE_READ_URL,
    databasePool: read.DATABASE_POOL,
    logLevel: LEVELS[level],
    host: read.HOST,
    port: read.PORT,
    bodyLimit: read.BODY_LIMIT,
    shutdownDelay: read.SHUTDOWN_DELAY
  })
}

function withoutEmpty (env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])))
}

function withSecretFiles (env: Record<string, string>): Record<string, string> {
  const read = { ...env }
  for (const name of SECRETS) {
    const file = env[`${name}_FILE`]
    if (file === undefined) continue
    if (name in env) throw new ConfigError(`${name} and ${name}_FILE must not both be set`)
    const value = readSecret(`${name}_FILE`, file)
    // A file of keys that turns out empty must not open what it was meant to shut: it breaks the rule for API_KEYS.
    if (value !== '' || name === 'API_KEYS') read[name] = value
  }
  return read
}

function readSecret (variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new ConfigError(`${variable} must be the path of a readable file`, { cause })
  }
}

/** Without a current secret the previous one opens nothing: a service that was never set up stays shut. */
function acceptedSecrets ({ WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS }: Environment): string[] {
  if (WEBHOOK_SECRET === undefined) return []
  return WEBHOOK_SECRET_PREVIOUS === undefined ? [WEBHOOK_SECRET] : [WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS]
}

function validate (env: Record<string, string>): Environment {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    removeAdditional: true,
    verbose: true,
    formats: {
      'database-url': (url: string) => parseDatabaseUrl(url) !== undefined,
      'postgres-url': (url: string) => parseDatabaseUrl(url)?.backend === 'postgres' && parseDatabaseUrl(env['DATABASE_URL'] ?? '')?.backend === 'postgres',
      'api-keys': (keys: string) => parseApiKeys(keys) !== undefined,
      'signature-header': isSignatureHeader,
      'standard-secrets': (secrets: string) => parseStandardSecrets(secrets) !== undefined,
      'public-url': isPublicUrl,
      'trust-proxy': isTrustProxy,
      'log-level': (name: string) => isLevel(name.toUpperCase())
    }
  })
  try {
    return envSchema<Environment>({ schema: Environment, data: withIntegers(env), env: false, ajv })
  } catch (cause) {
    throw new ConfigError(brokenRules(cause), { cause })
  }
}

/** Plain decimals become numbers. Ajv's own coercion takes a blank for 0, and `0x50` and `1e3` for integers. */
function withIntegers (env: Record<string, string>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) =>
    [name, INTEGERS.has(name) && /^[0-9]+$/.test(value) ? Number(value) : value]
  ))
}

function brokenRules (error: unknown): string {
  const { errors } = error as { errors: ErrorObject[] }
  const rules = errors.map(({ instancePath, parentSchema }) => `${instancePath.slice(1)} must be ${parentSchema?.['description']}`)
  return [...new Set(rules)].join('; ')
}
