import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import connectionLimit from '../../plugins/connection-limit.ts'
import { buildApp, closed, listen, message, type TestApp } from '../helper.ts'
import { allMessages, ask, deliverTo, serve } from '../process.ts'
import { untilResolved } from '../src/storage/inspect.ts'
import { post } from '../wire.ts'

const ALIVE = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'

/** Opens a connection that is gone with the test. */
async function client (t: Test, port: number): Promise<Socket> {
  const socket = newcomer(t, port)
  await once(socket, 'connect')
  return socket
}

/** Opens one that may be refused. */
function newcomer (t: Test, port: number): Socket {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1').on('error', () => {})
  t.teardown(() => socket.destroy())
  return socket
}

async function answer (socket: Socket, request: string | Buffer = ALIVE): Promise<string> {
  socket.write(request)
  const [received] = await once(socket, 'data')
  return received
}

/** What comes until the server closes the connection. */
async function refused (t: Test, port: number): Promise<string> {
  const socket = newcomer(t, port)
  let received = ''
  socket.on('data', data => { received += data })
  await closed(socket)
  return received
}

const warnings = ({ lines }: TestApp): unknown[] => lines.filter(({ level }) => level === 'warn')

t.test('connections beyond MAX_CONNECTIONS are closed at once, those that are open go on', async t => {
  const service = await buildApp(t, { MAX_CONNECTIONS: '3' })
  const { port } = await listen(service.app)
  const clients = [await client(t, port), await client(t, port), await client(t, port)]
  for (const socket of clients) t.match(await answer(socket), /^HTTP\/1\.1 200 /)

  for (let count = 0; count < 5; count++) t.equal(await refused(t, port), '')
  for (const [index, socket] of clients.entries()) t.match(await answer(socket, post(JSON.stringify(message({ message_id: `m${index}` })))), /^HTTP\/1\.1 200 /)
  t.match((await service.app.inject('/metrics')).body, /^connections_open 3\n(?:#.*\n)+connections_refused_total 5$/m)
  t.strictSame(warnings(service).map(({ ts: _, ...line }: any) => line), [
    { level: 'warn', connections: 3, msg: 'no more connections than these are taken: further ones are refused' }
  ], 'it is told once')

  clients[0]?.destroy()
  await untilResolved(async () => { if (service.app.connections.size > 2) throw new Error('not yet') })
  t.match(await answer(await client(t, port)), /^HTTP\/1\.1 200 /, 'there is room again')
  t.equal(await refused(t, port), '')
})

t.test('a thousand that stay connected fit into the default, and are all answered', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const clients = await Promise.all(Array.from({ length: 1000 }, () => client(t, port)))
  const answers = await Promise.all(clients.map(socket => answer(socket)))
  t.equal(answers.filter(text => text.startsWith('HTTP/1.1 200 ')).length, 1000)
  t.match((await app.inject('/metrics')).body, /^connections_refused_total 0$/m)
})

t.test('where the process may open fewer files, fewer connections are taken, and the log says so', async t => {
  for (const [descriptors, expected] of [[1024, 888], [100, 1], [5000, 4096]] as const) {
    const lines: string[] = []
    const app = Fastify({ logger: { level: 'warn', stream: { write: line => { lines.push(JSON.parse(line)) } } } })
    await app.register(connectionLimit, { max: 4096, databaseConnections: 8, descriptors })
    t.equal(app.server.maxConnections, expected)
    t.match(lines, expected === 4096 ? [] : [{ connections: expected, files: descriptors, msg: /^fewer connections than MAX_CONNECTIONS/ }])
    t.equal(lines.length, expected === 4096 ? 0 : 1)
    await app.close()
  }
})

const run = promisify(execFile)
const available = await run('prlimit', ['--version']).then(() => true, () => false)

t.test('a process that has no file left goes on with what it has, and recovers by itself', {
  skip: available ? false : 'there is no prlimit'
}, async t => {
  const service = await serve(t, t.testdir())
  const socket = await client(t, service.port)
  const others = await Promise.all([client(t, service.port), client(t, service.port)])
  t.match(await answer(socket, post(JSON.stringify(message({ message_id: 'before' })))), /^HTTP\/1\.1 200 /)
  const files = readdirSync(`/proc/${service.child.pid}/fd`).map(Number)
  // A limit on numbers: there is room behind the last one, and where some were closed before.
  const limit = Math.max(...files) + 9
  const room = limit - files.length
  await run('prlimit', [`--pid=${service.child.pid}`, `--nofile=${limit}:`])

  const crowd = Array.from({ length: room + 50 }, () => newcomer(t, service.port))
  const open = new Set(crowd)
  for (const each of crowd) each.on('close', () => open.delete(each)).resume()
  await untilResolved(async () => { if (open.size > room) throw new Error('not yet') })
  t.match(await answer(socket, post(JSON.stringify(message({ message_id: 'meanwhile' })))), /^HTTP\/1\.1 200 /)
  // Threads that open the database for their first read cannot, nor can one more thread begin where several searches come at once.
  const search = '/messages?q=hello&since=2025-01-01T00:00:00Z'
  for (let count = 0; count < 4; count++) {
    for (const text of await Promise.all([socket, ...others].map(each => answer(each, `GET ${search} HTTP/1.1\r\nHost: x\r\n\r\n`)))) {
      t.match(text, /^HTTP\/1\.1 (?:200|503) /)
    }
  }

  for (const each of crowd) each.destroy()
  await untilResolved(async () => { await ask(`${service.url}/health/live`) })
  t.equal((await deliverTo(service.url, message({ message_id: 'after' }))).status, 200)
  for (let count = 0; count < 4; count++) t.equal((await ask(service.url + search)).status, 200)
  t.strictSame((await allMessages(service.url)).map(row => row['message_id']), ['after', 'before', 'meanwhile'])
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})
