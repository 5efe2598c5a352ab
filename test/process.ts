import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Agent, request, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { SECRETS } from '../src/secret-files.ts'
import { Environment } from '../src/environment.ts'
import { sign } from '../src/signature/hmac.ts'
import { SECRET, type LogLine } from './helper.ts'

const ROOT = join(import.meta.dirname, '..')
export const SERVER = join(ROOT, 'server.ts')
export const SEND = join(ROOT, 'scripts', 'send.ts')
export const MAKE_ENV = join(ROOT, 'scripts', 'make-env.ts')
export const COPY_STORE = join(ROOT, 'scripts', 'copy-store.ts')
export const EXPORT = join(ROOT, 'scripts', 'export.ts')
export const BACKUP = join(ROOT, 'scripts', 'backup.ts')

/** The variables of the service, which a child does not inherit from who runs the tests. */
const OWN: ReadonlySet<string> = new Set([...Object.keys(Environment.properties), ...SECRETS.map(name => `${name}_FILE`)])
const isOwn = (name: string): boolean => OWN.has(name) || name.startsWith('OTEL_')

export type Child = ChildProcessByStdio<null, Readable, Readable>

export type Env = Readonly<Record<string, string>>

export interface Exit { readonly code: number | null, readonly signal: NodeJS.Signals | null }

export interface Finished extends Exit { readonly stdout: string, readonly stderr: string }

export interface RunOptions {
  readonly env?: Env
  readonly args?: readonly string[]
  /** Arguments of Node.js itself. */
  readonly execArgv?: readonly string[]
}

/**
 * As `execArgv` it lets the coverage of a process count, under `npm run coverage`. Coverage is merged by offsets into the code
 * as it was loaded, so such a process needs the loaders of the test itself, which take seconds. Without it, and under
 * `npm test`, a process starts as in production.
 */
export const COVERED: readonly string[] = process.env['_TAPJS_PROCESSINFO_COVERAGE_'] === '0' ? [] : process.execArgv

/** https://nodejs.org/api/module.html#module-compile-cache, which processes that start elsewhere can find too. */
const { NODE_COMPILE_CACHE } = process.env
const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: resolve(ROOT, NODE_COMPILE_CACHE) }

/** Without coverage, a process is spared what tap puts into the environment of each: loaded in all its threads, that takes a tenth of a second. */
const [COMMAND = '', ...BEFORE] = process.env['_TAPJS_PROCESSINFO_COVERAGE_'] === '0' ? ['env', '-u', 'NODE_OPTIONS', process.execPath] : [process.execPath]

/** Starts a script of the project in `cwd`. It does not outlive the test. */
export function start (t: Test, script: string, cwd: string, { env = {}, args = [], execArgv = [] }: RunOptions = {}): Child {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOwn(name)))
  const coverage = COVERED.every(argument => execArgv.includes(argument)) ? {} : { _TAPJS_PROCESSINFO_COVERAGE_: '0' }
  const child = spawn(COMMAND, [...BEFORE, ...execArgv, script, ...args], {
    cwd, env: { ...inherited, ...COMPILED, ...coverage, ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  return child
}

/** Runs a script of the project to its end. */
export async function run (t: Test, script: string, cwd: string, options?: RunOptions): Promise<Finished> {
  const child = start(t, script, cwd, options)
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, code, signal }
}

export interface Service {
  readonly child: Child
  readonly url: string
  readonly port: number
  /** Every line of standard output so far. */
  readonly stdout: string[]
  readonly exited: Promise<Exit & { readonly stderr: string }>
  /** Resolves with the first line, past or to come, that has this msg. */
  logged (msg: string): Promise<LogLine>
  /** Sends a signal and waits for the end. */
  end (signal: NodeJS.Signals): Promise<Exit & { readonly stderr: string }>
}

/**
 * Starts the service with a secret on a free port, and waits until it listens. Its database is in `cwd`.
 *
 * @param knownUrl where it will listen, for a service that does not log it
 */
export async function serve (
  t: Test, cwd: string, env: Env = {}, execArgv: readonly string[] = [], knownUrl?: string
): Promise<Service> {
  const child = start(t, SERVER, cwd, { env: { WEBHOOK_SECRET: SECRET, PORT: '0', ...env }, execArgv })
  const stdout: string[] = []
  const waiting: { msg: string, resolve: (line: LogLine) => void }[] = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => {
    stdout.push(line)
    const parsed: LogLine = JSON.parse(line)
    for (const { msg, resolve } of waiting) if (String(parsed['msg']).startsWith(msg)) resolve(parsed)
  })
  const exited = Promise.all([once(child, 'close'), once(lines, 'close'), text(child.stderr)])
    .then(([[code, signal], , stderr]) => ({ code, signal, stderr }))

  const logged = (msg: string): Promise<LogLine> => new Promise((resolve, reject) => {
    const past = stdout.map((line): LogLine => JSON.parse(line)).find(line => String(line['msg']).startsWith(msg))
    if (past !== undefined) return resolve(past)
    waiting.push({ msg, resolve })
    exited.then(exit => reject(new Error(`ended before it logged ${msg}: ${JSON.stringify({ ...exit, stdout })}`)), reject)
  })

  const url = knownUrl ?? String((await logged('Server listening at'))['msg']).replace('Server listening at ', '')
  if (knownUrl !== undefined) await untilAccepted(url)
  return {
    child,
    url,
    port: Number(new URL(url).port),
    stdout,
    exited,
    logged,
    end: signal => {
      child.kill(signal)
      return exited
    }
  }
}

/** A refused connection is the only sign that a silent process does not listen yet. */
async function untilAccepted (url: string): Promise<void> {
  for (;;) {
    try {
      await ask(`${url}/health/live`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
      await delay(20)
    }
  }
}

export interface Answer { readonly status: number | undefined, readonly headers: IncomingMessage['headers'], readonly body: string }

export interface Question { readonly method?: string, readonly headers?: Env, readonly body?: string, readonly agent?: Agent }

/** One request, on a connection of its own unless an agent is given. */
export async function ask (
  url: string, { method = 'GET', headers = {}, body = '', agent = new Agent({ keepAlive: false }) }: Question = {}
): Promise<Answer> {
  const sent = request(url, { method, headers, agent }).end(body)
  const [response] = await once(sent, 'response') as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** Delivers a signed message. */
export function deliverTo (url: string, message: Record<string, unknown>, secret = SECRET, agent?: Agent): Promise<Answer> {
  const body = JSON.stringify(message)
  return ask(`${url}/webhook`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-signature': sign(Buffer.from(body), secret) }, body, ...agent && { agent }
  })
}

/** All messages of a service, by walking. */
export async function allMessages (url: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  let next: string | undefined = '/messages?limit=100'
  while (next !== undefined) {
    const { body, headers }: Answer = await ask(url + next)
    rows.push(...JSON.parse(body).data)
    next = /<(.*)>/.exec(String(headers['link'] ?? ''))?.[1]
  }
  return rows
}
