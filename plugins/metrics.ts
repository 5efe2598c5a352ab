import fp from 'fastify-plugin'
import promClient from '@prometheus-io/client'
import fastifyMetrics from 'fastify-metrics'
import { Type } from '@sinclair/typebox'
import { DeliveryTallies } from './delivery-tallies.ts'
import { RouteLatencies } from './route-latencies.ts'
import { storeMetrics } from './store-metrics.ts'
import { Tally } from './tally.ts'
import { DELIVERY_RESULTS, deliveryResult } from '../src/delivery.ts'
import type { StoreObserver } from '../src/storage/message-store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where a store reports its commits, and what an operator should know. */
    storeObserver: StoreObserver
  }
}

const { Counter, Gauge, Histogram, Registry } = promClient

const LATENCY_BUCKETS_MS = [0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000]

/** How often the utilization of the event loop is looked at, in ms. */
const UTILIZATION_INTERVAL = 1000

/** The path label of every request that matched no route. */
const UNKNOWN_PATH = 'unknown'

/**
 * GET /metrics in Prometheus' text format: the service's own families first, then Node.js's and fastify-metrics'.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export default fp(async app => {
  const registry = new Registry()
  const registers = [registry]

  // First, and with every result from the start, so that both request counters stand within the first ten lines.
  const deliveries = new Tally(['result'], { name: 'webhook_requests_total', help: 'Deliveries by what became of them', registers })
  for (const result of DELIVERY_RESULTS) deliveries.add(0, result)
  const requests = new Tally(['method', 'path', 'status'], {
    name: 'http_requests_total', help: 'Requests by method, route and status', registers
  })
  const latencies = new Histogram({
    name: 'request_latency_ms', help: 'Time from request to answer, in ms', buckets: LATENCY_BUCKETS_MS, registers
  })

  const { committed } = storeMetrics(app, registers)
  app.decorate('storeObserver', { committed, notice (text) { app.log.warn(text) } })

  // eslint-disable-next-line no-new
  new Gauge({ name: 'connections_open', help: 'Connections that are open', registers, collect () { this.set(app.connections.size) } })
  const dropped = new Counter({ name: 'connections_refused_total', help: 'Connections refused since MAX_CONNECTIONS were open', registers })
  app.server.on('drop', () => { dropped.inc() })

  const tallies = new DeliveryTallies(registers)
  // eslint-disable-next-line no-new
  new Gauge({
    name: 'feeds_open',
    help: 'Streams of the feed that are open, and pages of it that wait',
    registers,
    collect () { this.set(app.feed.open) }
  })
  // eslint-disable-next-line no-new
  new Counter({
    name: 'feed_messages_total',
    help: 'Messages that were sent by the feed, to all its clients together',
    registers,
    collect () {
      this.reset()
      this.inc(app.feed.delivered)
    }
  })
  // For every provider that is on, and no other. The routes, which know them, come after this plugin.
  app.addHook('onReady', async () => tallies.begin(app.deliverySources))

  app.onCompletion(({ request, status, latency }) => {
    // Fastify makes them anew each time they are asked for.
    const { url, config } = request.routeOptions
    requests.add(1, request.method, url ?? UNKNOWN_PATH, String(status))
    if (url !== undefined && status !== 499) routes.observe(request.method, url, String(status), latency / 1000)
    // How long a client stays with a stream says nothing of the service.
    if (config?.isStream !== true) latencies.observe(latency)
    const { delivery } = request
    if (delivery === null) return
    const result = deliveryResult(status, delivery.dup)
    deliveries.add(1, result)
    tallies.count(delivery, result)
  })

  await app.register(fastifyMetrics.default, {
    endpoint: null,
    name: 'routeMetrics',
    promClient,
    defaultMetrics: { enabled: true, register: registry, eventLoopUtilizationTimeout: UTILIZATION_INTERVAL },
    routeMetrics: { enabled: false }
  })
  const routes = new RouteLatencies(registers)

  app.get('/metrics', {
    schema: {
      tags: ['operations'],
      summary: 'Metrics for Prometheus',
      response: {
        200: {
          description: 'Prometheus text format',
          content: { 'text/plain': { schema: Type.String({ examples: ['webhook_requests_total{result="created"} 1'] }) } }
        }
      }
    }
  }, async (_request, reply) => {
    const text = await registry.metrics()
    // The client puts an empty line between families; without it the first ten lines hold two of them.
    return reply.type(registry.contentType).send(text.replaceAll('\n\n', '\n'))
  })
}, { name: 'metrics', dependencies: ['completion', 'deadline', 'connections', 'signature'] })
