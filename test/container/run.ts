/**
 * `make test-container`: builds the image, runs compose.yaml and compose.scale.yaml on a port of their own and with volumes of
 * their own, tries each from outside, and takes all of it away again. It needs Docker with Compose.
 *
 * DOCKER_BUILD_FLAGS is added to `docker build`, for a network that needs it.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { ask, deliver, message, session } from './session.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const PROJECT = 'letterbox-test'
/** How long a stack may take until it is ready, in ms. PostgreSQL makes its files first. */
const START = 120_000
const DELIVERIES = 500

const secret = randomBytes(16).toString('hex')
const port = await freePort()
const url = `http://127.0.0.1:${port}`
const env = { ...process.env, WEBHOOK_SECRET: secret, POSTGRES_PASSWORD: randomBytes(16).toString('hex'), PUBLISHED_PORT: String(port), API_KEYS: '' }
// Compose is a plugin of the docker command, and was a program before.
const compose = spawnSync('docker', ['compose', 'version']).status === 0 ? ['docker', 'compose'] : ['docker-compose']

step('docker build')
run('docker', 'build', '--quiet', '--tag', 'letterbox', ...(process.env['DOCKER_BUILD_FLAGS'] ?? '').split(' ').filter(Boolean), '.')
await withStack('compose.yaml', alone)
await withStack('compose.scale.yaml', scaled)
step('ok')

async function alone (up: Stack): Promise<void> {
  await session(url, secret)
  const kept = message('+15550001')
  assert.equal((await deliver(url, kept, secret)).status, 200)

  const [container = ''] = up.containers('api')
  assert.notEqual(run('docker', 'exec', container, 'node', '-p', 'process.getuid()').trim(), '0', 'it runs as root')
  assert.throws(() => run('docker', 'exec', container, 'node', '-e', 'fs.writeFileSync("/app/x", "")'), /EROFS|EACCES/)
  for (const line of run('docker', 'logs', container).trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line)

  up.compose('restart', 'api')
  await ready()
  assert.equal((await ask(`${url}/messages/${kept['message_id']}`)).status, 200, 'a message is gone after a restart')
}

/** Kills one of the processes amid deliveries: a provider sees nothing of it. */
async function scaled (up: Stack): Promise<void> {
  await session(url, secret)
  const from = '+15550002'
  for (let number = 0; number < DELIVERIES; number++) {
    if (number === DELIVERIES / 2) run('docker', 'kill', up.containers('api')[0] ?? '')
    const { status, text } = await deliver(url, message(from), secret)
    assert.equal(status, 200, text)
  }
  assert.equal((await ask(`${url}/messages?limit=1&from=${encodeURIComponent(from)}`)).body['total'], DELIVERIES)
}

interface Stack {
  compose (...args: string[]): string
  containers (service: string): string[]
}

async function withStack (file: string, test: (stack: Stack) => Promise<void>): Promise<void> {
  const [command = '', ...words] = [...compose, '--project-name', PROJECT, '--file', file]
  const stack: Stack = {
    compose: (...args) => run(command, ...words, ...args),
    containers: service => stack.compose('ps', '--quiet', service).trim().split('\n')
  }
  try {
    step(`${file}: up`)
    stack.compose('up', '--detach')
    await ready()
    step(`${file}: test`)
    await test(stack)
  } catch (error) {
    console.error(stack.compose('logs', '--no-color', '--tail', '50'))
    throw error
  } finally {
    step(`${file}: down`)
    stack.compose('down', '--volumes', '--remove-orphans')
  }
}

async function ready (): Promise<void> {
  for (const end = performance.now() + START; ; await delay(500)) {
    const status = await ask(`${url}/health/ready`).then(answer => answer.status, () => 0)
    if (status === 200) return
    if (performance.now() > end) throw new Error(`it is not ready after ${START / 1000} s (${status})`)
  }
}

function run (command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: ROOT, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 })
}

function step (what: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${what}`)
}
