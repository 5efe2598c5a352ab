/** GET /messages/{message_id}. */
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { buildApp, deliver, getMessage, listen, message, withoutOrigin } from '../helper.ts'
import { exchange, type Answer } from '../wire.ts'

/** GETs a request target as it is: `inject` would resolve dots and the like. */
async function getRaw (port: number, target: string): Promise<Answer | undefined> {
  const [answer] = await exchange(port, `GET ${target} HTTP/1.1\r\nHost: letterbox\r\nConnection: close\r\n\r\n`)
  return answer
}

t.test('a message is the row and how it came in, and an unknown id is 404', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  const found = await app.inject('/messages/m1')
  t.equal(found.statusCode, 200)
  t.match(found.body, /^{"message_id":"m1","from":"\+919876543210","to":"\+14155550100","ts":"2025-01-15T10:00:00Z","text":"Hello","source":"webhook","type":null,"received_at":"[^"]+","raw":null}$/)
  for (const id of ['m2', 'M1', 'm1%20', '%20m1', 'm', 'm11', 'm1%00', 'm1%0A', 'm%']) {
    const { statusCode, body, headers } = await app.inject(`/messages/${id}`)
    t.equal(statusCode, 404, id)
    t.match(headers['content-type'], /^application\/json/)
    t.match(body, /^{"detail":"[^"]+"}$/)
  }
})

t.test('a query string does not matter', async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  for (const query of ['?', '?limit=0', '?message_id=m2', '?%']) t.strictSame(await getMessage(app, `/messages/m1${query}`), message())
})

t.test('every id can be reached, percent-encoded', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const ids = [
    'a/b', '/', '//', '/messages/m1', 'a%2Fb', '%', '%25', '%2525', '100%', '%41', ' ', 'a b', 'a+b', '+', '?', 'a?b=c', '#', 'a#b', '&', ';', 'a;b',
    ':', ':message_id', '*', '.', '..', '../stats', './x', '...', '~', '\\', '"', "'", '<>', '\n', '\r\n', '\t', '\u0001', '\u007f', '\u00a0', '\u2028',
    'é', 'e\u0301', '\ufffd', '\ufeff', '😀', 'stats', 'null', 'undefined', '__proto__', 'constructor', '0', 'x'.repeat(600), '😀'.repeat(600), '/'.repeat(600)
  ]
  await deliver(t, app, ...ids.map(id => message({ message_id: id })))
  for (const id of ids) {
    const encoded = encodeURIComponent(id).replaceAll('.', '%2E')
    const answer = await getRaw(port, `/messages/${encoded}`)
    t.equal(answer?.status, 200, encoded.slice(0, 40))
    t.strictSame(withoutOrigin(JSON.parse(answer?.body ?? '{}')), message({ message_id: id }), encoded.slice(0, 40))
  }
})

t.test('ids that need no escape can be written without', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const ids = ['.', '..', '+1', 'a;b', "it's", 'a:b@c', '*', ':id', '[x]', '"', '\\', '{}|^`']
  await deliver(t, app, ...ids.map(id => message({ message_id: id })))
  for (const id of ids) {
    t.match(await getRaw(port, `/messages/${id}`), { status: 200, body: `"message_id":${JSON.stringify(id)},` }, id)
  }
})

t.test('a path that names no id is 404', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  await deliver(t, app, message())
  for (const path of [
    '', 'm1/', 'm1/x', '/m1', '%', '%4', '%zz', '%FF', '%C3%28', '%E0%A4', '%ED%A0%80', 'm1%', 'm%C3', '%00', '..%2Fstats', '../stats', './m1',
    `${'x'.repeat(601)}`, 'x'.repeat(10_000), '%F0%9F%98%80'.repeat(601)
  ]) {
    const answer = await getRaw(port, `/messages/${path}`)
    t.equal(answer?.status, 404, path.slice(0, 40))
    t.match(answer?.body, /^{"detail":"[^"]+"}$/)
    t.match(answer?.headers, { 'content-type': /^application\/json/, 'x-request-id': /./ })
  }
})

t.test('what a provider sent is answered as it was, to the byte', async t => {
  const secret = `whsec_${Buffer.from('secret of thirty-two bytes, here').toString('base64')}`
  const { app } = await buildApp(t, { STANDARD_WEBHOOKS_SECRET: secret })
  const raw = '{ "type":"a", "data": {"message_id":"m1","from":"+1","to":"+2","text":"\\u0000\\ud83d\\ude00</script>"}, "n": 12345678901234567890.10, "n":1e400 }'
  // A byte order mark before it is no part of it.
  const payload = `\ufeff${raw}`
  const signature = new Webhook(secret).sign('msg_1', new Date(), payload)
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)), 'webhook-signature': signature }
  t.equal((await app.inject({ method: 'POST', url: '/webhook/standard', payload, headers })).statusCode, 200)
  const { body, headers: { 'content-type': type } } = await app.inject('/messages/m1')
  t.equal(body.slice(body.indexOf('"raw":')), `"raw":${raw}}`)
  t.match(type, /^application\/json/)
  t.match(JSON.parse(body), { text: '\uFFFD😀</script>', source: 'standard', type: 'a' })
})
