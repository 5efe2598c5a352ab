import fp from 'fastify-plugin'
import { Type } from '@sinclair/typebox'
import { errorAnswer } from '../src/answers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on GET /health/ready answers 503, so that a load balancer sends its requests elsewhere. */
    drain (): void
  }
}

export interface HealthOptions {
  /** Whether deliveries can be verified at all. */
  readonly hasSecret: boolean
}

/** How long the store may take to answer before it counts as not answering, in ms. */
const PING_TIMEOUT = 1500

/** Liveness says that the process runs. Readiness says that a delivery sent now would be stored. */
export default fp<HealthOptions>(async (app, { hasSecret }) => {
  let draining = false
  app.decorate('drain', () => { draining = true })
  app.addHook('preClose', async () => app.drain())

  app.get('/health/live', {
    schema: {
      tags: ['operations'],
      summary: 'Whether the process runs',
      response: { 200: Type.Object({ status: Type.Literal('alive', { examples: ['alive'] }) }, { description: 'It does' }) }
    }
  }, async () => ({ status: 'alive' as const }))

  app.get('/health/ready', {
    schema: {
      tags: ['operations'],
      summary: 'Whether a delivery sent now would be stored',
      response: {
        200: Type.Object({ status: Type.Literal('ready', { examples: ['ready'] }) }, { description: 'It would' }),
        503: errorAnswer('It would not; detail names what is missing', 'not ready: WEBHOOK_SECRET is not set')
      }
    }
  }, async (request, reply) => {
    request.failure = await storeFailure()
    const missing = [
      ...draining ? ['the process is shutting down'] : [],
      ...hasSecret ? [] : ['WEBHOOK_SECRET is not set'],
      ...request.failure === null ? [] : ['the store does not answer']
    ]
    if (missing.length === 0) return { status: 'ready' as const }
    return reply.code(503).send({ detail: `not ready: ${missing.join(', ')}` })
  })

  /** What keeps the store from answering, for the log line; null when it answers. */
  function storeFailure (): Promise<Error | null> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, PING_TIMEOUT, new Error('no answer in time'))
      app.messages.ping().then(() => resolve(null), resolve).finally(() => clearTimeout(timer))
    })
  }
}, { name: 'health', dependencies: ['db', 'errors'] })
