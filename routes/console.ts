import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { CONSOLE_POLICY } from '../plugins/security-headers.ts'
import type { HmacScheme } from '../src/signature/hmac.ts'

export interface ConsoleOptions {
  /** How deliveries to /webhook are signed: the page's signature helper begins with that. */
  readonly scheme: HmacScheme
  /** Whether what the page reads asks for a key: it then asks for one first. */
  readonly needsKey: boolean
}

const PAGE = join(import.meta.dirname, '..', 'console')
const CHART = dirname(fileURLToPath(import.meta.resolve('uplot')))
/** Of the folder that holds the chart library, what the page needs. */
const FILES: ReadonlySet<unknown> = new Set([...readdirSync(PAGE), 'uPlot.iife.min.js', 'uPlot.min.css'])

/**
 * The console: a page at / and its files under /console/. It holds no data, and so needs no key; what it shows, it asks of the
 * other routes as any client would.
 */
const console: FastifyPluginAsync<ConsoleOptions> = async (app, { scheme, needsKey }) => {
  await app.protectPage(CONSOLE_POLICY)
  app.addHook('onRequest', async (_request, reply) => {
    // Kept, and asked after each time (ETag): a page and scripts of two versions never meet.
    reply.header('cache-control', 'no-cache')
  })
  // By its one spelling, or it is not there: of some others fastifyStatic would say that they are forbidden.
  app.addHook<{ Params: { '*'?: string } }>('preHandler', async ({ params: { '*': path } }) => {
    if (path !== undefined && !FILES.has(path)) throw app.httpErrors.notFound('not found')
  })
  await app.register(fastifyStatic, {
    root: [PAGE, CHART],
    prefix: '/console/',
    dotfiles: 'ignore',
    index: false,
    cacheControl: false
  })

  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.sendFile('index.html', PAGE))
  // Nothing that the OpenAPI document does not say as well.
  app.get('/console/settings.json', { schema: { hide: true } }, async () => ({ scheme, needsKey }))
}

export default console
