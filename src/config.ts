import { trustProxyOf, type TrustProxy } from './addresses.ts'
import { parseApiKeys, type ApiKey } from './api-keys.ts'
import { ConfigError, LEVELS, readEnvironment, type Environment, type LogLevel, type Sampler } from './environment.ts'
import { withSecretFiles } from './secret-files.ts'
import type { HmacScheme } from './signature/hmac.ts'
import { parseStandardSecrets, type StandardSecret } from './signature/standard.ts'
import { PUBLIC_URL_RULE } from './signature/twilio.ts'
import { parseTokens } from './signature/verifier.ts'
import { parseDatabaseUrl } from './storage/database-url.ts'
import { connectionTo } from './storage/postgres/connection.ts'

export { ConfigError, type LogLevel }

/** By the names of OpenTelemetry's variables: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export interface TracingConfig {
  /** The collector's OTLP over HTTP, without the path of a signal. */
  readonly endpoint: string
  readonly sampler: Sampler
  /** What part of the traces a sampler by ratio takes, 0 to 1. */
  readonly ratio: number
}

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
  /** App secrets under which a delivery to /webhook/whatsapp may be signed, the current one first. Empty: there is no such path. */
  readonly whatsappSecrets: readonly string[]
  /** What Meta presents when it asks whether it may deliver. Undefined: it may not. */
  readonly whatsappVerifyToken: string | undefined
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
  /** Messages that were received longer ago are removed. Undefined: none are. */
  readonly retentionDays: number | undefined
  /** Ids of removed messages stay known for so many days. */
  readonly dedupeDays: number
  readonly logLevel: LogLevel
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Bytes. */
  readonly bodyLimit: number
  /** How many may be open at once. */
  readonly maxConnections: number
  /** Where traces are sent, and which. Undefined: there are none. */
  readonly tracing: TracingConfig | undefined
  /** How long, after SIGTERM, readiness says 503 before the door is shut, in ms. */
  readonly shutdownDelay: number
}

/**
 * Reads the configuration. A variable that is empty counts as unset.
 *
 * @param env the environment, usually `process.env`
 * @throws {ConfigError} naming every variable that breaks its rule
 */
export function loadConfig (env: Readonly<Record<string, string | undefined>>): Config {
  const read = readEnvironment(withSecretFiles(withoutEmpty(env)))
  if (read.TWILIO_AUTH_TOKEN !== undefined && read.PUBLIC_URL === undefined) {
    throw new ConfigError(`PUBLIC_URL must be ${PUBLIC_URL_RULE}: TWILIO_AUTH_TOKEN is set, and Twilio signs it`)
  }
  checkDatabase('DATABASE_URL', read.DATABASE_URL)
  if (read.DATABASE_READ_URL !== undefined) checkDatabase('DATABASE_READ_URL', read.DATABASE_READ_URL)
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
    whatsappSecrets: Object.freeze(parseTokens(read.WHATSAPP_APP_SECRET ?? '')),
    whatsappVerifyToken: read.WHATSAPP_VERIFY_TOKEN,
    publicUrl: read.PUBLIC_URL ?? '',
    apiKeys: Object.freeze(parseApiKeys(read.API_KEYS ?? '') ?? []),
    rateLimit: read.RATE_LIMIT,
    trustProxy: trustProxyOf(read.TRUST_PROXY),
    databaseUrl: read.DATABASE_URL,
    databaseReadUrl: read.DATABASE_READ_URL,
    databasePool: read.DATABASE_POOL,
    retentionDays: read.RETENTION_DAYS,
    dedupeDays: read.DEDUPE_DAYS,
    logLevel: LEVELS[level],
    host: read.HOST,
    port: read.PORT,
    bodyLimit: read.BODY_LIMIT,
    maxConnections: read.MAX_CONNECTIONS,
    tracing: tracingOf(read),
    shutdownDelay: read.SHUTDOWN_DELAY
  })
}

function tracingOf ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio }: Environment): TracingConfig | undefined {
  return endpoint === undefined ? undefined : Object.freeze({ endpoint, sampler, ratio: Number(ratio) })
}

function withoutEmpty (env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])))
}

/** Whether a server could be reached as its URL says, which is of more than its form: it may name files. */
function checkDatabase (variable: string, url: string): void {
  if (parseDatabaseUrl(url)?.backend !== 'postgres') return
  try {
    connectionTo(url)
  } catch (cause) {
    throw new ConfigError(`${variable}: ${(cause as Error).message}`, { cause })
  }
}

/** Without a current secret the previous one opens nothing: a service that was never set up stays shut. */
function acceptedSecrets ({ WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS }: Environment): string[] {
  if (WEBHOOK_SECRET === undefined) return []
  return WEBHOOK_SECRET_PREVIOUS === undefined ? [WEBHOOK_SECRET] : [WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS]
}
