/** A collector of OpenTelemetry's: takes OTLP over HTTP, as protobuf, and reads the spans in it. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

type Attributes = Record<string, unknown>

export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** '' for the first of a trace. */
  readonly parent: string
  readonly name: string
  /** https://opentelemetry.io/docs/specs/otel/trace/api/#spankind, from 1. */
  readonly kind: number
  /** ns since 1970. */
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Attributes
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number
  /** What else there is of it: events, links, a status in words. */
  readonly more: number
  readonly resource: Attributes
}

export interface Request { readonly url: string | undefined, readonly headers: IncomingHttpHeaders, readonly body: Buffer }

export interface Collector {
  readonly endpoint: string
  /** Everything that came, in its order. */
  readonly requests: Request[]
  readonly spans: Span[]
  /** The HTTP status of its answers; 0 leaves requests unanswered. */
  status: number
  /** Resolves when the next request has come. */
  next (): Promise<unknown>
}

/** Starts a collector, which is gone with the test. */
export async function startCollector (t: Test, status = 200): Promise<Collector> {
  const requests: Request[] = []
  const spans: Span[] = []
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    requests.push({ url: request.url, headers: request.headers, body })
    if (collector.status === 200) spans.push(...spansOf(body))
    if (collector.status !== 0) response.writeHead(collector.status).end()
    server.emit('taken')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const collector: Collector = { endpoint: `http://127.0.0.1:${port}`, requests, spans, status, next: () => once(server, 'taken') }
  return collector
}

/** A message of protobuf: the values of each field by its number. https://protobuf.dev/programming-guides/encoding/ */
type Fields = Map<number, (bigint | Buffer)[]>

function fieldsOf (message: Buffer): Fields {
  const fields: Fields = new Map()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const bytes = (length: number): Buffer => {
    at += length
    return message.subarray(at - length, at)
  }
  while (at < message.length) {
    const key = Number(varint())
    const type = key & 7
    if (![0, 1, 2, 5].includes(type)) throw new Error(`no type of protobuf: ${type}`)
    const value = type === 0 ? varint() : type === 1 ? bytes(8).readBigUInt64LE() : type === 5 ? bytes(4) : bytes(Number(varint()))
    fields.set(key >> 3, [...fields.get(key >> 3) ?? [], value])
  }
  return fields
}

const all = (fields: Fields, number: number): Buffer[] => (fields.get(number) ?? []) as Buffer[]
const one = (fields: Fields, number: number): Buffer => all(fields, number)[0] ?? Buffer.alloc(0)
const numeric = (fields: Fields, number: number): bigint => (fields.get(number)?.[0] ?? 0n) as bigint

/** https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/trace/v1/trace.proto */
function spansOf (request: Buffer): Span[] {
  return all(fieldsOf(request), 1).map(fieldsOf).flatMap(resourceSpans => all(resourceSpans, 2).map(fieldsOf).flatMap(scopeSpans =>
    all(scopeSpans, 2).map(fieldsOf).map(span => ({
      traceId: one(span, 1).toString('hex'),
      spanId: one(span, 2).toString('hex'),
      parent: one(span, 4).toString('hex'),
      name: one(span, 5).toString(),
      kind: Number(numeric(span, 6)),
      start: numeric(span, 7),
      end: numeric(span, 8),
      attributes: attributesOf(span, 9),
      status: Number(numeric(fieldsOf(one(span, 15)), 3)),
      more: all(span, 11).length + all(span, 13).length + one(fieldsOf(one(span, 15)), 2).length,
      resource: attributesOf(fieldsOf(one(resourceSpans, 1)), 1)
    }))))
}

/** Strings as such; of numbers, whole ones are all that is expected. */
function attributesOf (fields: Fields, number: number): Attributes {
  return Object.fromEntries(all(fields, number).map(fieldsOf).map(attribute => {
    const value = fieldsOf(one(attribute, 2))
    return [one(attribute, 1).toString(), value.has(1) ? one(value, 1).toString() : Number(numeric(value, 3))]
  }))
}
