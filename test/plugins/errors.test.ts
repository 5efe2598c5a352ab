import t from 'tap'
import Fastify from 'fastify'
import errors, { statusOf } from '../../plugins/errors.ts'
import validation from '../../plugins/validation.ts'
import { UnreadableBody } from '../../src/delivery.ts'
import { StoreUnavailable } from '../../src/storage/errors.ts'
import { buildApp, delivery, listen, message } from '../helper.ts'
import { exchange } from '../wire.ts'

const NOT_FOUND = '{"detail":"not found"}'

t.test('an unknown path is 404, for every method', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/console', '/nowhere', '/messages/a/b', '/webhook/', '/stats/', '/health', '/health/x', '/Messages', '//', '/messages;x', '/%', '/%FF']) {
    for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'] as const) {
      const { statusCode, body, headers } = await app.inject({ method, url })
      t.equal(statusCode, 404, `${method} ${url}`)
      t.equal(body, NOT_FOUND)
      t.match(headers['content-type'], /^application\/json/)
    }
  }
})

t.test('an unknown path is 404 whatever body and Content-Type come with it', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  for (const type of ['application/json', 'text/plain', '???', '']) {
    const answers = await exchange(port, `POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{`)
    t.match(answers, [{ status: 404, body: NOT_FOUND }], type)
  }
})

t.test('a known path with another method is 404', async t => {
  const { app } = await buildApp(t)
  for (const [method, url] of [['GET', '/webhook'], ['POST', '/messages'], ['PUT', '/messages/m1'], ['POST', '/stats'], ['POST', '/metrics'], ['POST', '/'], ['POST', '/console/main.js']] as const) {
    const { statusCode, body } = await app.inject({ method, url })
    t.equal(statusCode, 404)
    t.equal(body, NOT_FOUND)
  }
})

t.test('a store that fails is 503 outside, and the cause is in the log line that the request id leads to', async t => {
  const { app, requestLines } = await buildApp(t)
  await app.messages.close()
  for (const request of [{ url: '/messages' }, { url: '/messages/m1' }, { url: '/stats' }, delivery(message())]) {
    const { statusCode, body, headers } = await app.inject(request)
    t.equal(statusCode, 503)
    t.equal(body, '{"detail":"the service cannot do this now, try again"}')
    const line = requestLines().at(-1)
    t.match(line, { request_id: headers['x-request-id'], level: 'error', status: 503, error: 'the store is closed' })
  }
})

t.test('an error that nobody foresaw is 500 that says nothing, and is kept for the log line', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(validation)
  await app.register(errors)
  const failures: (Error | null)[] = []
  app.addHook('onResponse', async ({ failure }) => { failures.push(failure) })
  const thrown = [new Error('inside'), Object.assign(new Error('inside'), { statusCode: 502 })]
  for (const [n, error] of thrown.entries()) app.get(`/${n}`, () => { throw error })
  app.get('/input', () => { throw Object.assign(new Error(), { validation: [{ message: 'must be odd' }] }) })
  t.equal((await app.inject('/input')).body, '{"detail":"input must be odd","errors":[{"path":"","message":"must be odd"}]}')
  failures.pop()
  for (const n of thrown.keys()) {
    const { statusCode, body } = await app.inject(`/${n}`)
    t.equal(statusCode, 500)
    t.equal(body, '{"detail":"internal error"}')
  }
  t.strictSame(failures, thrown)
})

t.test('statusOf takes over a status below 500 and makes 500 of every other', t => {
  t.equal(statusOf(new Error('x')), 500)
  t.equal(statusOf(Object.assign(new Error('x'), { statusCode: 404 })), 404)
  t.equal(statusOf(Object.assign(new Error('x'), { statusCode: 503 })), 500)
  t.equal(statusOf(Object.assign(new Error('x'), { validation: [] })), 422)
  t.equal(statusOf(new UnreadableBody('must be JSON')), 422)
  t.equal(statusOf(new StoreUnavailable('x')), 503)
  t.end()
})
