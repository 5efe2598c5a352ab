import fp from 'fastify-plugin'
import type { TracingConfig } from '../src/config.ts'
import type { SaveWatcher } from '../src/storage/message-store.ts'

/** The span of a request, which the spans of its parts are in: verify, queue, commit. */
export interface RequestTrace extends SaveWatcher {
  /** 32 and 16 hex digits: https://www.w3.org/TR/trace-context/ */
  readonly traceId: string
  readonly spanId: string
  /** Begins a part. @returns what ends it */
  begin (part: string): () => void
  /** @param failed whether something went wrong inside, whatever the status says */
  end (status: number, failed: boolean): void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where traces are sent to nobody. */
    trace: RequestTrace | null
  }
}

export interface TracingOptions {
  readonly collector: TracingConfig | undefined
}

/**
 * One trace a request, sent to a collector of OpenTelemetry. Without one, nothing of its SDK is loaded and nothing is
 * measured. Spans say what was done and how long it took, and never of whom or what a message was.
 */
export default fp<TracingOptions>(async (app, { collector }) => {
  app.decorateRequest('trace', null)
  if (collector === undefined) return

  const { OpenTelemetry } = await import('./opentelemetry.ts')
  const telemetry = new OpenTelemetry(collector, app.log)
  app.addHook('onRequest', (request, reply, done) => {
    request.trace = telemetry.begin(request, reply.elapsedTime)
    done()
  })
  app.onCompletion(({ request, status }) => request.trace?.end(status, request.failure !== null))
  // Plugins are closed in reverse order, so that this one sees the end of every request.
  app.addHook('onClose', () => telemetry.close())
}, { name: 'tracing', dependencies: ['completion', 'errors'] })
