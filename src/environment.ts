import { Type, type Static } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { envSchema } from 'env-schema'
import { isTrustProxy, TRUST_PROXY_RULE } from './addresses.ts'
import { API_KEYS_RULE, parseApiKeys } from './api-keys.ts'
import { DEFAULT_SCHEME, isSignatureHeader, SIGNATURE_HEADER_RULE } from './signature/hmac.ts'
import { parseStandardSecrets, STANDARD_SECRETS_RULE } from './signature/standard.ts'
import { isPublicUrl, PUBLIC_URL_RULE } from './signature/twilio.ts'
import { parseDatabaseUrl } from './storage/database-url.ts'

/** Letters of any case for the level; WARNING and CRITICAL are other programs' names for two of them. */
export const LEVELS = {
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

/** Which traces are sent: all, none, or a part of them; `parentbased_…` of those that somebody else began, what they decided. */
export type Sampler = 'always_on' | 'always_off' | 'traceidratio' | `parentbased_${'always_on' | 'always_off' | 'traceidratio'}`

const isLevel = (name: string): boolean => Object.hasOwn(LEVELS, name)

/** A word of these, the first of them by default. */
function oneOf<Word extends string> (...words: [Word, ...Word[]]) {
  return Type.Unsafe<Word>({ type: 'string', enum: words, default: words[0], description: words.join(' or ') })
}

const COLLECTOR_RULE = 'the address of a collector of OpenTelemetry, http:// or https://, without user, query and fragment'

function isCollector (address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, username, password, search, hash } = new URL(address)
  return /^https?:$/.test(protocol) && username + password + search + hash === ''
}

/** Each description ends the sentence "NAME must be …" when a value breaks the rule. */
export const Environment = Type.Object({
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
  WHATSAPP_APP_SECRET: Type.Optional(Type.String({ pattern: '[^\\s,]', description: 'an app secret, or several separated by spaces or commas' })),
  WHATSAPP_VERIFY_TOKEN: Type.Optional(Type.String({ description: 'what Meta is to present' })),
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
  RETENTION_DAYS: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500, description: 'a number of days from 1 to 36500' })),
  DEDUPE_DAYS: Type.Integer({ default: 7, minimum: 1, maximum: 36_500, description: 'a number of days from 1 to 36500' }),
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
  MAX_CONNECTIONS: Type.Integer({
    default: 4096, minimum: 1, maximum: 1_000_000, description: 'a number of connections from 1 to 1000000'
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(Type.String({ format: 'collector-url', description: COLLECTOR_RULE })),
  OTEL_TRACES_SAMPLER: oneOf<Sampler>(
    'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio', 'always_on', 'always_off', 'traceidratio'
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.String({ default: '1', pattern: '^(?:0?\\.[0-9]+|[01]|1\\.0+)$', description: 'a part from 0 to 1, such as 0.01' }),
  SHUTDOWN_DELAY: Type.Integer({
    default: 500, minimum: 0, maximum: 60_000, description: 'a number of milliseconds from 0 to 60000'
  })
})
export type Environment = Static<typeof Environment>

const INTEGERS: ReadonlySet<string> = new Set(
  Object.entries(Environment.properties).filter(([, { type }]) => type === 'integer').map(([name]) => name)
)

/** A value that cannot be meant. The message names variables and rules and holds no value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * Reads the variables of the service, those that are not set by their defaults.
 *
 * @throws {ConfigError} naming every variable that breaks its rule
 */
export function readEnvironment (env: Readonly<Record<string, string>>): Environment {
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
      'collector-url': isCollector,
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
function withIntegers (env: Readonly<Record<string, string>>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) =>
    [name, INTEGERS.has(name) && /^[0-9]+$/.test(value) ? Number(value) : value]
  ))
}

function brokenRules (error: unknown): string {
  const { errors } = error as { errors: ErrorObject[] }
  const rules = errors.map(({ instancePath, parentSchema }) => `${instancePath.slice(1)} must be ${parentSchema?.['description']}`)
  return [...new Set(rules)].join('; ')
}
