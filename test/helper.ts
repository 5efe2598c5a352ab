import { once } from 'node:events'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { build } from '../app.ts'
import { loadConfig } from '../src/config.ts'
import { createLogger } from '../src/logger.ts'
import { sign } from '../src/signature/hmac.ts'

export const SECRET = 'testsecret'

/** Turns on every provider that is off by default. */
export const PROVIDERS = {
  STANDARD_WEBHOOKS_SECRET: 'whsec_c2VjcmV0',
  TWILIO_AUTH_TOKEN: 'token',
  PUBLIC_URL: 'https://hooks.example.com',
  WHATSAPP_APP_SECRET: 'app',
  WHATSAPP_VERIFY_TOKEN: 'token'
}

/** A log line, parsed. */
export type LogLine = Record<string, unknown>

export interface TestApp {
  readonly app: FastifyInstance
  /** Every line that was logged so far. */
  readonly lines: LogLine[]
  /** The lines of requests, without those of process events. */
  requestLines (): LogLine[]
}

/** A new, empty database, looked at past the service. */
export interface TestDatabase {
  readonly url: string
  /** How many messages are in it. */
  rows (): Promise<number>
}

/** Makes a database that is gone with the test. */
export type MakeDatabase = (t: Test) => Promise<TestDatabase>

let makeDatabase: MakeDatabase = async t => {
  const file = join(t.testdir(), 'test.db')
  return {
    url: `sqlite:///${file}`,
    rows: async () => {
      const database = new Database(file, { readonly: true })
      try {
        return database.prepare<[], number>('SELECT count(*) FROM messages').pluck().get() as number
      } finally {
        database.close()
      }
    }
  }
}
const databases = new WeakMap<Test, TestDatabase>()

/** From now on apps are built on databases of this kind. */
export function testOn (make: MakeDatabase): void {
  makeDatabase = make
}

/**
 * The service as production builds it, on a new database that is gone with the test.
 *
 * @param env overrides and adds to the environment
 */
export async function buildApp (t: Test, env: Record<string, string | undefined> = {}): Promise<TestApp> {
  const database = await makeDatabase(t)
  databases.set(t, database)
  const config = loadConfig({ WEBHOOK_SECRET: SECRET, DATABASE_URL: database.url, ...env })
  const lines: LogLine[] = []
  const app = await build(config, createLogger(config.logLevel, { write: line => { lines.push(JSON.parse(line)) } }))
  t.teardown(() => app.close())
  return { app, lines, requestLines: () => lines.filter(line => 'request_id' in line) }
}

/** Lets the app listen on a free port of the loopback interface. */
export async function listen (app: FastifyInstance): Promise<{ url: string, port: number }> {
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, port: (app.server.address() as AddressInfo).port }
}

/** A valid message; `fields` override it. */
export function message (fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { message_id: 'm1', from: '+919876543210', to: '+14155550100', ts: '2025-01-15T10:00:00Z', text: 'Hello', ...fields }
}

/** A signed POST /webhook for `inject`. A body that is no string or Buffer is sent as JSON. */
export function delivery (body: unknown, headers: Record<string, string> = {}, secret = SECRET): InjectOptions {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    method: 'POST',
    url: '/webhook',
    headers: { 'content-type': 'application/json', 'x-signature': sign(bytes, secret), ...headers },
    payload: bytes
  }
}

/** Delivers messages one after the other and checks that each was taken. */
export async function deliver (t: Test, app: FastifyInstance, ...messages: Record<string, unknown>[]): Promise<void> {
  for (const each of messages) {
    const { statusCode, body } = await app.inject(delivery(each))
    if (statusCode !== 200) t.fail('a delivery was refused', { statusCode, body })
  }
}

/** How many messages are in the database of {@link buildApp}, asked past the service. */
export async function rowsStored (t: Test): Promise<number> {
  const database = databases.get(t)
  if (database === undefined) throw new Error('no app was built in this test')
  return database.rows()
}

/** Resolves when so many messages wait for the store, which somebody keeps from taking them. */
export async function untilQueued (app: FastifyInstance, count: number): Promise<void> {
  let most = 0
  for (const end = performance.now() + 5000; most < count; await turn()) {
    most = Math.max(most, app.messages.queueDepth)
    if (performance.now() > end) throw new Error(`${most} messages waited for the store at most, where ${count} should`)
  }
}

/** GETs a path as JSON. */
export async function get<Body = Record<string, unknown>> (app: FastifyInstance, url: string): Promise<{ status: number, body: Body, headers: Record<string, unknown> }> {
  const response = await app.inject(url)
  return { status: response.statusCode, body: response.json<Body>(), headers: response.headers }
}

/** GETs one message, by its path, without how it came in. */
export async function getMessage (app: FastifyInstance, path: string): Promise<Record<string, unknown>> {
  return withoutOrigin((await get(app, path)).body)
}

/** The message of an answer that also says how it came in. */
export function withoutOrigin ({ source, type, received_at: receivedAt, raw, ...message }: Record<string, unknown>): Record<string, unknown> {
  return message
}

/** Resolves when `emitter` is closed. */
export async function closed (emitter: NodeJS.EventEmitter): Promise<void> {
  await once(emitter, 'close')
}
