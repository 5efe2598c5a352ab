import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { Arrival } from '../../src/message.ts'
import { buildApp, deliver, delivery, get, listen, message, rowsStored, type TestApp } from '../helper.ts'

const KEY = 'a-key-that-is-long-enough'
const authorization = { authorization: `Bearer ${KEY}` }

const withKeys = (t: Test): Promise<TestApp> => buildApp(t, { API_KEYS: `clerk:${KEY}` })

async function del (app: FastifyInstance, url: string, headers: Record<string, string> = authorization) {
  const { statusCode, body } = await app.inject({ method: 'DELETE', url, headers })
  return { status: statusCode, body: JSON.parse(body) }
}

t.test('one message is deleted, and does not come back', async t => {
  const { app, requestLines } = await withKeys(t)
  await deliver(t, app, message(), message({ message_id: 'm2' }), message({ message_id: 'ü/ ', text: 'private' }))
  t.strictSame(await del(app, '/messages/m1'), { status: 200, body: { deleted: 1 } })
  t.strictSame(await del(app, '/messages/m1'), { status: 404, body: { detail: 'no message has this id' } })
  t.strictSame(await del(app, `/messages/${encodeURIComponent('ü/ ')}`), { status: 200, body: { deleted: 1 } })
  await deliver(t, app, message())
  t.equal((await app.inject({ url: '/messages/m1', headers: authorization })).statusCode, 404)
  t.equal(await rowsStored(t), 1)
  t.match(requestLines().filter(({ method }) => method === 'DELETE'), [
    { api_key: 'clerk', status: 200, deleted: 1 }, { api_key: 'clerk', status: 404, deleted: 0 }, { api_key: 'clerk', status: 200, deleted: 1 }
  ])
  t.match(requestLines().filter(({ path }) => path === '/webhook').at(-1), { dup: true, result: 'duplicate' })
  t.notMatch(JSON.stringify(requestLines()), 'private')
})

t.test('all messages of a sender are deleted, and of nobody else', async t => {
  const { app, requestLines } = await withKeys(t)
  await app.messages.saveAll(Array.from({ length: 1300 }, (_, index) => message({ message_id: `m${index}`, from: `+${index % 2}` }) as Arrival), [])
  t.strictSame(await del(app, '/messages?from=+1'), { status: 200, body: { deleted: 650 } })
  t.strictSame(await del(app, '/messages?from=%2B1'), { status: 200, body: { deleted: 0 } })
  t.match(JSON.parse((await app.inject({ url: '/stats', headers: authorization })).body), { total_messages: 650, senders_count: 1 })
  t.match(requestLines()[0], { method: 'DELETE', path: '/messages', api_key: 'clerk', deleted: 650 })
  t.notMatch(JSON.stringify(requestLines()), '+1')
})

t.test('whose messages must be said, and nothing else: a filter that was ignored would delete too much', async t => {
  const { app } = await withKeys(t)
  await deliver(t, app, message())
  for (const query of ['', '?', '?q=x', '?since=2025-01-01T00:00:00Z', '?from=+919876543210&until=2020-01-01T00:00:00Z', '?from=+919876543210&q=x', '?from=+1&from=+919876543210']) {
    t.equal((await del(app, `/messages${query}`)).status, 422, query)
  }
  t.equal(await rowsStored(t), 1)
})

t.test('nobody deletes without a key, and nobody at all where there are no keys', async t => {
  const { app } = await withKeys(t)
  await deliver(t, app, message())
  for (const url of ['/messages/m1', '/messages?from=+919876543210']) {
    t.equal((await del(app, url, {})).status, 401)
    t.equal((await del(app, url, { authorization: 'Bearer wrong' })).status, 401)
  }
  t.equal(await rowsStored(t), 1)
})

