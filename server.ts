import { lookup } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { build } from './app.ts'
import { isLoopback } from './src/addresses.ts'
import { guessable } from './src/api-keys.ts'
import { ConfigError, loadConfig, type Config } from './src/config.ts'
import { createLogger } from './src/logger.ts'

/** How long requests in flight may take to end, and the whole shutdown once the door is shut, in ms. */
const IN_FLIGHT_TIMEOUT = 5000
const SHUTDOWN_TIMEOUT = 9000

try {
  await serve()
} catch (error) {
  createLogger('info').fatal({ error: (error as Error).name }, (error as Error).message)
  process.exitCode = 1
}

async function serve (): Promise<void> {
  const config = loadConfig(process.env)
  const logger = createLogger(config.logLevel)
  // Standard error stays empty: Node.js's own warnings become log lines.
  process.removeAllListeners('warning').on('warning', warning => logger.warn({ warning: warning.name }, warning.message))

  const app = await build(config, logger)
  // Before it listens: a signal that comes right after the first connection must not cut it off.
  // Not on beforeExit: that is where a failed listen ends, and it must keep its exit code.
  closeWithGrace({ delay: config.shutdownDelay + SHUTDOWN_TIMEOUT, logger: false, skip: ['beforeExit'] }, async ({ signal, err }) => {
    if (err) logger.fatal({ error: err.stack }, 'an error that nobody caught: shutting down')
    else logger.info({ signal }, 'shutting down')
    app.drain()
    if (signal === 'SIGTERM') await delay(config.shutdownDelay)
    setTimeout(() => app.server.closeAllConnections(), IN_FLIGHT_TIMEOUT).unref()
    await app.close()
    logger.info('stopped')
    await new Promise<void>(resolve => logger.flush(() => resolve()))
  })

  await listen(app, config)
  if (config.webhookSecrets.length === 0) logger.warn('WEBHOOK_SECRET is not set: no delivery to /webhook will be accepted')
  if (config.apiKeys.length === 0 && !app.addresses().every(bound => typeof bound === 'object' && isLoopback(bound.address))) {
    logger.warn('API_KEYS is not set: whoever reaches this machine can read every message')
  }
  const names = guessable(config.apiKeys)
  if (names.length > 0) logger.warn({ api_keys: names }, 'API_KEYS holds keys of less than 16 characters, which can be guessed')
}

async function listen (app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    // For each further address of localhost Fastify would open another server, which knows nothing of the limits of this one.
    await app.listen({ host: host === 'localhost' ? (await lookup(host)).address : host, port })
  } catch (cause) {
    await app.close()
    throw new ConfigError(`HOST and PORT must be an address to listen on that is free: ${(cause as Error).message}`, { cause })
  }
}
