/** POST /webhook/twilio, signed by Twilio's library. */
import { createHash } from 'node:crypto'
import { parse } from 'node:querystring'
import t from 'tap'
import type { InjectOptions } from 'fastify'
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js'
import { buildApp, get, rowsStored } from '../helper.ts'

const PUBLIC_URL = 'https://hooks.example.com'
const ENV = { TWILIO_AUTH_TOKEN: 'current previous', PUBLIC_URL }
const REFUSED = '{"detail":"invalid signature"}'
const NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
const SENT = {
  ToCountry: 'US', SmsMessageSid: 'SM1', NumMedia: '0', MessageSid: 'SM1', AccountSid: 'AC1', From: 'whatsapp:+919876543210', To: '+14155550100', Body: 'Grüße & 😀 + mehr', ApiVersion: '2010-04-01'
}

interface Signing { readonly token?: string, readonly path?: string, readonly origin?: string, readonly headers?: Record<string, string> }

/** A form as Twilio posts it, for `inject`. */
function form (fields: Record<string, string> | string, { token = 'current', path = '/webhook/twilio', origin = PUBLIC_URL, headers = {} }: Signing = {}): InjectOptions {
  const payload = String(new URLSearchParams(fields))
  const signature = getExpectedTwilioSignature(token, origin + path, { ...parse(payload) })
  return { method: 'POST', url: path, payload, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8', 'x-twilio-signature': signature, ...headers } }
}

function json (body: unknown, { token = 'current', headers = {} }: Signing = {}): InjectOptions {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  const url = `/webhook/twilio?bodySHA256=${createHash('sha256').update(payload).digest('hex')}`
  return { method: 'POST', url, payload, headers: { 'content-type': 'application/json', 'x-twilio-signature': getExpectedTwilioSignature(token, PUBLIC_URL + url, {}), ...headers } }
}

t.test('without its token there is no such path', async t => {
  const { app } = await buildApp(t, { PUBLIC_URL })
  const { statusCode, body } = await app.inject(form(SENT))
  t.strictSame([statusCode, body], [404, '{"detail":"not found"}'])
})

t.test('a message is stored once, and answered by TwiML that does nothing', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const before = new Date().toISOString()
  for (const request of [
    form(SENT), form({ ...SENT, Body: 'again' }, { token: 'previous' }), form(SENT, { origin: `${PUBLIC_URL}:443` }), form(SENT, { path: '/webhook/twilio?a=%20b&c' }), json(SENT)
  ]) {
    const { statusCode, body, headers } = await app.inject(request)
    t.strictSame([statusCode, body], [200, NOTHING])
    t.equal(headers['content-type'], 'text/xml; charset=utf-8')
  }
  const { body } = await get(app, '/messages/SM1')
  t.match(body, { message_id: 'SM1', from: '+919876543210', to: '+14155550100', text: 'Grüße & 😀 + mehr', source: 'twilio', type: null })
  t.strictSame(body['raw'], SENT, 'the form, as an object')
  t.ok(String(body['ts']) >= before.replace(/\.?0*Z$/, '') && String(body['ts']) <= new Date().toISOString(), 'ts is the moment of receipt')
  t.equal(await rowsStored(t), 1)
  const line = { level: 'info', path: '/webhook/twilio', status: 200, source: 'twilio', message_id: 'SM1' }
  t.match(requestLines().slice(0, 2), [{ ...line, dup: false, result: 'created' }, { ...line, dup: true, result: 'duplicate' }])
  t.match((await app.inject('/metrics')).body, /^webhook_verified_total\{source="twilio",secret="previous"\} 1$/m)
})

t.test('who is no phone number has one of his own, by which he is found', async t => {
  const { app } = await buildApp(t, ENV)
  t.equal((await app.inject(form({ ...SENT, From: 'MYBANK', To: '12345' }))).statusCode, 200)
  const { body } = await get(app, '/messages?from=%2B02465835344744&to=%2B0112345')
  t.match(body, { total: 1, data: [{ message_id: 'SM1' }] })
})

t.test('what is not signed is 401 with one and the same body, and the log says why', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  for (const [request, refusal] of [
    [{ method: 'POST', url: '/webhook/twilio' }, 'missing'], [form(SENT, { headers: { 'x-twilio-signature': 'banana' } }), 'malformed'], [form(SENT, { token: 'other' }), 'mismatch'],
    [{ ...form(SENT), payload: String(new URLSearchParams({ ...SENT, Body: 'forged' })) }, 'mismatch'], [{ ...form(SENT), url: '/webhook/twilio?x=1' }, 'mismatch'],
    [form(SENT, { origin: 'http://hooks.example.com' }), 'mismatch'], [{ ...json(SENT), payload: '{}' }, 'mismatch'], [json(SENT, { token: 'other' }), 'mismatch'],
    [form('x=&'.repeat(1001)), 'malformed'], [{ ...form('a=b'), payload: 'x&'.repeat(1001) }, 'malformed']
  ] as [InjectOptions, string][]) {
    const { statusCode, body } = await app.inject(request)
    t.strictSame([statusCode, body], [401, REFUSED], refusal)
    t.match(requestLines().at(-1), { level: 'error', source: 'twilio', dup: false, result: 'invalid_signature', refusal })
  }
  t.equal(await rowsStored(t), 0)
  const lines = JSON.stringify(requestLines())
  for (const secret of ['919876543210', '14155550100', 'mehr', 'bodySHA256']) t.notMatch(lines, secret)
})

t.test('a body is judged as on /webhook, in the same order', async t => {
  const { app } = await buildApp(t, { ...ENV, BODY_LIMIT: '1000' })
  t.equal((await app.inject(form({ Body: 'x'.repeat(1000) }, { token: 'other' }))).statusCode, 413)
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', '???']) t.equal((await app.inject(form(SENT, { headers: { 'content-type': type } }))).statusCode, 415, type)
  const { From: _, ...nobody } = SENT
  t.strictSame((await app.inject(form(nobody))).json(), { detail: 'body/From is required', errors: [{ path: '/From', message: 'is required' }] })
  t.strictSame((await app.inject(json('{'))).json(), { detail: 'body must be JSON', errors: [{ path: '', message: 'must be JSON' }] })
  for (const body of ['[]', 'null', { ...SENT, MessageSid: 5 }, { ...SENT, MessageSid: '' }]) t.equal((await app.inject(json(body))).statusCode, 422)
  t.equal((await app.inject(form('MessageSid=SM1&MessageSid=SM2&From=%2B1&To=%2B2'))).statusCode, 422, 'which of the two is meant is not signed')
  await app.messages.close()
  const { statusCode, headers, body } = await app.inject(form(SENT))
  t.strictSame([statusCode, headers['retry-after'], body], [503, '1', '{"detail":"the service cannot do this now, try again"}'])
})

t.test('refusals are limited, verified deliveries are not', async t => {
  const { app } = await buildApp(t, { ...ENV, RATE_LIMIT: '1' })
  t.equal((await app.inject(form(SENT, { token: 'other' }))).statusCode, 401)
  t.equal((await app.inject(form(SENT, { token: 'other' }))).statusCode, 429)
  for (let n = 0; n < 5; n++) t.equal((await app.inject(form({ ...SENT, MessageSid: `SM${n}` }))).statusCode, 200)
})
