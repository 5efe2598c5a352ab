import t from 'tap'
import { newRequestId } from '../../plugins/request-id.ts'
import { buildApp, delivery, listen, message } from '../helper.ts'
import { exchange } from '../wire.ts'

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

t.test('every answer has an id, and its log line has the same', async t => {
  const { app, requestLines } = await buildApp(t)
  const requests = [
    '/messages', '/messages?limit=x', '/messages/none', '/stats', '/metrics', '/health/live', '/health/ready', '/openapi.json', '/docs', '/docs/',
    '/docs/static/index.html', '/nowhere', '/%', delivery(message()), delivery('{'), delivery(message(), { 'x-signature': '' }),
    delivery(message(), { 'content-type': 'text/plain' }), delivery('x'.repeat(1_048_577))
  ]
  const given = new Set<unknown>()
  for (const request of requests) {
    const { headers } = await app.inject(request)
    t.match(headers['x-request-id'], UUID)
    t.equal(requestLines().at(-1)?.['request_id'], headers['x-request-id'])
    given.add(headers['x-request-id'])
  }
  t.equal(given.size, requests.length)
  t.equal(requestLines().length, requests.length)
})

t.test('a sane incoming id is taken over', async t => {
  const { app, requestLines } = await buildApp(t)
  for (const id of ['a', '0', 'x'.repeat(128), '7d793037-a076-4f3b-8c1e-0f2a7d1b9e11', 'Root=1-67891233-abcdef', 'a.b_c:d/e@f-g']) {
    const { headers } = await app.inject({ url: '/nowhere', headers: { 'x-request-id': id } })
    t.equal(headers['x-request-id'], id)
    t.equal(requestLines().at(-1)?.['request_id'], id)
  }
})

t.test('any other is replaced', async t => {
  const { app } = await buildApp(t)
  for (const id of ['', ' ', 'a b', 'x'.repeat(129), 'a,b', 'a;b', '"a"', '<script>', '{"a":1}', 'a\tb', '$(id)', '%0a']) {
    const { headers } = await app.inject({ url: '/nowhere', headers: { 'x-request-id': id } })
    t.match(headers['x-request-id'], UUID, JSON.stringify(id))
  }
})

t.test('bytes that are not ASCII, and an id that is there twice, are replaced', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  for (const lines of ['X-Request-Id: \u00e9', 'X-Request-Id: a\u0080', 'X-Request-Id: a\r\nX-Request-Id: b']) {
    const [answer] = await exchange(port, `GET /stats HTTP/1.1\r\nHost: x\r\n${lines}\r\nConnection: close\r\n\r\n`)
    t.match(answer?.headers['x-request-id'], UUID)
  }
})

t.test('a new id is a UUID of its own', t => {
  const [one, other] = [newRequestId({ headers: {} }), newRequestId({ headers: {} })]
  t.match(one, UUID)
  t.not(one, other)
  t.end()
})
