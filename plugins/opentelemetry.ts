import { ROOT_CONTEXT, defaultTextMapGetter } from '@opentelemetry/api'
import { ExportResultCode, W3CTraceContextPropagator, type ExportResult } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider,
  type ReadableSpan, type Sampler, type SpanExporter
} from '@opentelemetry/sdk-trace'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { now } from '../src/clock.ts'
import type { TracingConfig } from '../src/config.ts'
import { RequestSpan } from './request-span.ts'
import type { RequestTrace } from './tracing.ts'

/** How long the end of the process waits for the last spans to be sent, in ms. */
const LAST_TIMEOUT = 2000
/** So far apart the time of day and the clock are only when somebody set the former, in ms. */
const TIME_SET = 10

/**
 * Spans that a collector is sent by OTLP over HTTP, many at a time. What it does not take is dropped, and holds up nothing.
 * Nothing of it is global: each app has its own.
 */
export class OpenTelemetry {
  readonly #log: FastifyBaseLogger
  readonly #exporter: ToldExporter
  readonly #provider: TracerProvider
  readonly #propagator = new W3CTraceContextPropagator()
  #epoch = 0

  constructor ({ endpoint, sampler, ratio }: TracingConfig, log: FastifyBaseLogger) {
    this.#log = log
    this.#exporter = new ToldExporter(`${endpoint.replace(/\/$/, '')}/v1/traces`, log)
    this.#provider = new TracerProvider({
      // The last is OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which win.
      resource: defaultResource().merge(resourceFromAttributes({ 'service.name': 'letterbox' })).merge(detectResources({ detectors: [envDetector] })),
      sampler: samplerOf(sampler, ratio),
      spanProcessors: [new BatchSpanProcessor({ exporter: this.#exporter })]
    })
  }

  /**
   * Begins the span of a request, in the trace of its `traceparent` if it has one (https://www.w3.org/TR/trace-context/).
   *
   * @param elapsed for how long the request has been here, in ms
   */
  begin (request: FastifyRequest, elapsed: number): RequestTrace {
    const parent = this.#propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
    return new RequestSpan(this.#provider.getTracer('letterbox'), parent, request, elapsed, this.#epochNow())
  }

  /** Sends what there is still to send, if that can be done in time. */
  async close (): Promise<void> {
    if (await inTime(this.#provider.shutdown()) || this.#exporter.isFailing) return
    this.#log.warn('the collector did not take the last spans in time: they are lost')
  }

  /** When the clock was 0, in ms since 1970. As long as nobody sets the time it stays, so that a commit is at one moment in all its traces. */
  #epochNow (): number {
    const epoch = Date.now() - now()
    if (Math.abs(epoch - this.#epoch) > TIME_SET) this.#epoch = epoch
    return this.#epoch
  }
}

/** Tells the log once when the collector takes no more spans, and once when it does again. The SDK would tell of each attempt. */
class ToldExporter implements SpanExporter {
  isFailing = false
  readonly #exporter: OTLPTraceExporter
  readonly #log: FastifyBaseLogger

  constructor (url: string, log: FastifyBaseLogger) {
    this.#exporter = new OTLPTraceExporter({ url })
    this.#log = log
  }

  export (spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, ({ code, error }) => {
      const isFailing = code !== ExportResultCode.SUCCESS
      if (isFailing && !this.isFailing) this.#log.warn({ error: reasonOf(error) }, 'the collector does not take spans: they are dropped until it does')
      if (!isFailing && this.isFailing) this.#log.info('the collector takes spans again')
      this.isFailing = isFailing
      done({ code: ExportResultCode.SUCCESS })
    })
  }

  forceFlush (): Promise<void> {
    return this.#exporter.forceFlush()
  }

  shutdown (): Promise<void> {
    return this.#exporter.shutdown()
  }
}

/** A host of several addresses, none of which answers, is an error without a message. */
function reasonOf (error: Error | undefined): string | undefined {
  return error?.message || (error as NodeJS.ErrnoException | undefined)?.code
}

function samplerOf (name: TracingConfig['sampler'], ratio: number): Sampler {
  const root = name.endsWith('always_on') ? new AlwaysOnSampler() : name.endsWith('always_off') ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio)
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

/** Whether it is done within {@link LAST_TIMEOUT}. */
function inTime (work: Promise<void>): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, LAST_TIMEOUT, false)
    work.then(() => resolve(true), () => resolve(false)).finally(() => clearTimeout(timer))
  })
}
