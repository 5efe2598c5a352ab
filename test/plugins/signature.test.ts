/** The door itself, in an app of its own. Over HTTP it is tested in test/routes. */
import t from 'tap'
import Fastify from 'fastify'
import sensible from '@fastify/sensible'
import completion from '../../plugins/completion.ts'
import errors from '../../plugins/errors.ts'
import signature from '../../plugins/signature.ts'
import tracing from '../../plugins/tracing.ts'
import validation from '../../plugins/validation.ts'
import { plain } from '../../src/provider/plain.ts'
import { DEFAULT_SCHEME, hmacVerifier, sign } from '../../src/signature/hmac.ts'
import { buildApp, delivery, message } from '../helper.ts'

const SCHEME = { ...DEFAULT_SCHEME, header: 'x-seal' }

t.test('a scope that asks for signatures lets in signed bodies only, and leaves other scopes alone', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(sensible)
  await app.register(validation)
  await app.register(errors)
  await app.register(completion)
  await app.register(tracing, { collector: undefined })
  await app.register(signature)
  await app.register(async scope => {
    scope.requireSignature({ provider: plain, verify: hmacVerifier(SCHEME, ['key']), bodyLimit: 1000 })
    scope.post('/sealed', async request => ({ got: request.body, id: request.delivery?.messageId }))
  })
  app.post('/open', async request => ({ got: request.body, delivery: request.delivery }))

  const payload = '{"message_id":"a","__proto__":{"b":1}}'
  const headers = { 'content-type': 'application/json', 'x-seal': sign(Buffer.from(payload), 'key') }
  const sealed = await app.inject({ method: 'POST', url: '/sealed', payload, headers })
  t.equal(sealed.body, '{"got":{"message_id":"a"},"id":"a"}')
  const wrong = await app.inject({ method: 'POST', url: '/sealed', payload: `${payload} `, headers })
  t.equal(wrong.body, '{"detail":"invalid signature"}')
  const open = await app.inject({ method: 'POST', url: '/open', payload: '{"a":1}', headers: { 'content-type': 'application/json' } })
  t.equal(open.body, '{"got":{"a":1},"delivery":null}')
})

t.test('an error that nobody foresaw is a 503 in this scope, since only that makes the provider send again', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(sensible)
  await app.register(validation)
  await app.register(errors)
  await app.register(completion)
  await app.register(tracing, { collector: undefined })
  await app.register(signature)
  await app.register(async scope => {
    scope.requireSignature({ provider: plain, verify: hmacVerifier(SCHEME, ['key']), bodyLimit: 1000 })
    scope.post('/sealed', async () => { throw new Error('inside') })
  })
  const failures: (Error | null)[] = []
  app.addHook('onResponse', async ({ failure }) => { failures.push(failure) })
  const { statusCode, body, headers } = await app.inject({ method: 'POST', url: '/sealed', payload: '{}', headers: { 'x-seal': sign(Buffer.from('{}'), 'key') } })
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '1')
  t.equal(body, '{"detail":"the service cannot do this now, try again"}')
  t.match(failures, [{ message: 'an unforeseen error', cause: { message: 'inside' } }])
})

t.test('only the webhook asks for signatures', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/messages', '/stats', '/metrics', '/health/live', '/openapi.json', '/docs/']) {
    t.equal((await app.inject({ ...delivery(message(), { 'x-signature': 'x' }), method: 'GET', url })).statusCode, 200, url)
  }
})
