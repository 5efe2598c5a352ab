import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { buildApp, deliver, delivery, get, getMessage, listen, message, rowsStored, SECRET } from '../helper.ts'
import { sign } from '../../src/signature/hmac.ts'

const OK = '{"status":"ok"}'

/** The body of an answer, which must be a 200. */
async function taken (t: Test, app: FastifyInstance, body: unknown): Promise<string> {
  const response = await app.inject(delivery(body))
  t.equal(response.statusCode, 200, response.body)
  return response.body
}

t.test('a new message is answered ok and is on disk before the answer', async t => {
  const { app } = await buildApp(t)
  const response = await app.inject(delivery(message()))
  t.equal(await rowsStored(t), 1)
  t.equal(response.statusCode, 200)
  t.equal(response.body, OK)
  t.match(response.headers['content-type'], /^application\/json/)
  t.strictSame(await getMessage(app, '/messages/m1'), message())
})

t.test('a known message_id is answered ok, and the first delivery stays as it was', async t => {
  const { app } = await buildApp(t)
  t.equal(await taken(t, app, message()), OK)
  t.equal(await taken(t, app, message()), OK)
  t.equal(await taken(t, app, message({ from: '+1', to: '+2', ts: '2000-01-01T00:00:00Z', text: null })), OK)
  t.equal(await rowsStored(t), 1)
  t.strictSame(await getMessage(app, '/messages/m1'), message())
})

t.test('ids that differ in case, spaces or normalisation are different ids', async t => {
  const { app } = await buildApp(t)
  const ids = ['a', 'A', ' a', 'a ', 'a\n', 'é', 'e\u0301', ' ', '00', '0']
  await deliver(t, app, ...ids.map(id => message({ message_id: id })))
  t.equal(await rowsStored(t), ids.length)
  for (const id of ids) {
    t.equal((await get(app, `/messages/${encodeURIComponent(id)}`)).body['message_id'], id)
  }
})

for (const [name, text] of [['equal', () => 'Hello'], ['different', (n: number) => `Hello ${n}`]] as const) {
  t.test(`fifty deliveries of one id at once, with ${name} content, make one row and fifty 200s`, async t => {
    const { app } = await buildApp(t)
    const { url } = await listen(app)
    const statuses = await Promise.all(Array.from({ length: 50 }, async (_, n) => {
      const body = JSON.stringify(message({ text: text(n) }))
      const headers = { 'content-type': 'application/json', 'x-signature': sign(Buffer.from(body), SECRET) }
      const response = await fetch(`${url}/webhook`, { method: 'POST', headers, body })
      return [response.status, await response.text()]
    }))
    t.strictSame(statuses, statuses.map(() => [200, OK]))
    t.equal(await rowsStored(t), 1)
    t.match((await get(app, '/messages')).body, { total: 1 })
    t.match((await app.inject('/metrics')).body, /result="created"} 1\n.*result="duplicate"} 49\n/)
  })
}

t.test('fifty different messages at once are fifty rows', async t => {
  const { app } = await buildApp(t)
  await Promise.all(Array.from({ length: 50 }, (_, n) => taken(t, app, message({ message_id: `m${n}` }))))
  t.equal(await rowsStored(t), 50)
})

t.test('an absent text and a null text read back as null, an empty one as empty', async t => {
  const { app } = await buildApp(t)
  const { text: _, ...without } = message({ message_id: 'absent' })
  await deliver(t, app, without, message({ message_id: 'null', text: null }), message({ message_id: 'empty', text: '' }))
  t.equal((await get(app, '/messages/absent')).body['text'], null)
  t.equal((await get(app, '/messages/null')).body['text'], null)
  t.equal((await get(app, '/messages/empty')).body['text'], '')
})

t.test('a delivery signed with the previous secret is taken during a rotation', async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET_PREVIOUS: 'before' })
  const body = message()
  t.equal((await app.inject(delivery(body, {}, 'before'))).statusCode, 200)
  t.equal((await app.inject(delivery(body, {}, 'never'))).statusCode, 401)
})

t.test('only POST is taken', async t => {
  const { app } = await buildApp(t)
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'] as const) {
    t.equal((await app.inject({ ...delivery(message()), method })).statusCode, 404, method)
  }
  t.equal(await rowsStored(t), 0)
})
