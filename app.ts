import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import sensible from '@fastify/sensible'
import type { TrustProxy } from './src/addresses.ts'
import type { Config } from './src/config.ts'
import { createLogger } from './src/logger.ts'
import apiKeys from './plugins/api-keys.ts'
import completion from './plugins/completion.ts'
import connectionLimit from './plugins/connection-limit.ts'
import connections from './plugins/connections.ts'
import db from './plugins/db.ts'
import deadline from './plugins/deadline.ts'
import errors from './plugins/errors.ts'
import feedHub from './plugins/feed.ts'
import health from './plugins/health.ts'
import malformed, { malformedRequests } from './plugins/malformed.ts'
import metrics from './plugins/metrics.ts'
import openapi from './plugins/openapi.ts'
import overload from './plugins/overload.ts'
import rateLimit from './plugins/rate-limit.ts'
import requestId, { newRequestId } from './plugins/request-id.ts'
import requestLog from './plugins/request-log.ts'
import retention from './plugins/retention.ts'
import securityHeaders from './plugins/security-headers.ts'
import signature from './plugins/signature.ts'
import tracing from './plugins/tracing.ts'
import validation from './plugins/validation.ts'
import console from './routes/console.ts'
import deletion from './routes/deletion.ts'
import exports from './routes/export.ts'
import feed from './routes/feed.ts'
import messages from './routes/messages.ts'
import standard from './routes/standard.ts'
import stats from './routes/stats.ts'
import twilio from './routes/twilio.ts'
import webhook from './routes/webhook.ts'
import whatsapp from './routes/whatsapp.ts'

/** Builds the service, ready to listen. Tests build the very same. */
export async function build (
  config: Config, logger: FastifyBaseLogger = createLogger(config.logLevel)
): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    // One line a request, and that is request-log's.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: parent => parent,
    genReqId: newRequestId,
    return503OnClosing: false,
    trustProxy: trustOf(config.trustProxy),
    // Longer than any path that Node.js takes: an id of 600 characters needs up to 7,200.
    routerOptions: { maxParamLength: 16_384 },
    ...malformedRequests
  })
  // Nothing but a delivery has a body, and that scope brings its own parser.
  app.removeAllContentTypeParsers()

  await app.register(sensible)
  await app.register(validation)
  await app.register(errors)
  await app.register(requestId)
  await app.register(completion)
  await app.register(tracing, { collector: config.tracing })
  await app.register(connections)
  await app.register(connectionLimit, { max: config.maxConnections, databaseConnections: config.databasePool })
  await app.register(deadline)
  await app.register(malformed)
  await app.register(securityHeaders)
  await app.register(rateLimit, { perMinute: config.rateLimit })
  await app.register(apiKeys, { keys: config.apiKeys })
  await app.register(signature)
  await app.register(requestLog)
  await app.register(openapi, { hasApiKeys: config.apiKeys.length > 0 })
  await app.register(metrics)
  await app.register(overload)
  await app.register(feedHub)
  await app.register(db, { url: config.databaseUrl, readUrl: config.databaseReadUrl, readConnections: config.databasePool })
  await app.register(retention, { retentionDays: config.retentionDays, dedupeDays: config.dedupeDays })
  await app.register(health, { hasSecret: config.webhookSecrets.length > 0 })

  await app.register(webhook, { secrets: config.webhookSecrets, scheme: config.signatureScheme, bodyLimit: config.bodyLimit })
  if (config.standardSecrets.length > 0) await app.register(standard, { secrets: config.standardSecrets, bodyLimit: config.bodyLimit })
  if (config.twilioTokens.length > 0) await app.register(twilio, { tokens: config.twilioTokens, publicUrl: config.publicUrl, bodyLimit: config.bodyLimit })
  if (config.whatsappSecrets.length > 0) await app.register(whatsapp, { secrets: config.whatsappSecrets, verifyToken: config.whatsappVerifyToken, bodyLimit: config.bodyLimit })
  await app.register(console, { scheme: config.signatureScheme, needsKey: config.apiKeys.length > 0 })
  await app.register(async reads => {
    reads.requireApiKey()
    reads.limitReads()
    await reads.register(messages)
    await reads.register(stats)
    await reads.register(exports)
    await reads.register(feed)
    await reads.register(deletion, { hasApiKeys: config.apiKeys.length > 0 })
  })

  return app
}

/** Fastify believes no number of proxies, since it cannot tell whether a request came by them. Who sets it has seen to that. */
function trustOf (trust: TrustProxy): Exclude<FastifyServerOptions['trustProxy'], undefined> {
  if (typeof trust === 'boolean') return trust
  return typeof trust === 'number' ? (_address, hop) => hop < trust : [...trust]
}