t.test('without API_KEYS it is forbidden', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  for (const url of ['/messages/m1', '/messages?from=+919876543210', '/messages']) {
    t.strictSame(await del(app, url), { status: 403, body: { detail: 'API_KEYS is not set, and deleting needs an API key' } })
  }
  t.equal((await get(app, '/messages/m1')).status, 200)
})

t.test('a store that cannot do it is a 503', async t => {
  const { app } = await withKeys(t)
  await app.messages.close()
  for (const url of ['/messages/m1', '/messages?from=+1']) t.equal((await del(app, url)).status, 503)
})

t.test('what was begun is finished, also when the client goes away, and the log says so', async t => {
  const { app, lines } = await withKeys(t)
  const { url } = await listen(app)
  for (let part = 0; part < 8; part++) await app.messages.saveAll(Array.from({ length: 1000 }, (_, index) => message({ message_id: `${part} ${index}` }) as Arrival), [])
  const asked = request(`${url}/messages?from=%2B919876543210`, { method: 'DELETE', headers: authorization, agent: false }).on('error', () => {}).end()
  await once(asked, 'finish')
  while (await app.messages.count() === 8000) await delay(1)
  asked.destroy()
  const finished = () => lines.find(({ msg }) => msg === 'a deletion was finished without its client')
  while (finished() === undefined) await delay(10)
  t.match(finished(), { level: 'info', api_key: 'clerk', deleted: 8000 })
  t.equal(await app.messages.count(), 0)
  t.equal((await app.inject(delivery(message({ message_id: '0 0' })))).statusCode, 200)
  t.equal(await app.messages.count(), 0)
})

/** One message of a sender in a database that another program has locked: no removal goes on before `unlock`. */
async function locked (t: Test) {
  const file = join(t.testdir(), 'locked.db')
  const built = await buildApp(t, { API_KEYS: `clerk:${KEY}`, DATABASE_URL: `sqlite:///${file}` })
  await deliver(t, built.app, message())
  // What production allows a connection to be silent for, made short.
  built.app.server.setTimeout(150)
  const { url } = await listen(built.app)
  const other = new Database(file)
  other.exec('BEGIN IMMEDIATE')
  return { ...built, address: `${url}/messages?from=%2B919876543210`, unlock: () => { other.close() } }
}

t.test('it is answered when it is done, however long that takes', async t => {
  const { address, unlock } = await locked(t)
  const asked = fetch(address, { method: 'DELETE', headers: authorization })
  await delay(400)
  unlock()
  t.strictSame(await (await asked).json(), { deleted: 1 })
})

t.test('what fails when the client has gone away is told by the log all the same', async t => {
  const { app, lines, address, unlock } = await locked(t)
  const asked = request(address, { method: 'DELETE', headers: authorization, agent: false }).on('error', () => {}).end()
  await once(asked, 'finish')
  while (![...app.connections.values()].some(Boolean)) await delay(1)
  asked.destroy()
  const line = (path: object) => lines.find(each => Object.entries(path).every(([name, value]) => each[name] === value))
  while (line({ method: 'DELETE', status: 499 }) === undefined) await delay(1)
  await Promise.all([app.messages.close(), delay(50, undefined).then(unlock)])
  while (line({ msg: 'a deletion failed without its client' }) === undefined) await delay(1)
  t.match(line({ msg: 'a deletion failed without its client' }), { level: 'error', api_key: 'clerk', deleted: Number, error: /closed/ })
})

t.test('what is answered is documented, with keys and without', async t => {
  for (const [keys, statuses] of [[true, ['200', '401', '404', '422', '503']], [false, ['403']]] as const) {
    const { app } = keys ? await withKeys(t) : await buildApp(t)
    const { paths } = (await get<{ paths: Record<string, { delete: { responses: object } }> }>(app, '/openapi.json')).body
    const documented = ['/messages', '/messages/{message_id}'].flatMap(path => Object.keys(paths[path]?.delete.responses ?? {}))
    t.strictSame([...new Set(documented)].filter(status => !['400', '408', '431'].includes(status)).sort(), statuses)
  }
})
