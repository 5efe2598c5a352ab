/** The order of judgement: each pair of neighbours by an input that fails both. */
import t from 'tap'
import type { InjectOptions } from 'fastify'
import { buildApp, deliver, delivery, message, rowsStored } from '../helper.ts'

const REFUSED = '{"detail":"invalid signature"}'
const LIMIT = 1_048_576
const tooLarge = Buffer.alloc(LIMIT + 1, 'x')

/** A POST without a signature. */
function unsigned (payload: string | Buffer | undefined, headers: Record<string, string> = {}): InjectOptions {
  return { method: 'POST', url: '/webhook', headers, ...payload !== undefined && { payload } }
}

for (const secret of [undefined, '']) {
  t.test(`without a secret (${JSON.stringify(secret)}) everything is 503, too large or unsigned or right`, async t => {
    const { app } = await buildApp(t, { WEBHOOK_SECRET: secret, WEBHOOK_SECRET_PREVIOUS: 'testsecret' })
    const valid = delivery(message())
    for (const request of [
      delivery(tooLarge), unsigned(tooLarge), unsigned(undefined), valid, delivery(message(), {}, ''), delivery('{'),
      delivery(message(), { 'content-type': 'text/plain' }), unsigned('x', { 'content-type': '???' })
    ]) {
      const { statusCode, body, headers } = await app.inject(request)
      t.equal(statusCode, 503)
      t.equal(body, '{"detail":"the service cannot do this now, try again"}')
      t.equal(headers['retry-after'], '1')
    }
    t.equal(await rowsStored(t), 0)
  })
}

t.test('a body over the limit is 413 before its signature and its type are judged', async t => {
  const { app } = await buildApp(t)
  for (const request of [
    unsigned(tooLarge), delivery(tooLarge, { 'content-type': 'text/plain' }), delivery(tooLarge, {}, 'wrong'),
    unsigned(tooLarge, { 'content-type': '???' })
  ]) {
    const { statusCode, body } = await app.inject(request)
    t.equal(statusCode, 413)
    t.equal(body, '{"detail":"the body is too large"}')
  }
})

t.test('a body of exactly the limit is judged by its signature', async t => {
  const { app } = await buildApp(t)
  const { statusCode, body } = await app.inject(unsigned(Buffer.alloc(LIMIT, 'x')))
  t.equal(statusCode, 401)
  t.equal(body, REFUSED)
})

t.test('without a right signature it is 401, whatever the body and its type', async t => {
  const { app } = await buildApp(t)
  const json = JSON.stringify(message())
  const requests: Record<string, InjectOptions> = {
    'no body and no type': unsigned(undefined),
    'no body': unsigned(undefined, { 'content-type': 'application/json' }),
    'an empty body': unsigned('', { 'content-length': '0' }),
    'a right body': unsigned(json, { 'content-type': 'application/json' }),
    'no type': unsigned(json),
    'text/plain': unsigned(json, { 'content-type': 'text/plain' }),
    'a form': unsigned('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    'a type that is none': unsigned(json, { 'content-type': '???' }),
    'an empty type': unsigned(json, { 'content-type': '' }),
    'broken JSON': unsigned('{"message_id":', { 'content-type': 'application/json' }),
    'broken JSON and text/plain': unsigned('{', { 'content-type': 'text/plain' }),
    'not UTF-8': unsigned(Buffer.from([0xff, 0xfe]), { 'content-type': 'application/json' }),
    'a prototype': unsigned('{"__proto__":{"message_id":"m1"}}', { 'content-type': 'application/json' }),
    'against the schema': unsigned('{}', { 'content-type': 'application/json' })
  }
  for (const [name, request] of Object.entries(requests)) {
    const { statusCode, body, headers } = await app.inject(request)
    t.equal(statusCode, 401, name)
    t.equal(body, REFUSED, name)
    t.match(headers['content-type'], /^application\/json/, name)
  }
  t.equal(await rowsStored(t), 0)
})

t.test('a signed body of another type is 415 before it is parsed', async t => {
  const { app } = await buildApp(t)
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data', '???', 'application/jsonp', 'json', 'text/json', 'application/json, text/plain']) {
    for (const body of [message(), '{', '', Buffer.from([0xff])]) {
      const response = await app.inject(delivery(body, { 'content-type': type }))
      t.equal(response.statusCode, 415, type)
      t.equal(response.body, '{"detail":"the Content-Type must be application/json or application/*+json"}')
    }
  }
  t.equal(await rowsStored(t), 0)
})

t.test('JSON types pass in any letter case, with any parameters, and so does none at all', async t => {
  const { app } = await buildApp(t)
  const types = [
    'application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application/json;charset="x;y"; v=1',
    'application/cloudevents+json', 'Application/Vnd.Api+JSON; a=b', 'application/json ;charset=utf-8'
  ]
  for (const [n, type] of types.entries()) {
    t.equal((await app.inject(delivery(message({ message_id: `${n}` }), { 'content-type': type }))).statusCode, 200, type)
  }
  const { headers: { 'content-type': _, ...headers } = {}, ...rest } = delivery(message({ message_id: 'none' }))
  t.equal((await app.inject({ ...rest, headers })).statusCode, 200)
  t.equal(await rowsStored(t), types.length + 1)
})

t.test('a body against the schema is 422 even when the store cannot take any', async t => {
  const { app } = await buildApp(t)
  await app.messages.close()
  for (const body of ['{', '[]', message({ ts: 'x' })]) t.equal((await app.inject(delivery(body))).statusCode, 422)
})

t.test('a store that is closed is 503 with Retry-After, for new and known ids', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  await app.messages.close()
  for (const id of ['m1', 'm2']) {
    const { statusCode, headers, body } = await app.inject(delivery(message({ message_id: id })))
    t.equal(statusCode, 503)
    t.match(headers['retry-after'], /^[1-9]\d*$/)
    t.equal(body, '{"detail":"the service cannot do this now, try again"}')
  }
})
