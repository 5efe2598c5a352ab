import { SpanKind, SpanStatusCode, TraceFlags, trace, type Attributes, type Context, type Span, type Tracer } from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'
import { now } from '../src/clock.ts'
import type { SaveCourse } from '../src/storage/message-store.ts'
import type { RequestTrace } from './tracing.ts'

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server, without what tells whom a request was about. */
export class RequestSpan implements RequestTrace {
  readonly #tracer: Tracer
  readonly #span: Span
  readonly #context: Context
  readonly #isSampled: boolean
  readonly #epoch: number

  /**
   * @param elapsed for how long the request has been here, in ms
   * @param epoch when the clock was 0, in ms since 1970
   */
  constructor (tracer: Tracer, parent: Context, { method, routeOptions: { url } }: FastifyRequest, elapsed: number, epoch: number) {
    this.#tracer = tracer
    this.#epoch = epoch
    this.#span = tracer.startSpan(url === undefined ? method : `${method} ${url}`, {
      kind: SpanKind.SERVER,
      startTime: this.#epoch + now() - elapsed,
      attributes: { 'http.request.method': method, ...url !== undefined && { 'http.route': url } }
    }, parent)
    this.#context = trace.setSpan(parent, this.#span)
    this.#isSampled = (this.#span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
  }

  get traceId (): string {
    return this.#span.spanContext().traceId
  }

  get spanId (): string {
    return this.#span.spanContext().spanId
  }

  begin (part: string): () => void {
    const begun = now()
    return () => this.#add(part, begun, now())
  }

  saved ({ accepted, begun, ended, rows, failed }: SaveCourse): void {
    this.#add('queue', accepted, begun)
    this.#add('commit', begun, ended, { 'letterbox.batch.size': rows }, failed)
  }

  end (status: number, failed: boolean): void {
    this.#span.setAttribute('http.response.status_code', status)
    // What a client did wrong is no error of this side.
    if (failed || status >= 500) this.#span.setStatus({ code: SpanStatusCode.ERROR })
    this.#span.end(this.#epoch + now())
  }

  /** Also after the end: a client can go away while its message is being stored. */
  #add (name: string, begun: number, ended: number, attributes: Attributes = {}, failed = false): void {
    if (!this.#isSampled) return
    const span = this.#tracer.startSpan(name, { startTime: this.#epoch + begun, attributes }, this.#context)
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(this.#epoch + ended)
  }
}
