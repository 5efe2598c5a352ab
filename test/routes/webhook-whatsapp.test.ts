/** POST /webhook/whatsapp, signed as Meta says it signs, with Node.js's own HMAC. */
import { createHmac } from 'node:crypto'
import t, { type Test } from 'tap'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { numberOf } from '../../src/provider/number.ts'
import { buildApp, delivery as plain, get, listen, message, rowsStored } from '../helper.ts'
import { ask } from '../process.ts'

const ENV = { WHATSAPP_APP_SECRET: 'current previous', WHATSAPP_VERIFY_TOKEN: 'a token' }
const REFUSED = '{"detail":"invalid signature"}'
const METADATA = { display_phone_number: '15550783881', phone_number_id: '106540352242922' }
const ITEM = { from: '919876543210', id: 'wamid.A', timestamp: '1736935200', type: 'text', text: { body: 'Grüße 😀' } }
const STATUS = { id: 'wamid.S', status: 'delivered', timestamp: '1736935200', recipient_id: '919876543210' }

const text = (id: string, fields: object = {}) => ({ ...ITEM, id, ...fields })
const value = (content: object) => ({ field: 'messages', value: { messaging_product: 'whatsapp', metadata: METADATA, ...content } })
const account = (...changes: object[]) => ({ object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes }] })
const batch = (...messages: unknown[]) => account(value({ messages }))

interface Signing { readonly secret?: string, readonly headers?: Record<string, string> }

/** A delivery as Meta makes it, for `inject`. */
function signed (body: unknown, { secret = 'current', headers = {} }: Signing = {}): InjectOptions {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const signature = `sha256=${createHmac('sha256', secret).update(payload).digest('hex')}`
  return { method: 'POST', url: '/webhook/whatsapp', payload, headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature, ...headers } }
}

async function takes (t: Test, app: FastifyInstance, request: InjectOptions): Promise<void> {
  const { statusCode, body } = await app.inject(request)
  t.strictSame([statusCode, body], [200, '{"status":"ok"}'])
}

/** The counts of webhook_items_total that are not 0, by kind. */
async function itemsOf (app: FastifyInstance): Promise<Record<string, number>> {
  const { body } = await app.inject('/metrics')
  const samples = [...body.matchAll(/^webhook_items_total\{source="whatsapp",kind="(\w+)"\} (\d+)$/gm)]
  return Object.fromEntries(samples.filter(([, , count]) => count !== '0').map(([, kind, count]) => [kind, Number(count)]))
}

t.test('without its secret there is no such path', async t => {
  const { app } = await buildApp(t, { WHATSAPP_VERIFY_TOKEN: 'a token' })
  for (const request of [signed(batch(ITEM)), '/webhook/whatsapp?hub.mode=subscribe&hub.verify_token=a%20token&hub.challenge=1']) {
    const { statusCode, body } = await app.inject(request)
    t.strictSame([statusCode, body], [404, '{"detail":"not found"}'])
  }
})

t.test('Meta is told its challenge when it has the token, as text', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  for (const [challenge, query] of [
    ['1158201444', 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a%20token'], ['<b>ü', 'hub.verify_token=a+token&hub.challenge=%3Cb%3E%C3%BC&hub.mode=subscribe&more=x']
  ]) {
    const { statusCode, body, headers } = await app.inject(`/webhook/whatsapp?${query}`)
    t.strictSame([statusCode, body, headers['content-type'], headers['x-content-type-options']], [200, challenge, 'text/plain; charset=utf-8', 'nosniff'])
  }
  t.match(requestLines()[0], { level: 'info', method: 'GET', path: '/webhook/whatsapp', status: 200 })
  t.notMatch(JSON.stringify(requestLines()), 'token')
})

t.test('nobody else is told anything', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const right = { 'hub.mode': 'subscribe', 'hub.verify_token': 'a token', 'hub.challenge': '115' }
  const query = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
  const { 'hub.mode': _mode, ...noMode } = right
  const { 'hub.verify_token': _token, ...noToken } = right
  const { 'hub.challenge': _challenge, ...noChallenge } = right
  for (const wrong of [
    '', query(noMode), query(noToken), query(noChallenge), query({ ...right, 'hub.mode': 'unsubscribe' }), query({ ...right, 'hub.mode': 'Subscribe' }), query({ ...right, 'hub.verify_token': '' }),
    query({ ...right, 'hub.verify_token': 'a token ' }), query({ ...right, 'hub.verify_token': 'A TOKEN' }), query({ ...right, 'hub.verify_token': 'current' }), query({ ...right, 'hub.challenge': '' }),
    ...Object.keys(right).map(name => `${query(right)}&${query({ [name]: right[name as keyof typeof right] })}`), query(right).replaceAll('hub.', 'hub_'), query(right).replaceAll('hub.', 'hub%5B'),
    `${query(noToken)}&hub.verify_token[]=a+token`, '__proto__=1', '%', '&&&==='
  ]) {
    const { statusCode, body } = await app.inject(`/webhook/whatsapp?${wrong}`)
    t.strictSame([statusCode, body], [403, '{"detail":"hub.mode must be subscribe, and hub.verify_token the WHATSAPP_VERIFY_TOKEN"}'], wrong)
  }
  t.match(requestLines()[0], { level: 'info', method: 'GET', path: '/webhook/whatsapp', status: 403 })
})

t.test('without a token of its own the service tells nobody, and takes deliveries', async t => {
  const { app } = await buildApp(t, { ...ENV, WHATSAPP_VERIFY_TOKEN: '' })
  for (const token of ['', 'undefined', 'a+token']) t.equal((await app.inject(`/webhook/whatsapp?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=1`)).statusCode, 403, token)
  await takes(t, app, signed(batch(ITEM)))
})

t.test('a message is stored once, and its row says how it came in', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  await takes(t, app, signed(batch(ITEM)))
  await takes(t, app, signed(batch({ ...ITEM, text: { body: 'again' } }), { secret: 'previous' }))
  const row = { message_id: 'wamid.A', from: '+919876543210', to: '+15550783881', ts: '2025-01-15T10:00:00Z', text: 'Grüße 😀' }
  t.strictSame((await get(app, '/messages')).body['data'], [row])
  const { body: { received_at: receivedAt, ...one } } = await get(app, '/messages/wamid.A')
  t.strictSame(one, { ...row, source: 'whatsapp', type: 'text', raw: ITEM })
  t.match(receivedAt, /^20\d\d-.*Z$/)
  const line = { level: 'info', path: '/webhook/whatsapp', status: 200, source: 'whatsapp', message_id: 'wamid.A', messages: 1 }
  t.match(requestLines().slice(0, 2), [{ ...line, dup: false, result: 'created' }, { ...line, dup: true, result: 'duplicate' }])
  t.match((await app.inject('/metrics')).body, /^webhook_verified_total\{source="whatsapp",secret="previous"\} 1$/m)
})

t.test('every message of a delivery is stored, whatever stands beside it', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const { from: _, ...nobody } = ITEM
  const items = [
    text('wamid.1'), text('wamid.2', { type: 'image', text: undefined, image: { caption: 'Look\0' } }), { ...nobody, id: 'wamid.3', from_user_id: 'IN.1349' }, text('wamid.4', { type: 'hologram' }), text('wamid.5'), text('wamid.1')
  ]
  await takes(t, app, signed({
    ...account(value({ messages: items.slice(0, 2), statuses: [STATUS] }), value({ statuses: [STATUS, STATUS] }), value({ messages: items.slice(2, 3) }), { field: 'account_update', value: { event: 'x' } }),
    entry: [...account(value({ messages: items.slice(0, 2), statuses: [STATUS] }), value({ statuses: [STATUS, STATUS] })).entry, ...account(value({ messages: items.slice(2) }), { field: 'account_update', value: { event: 'x' } }).entry]
  }))
  const { body } = await get<{ data: { message_id: string, from: string, text: string | null }[] }>(app, '/messages')
  t.strictSame(body.data.map(({ message_id: id, from, text }) => [id, from, text]), [
    ['wamid.1', '+919876543210', 'Grüße 😀'], ['wamid.2', '+919876543210', 'Look\uFFFD'], ['wamid.3', numberOf('IN.1349'), 'Grüße 😀'], ['wamid.4', '+919876543210', null], ['wamid.5', '+919876543210', 'Grüße 😀']
  ])
  t.match(requestLines()[0], { level: 'info', message_id: 'wamid.1', messages: 6, dup: false, result: 'created' })
  t.notOk('unread' in (requestLines()[0] ?? {}))
  t.strictSame(await itemsOf(app), { message: 6, status: 3, ignored: 1 })
})

t.test('a duplicate does not hold up the rest, and a delivery is one when all of it is', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  await takes(t, app, signed(batch(text('wamid.1'), text('wamid.2'))))
  await takes(t, app, signed(batch(text('wamid.2'), text('wamid.3'), text('wamid.3'))))
  await takes(t, app, signed(batch(text('wamid.3'), text('wamid.1'))))
  await takes(t, app, signed(batch(text('wamid.1'), null)))
  t.equal(await rowsStored(t), 3)
  t.strictSame(requestLines().map(({ dup }) => dup), [false, false, true, true])
})

t.test('an item that cannot be read is told by its number alone, and the rest is stored', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const { id: _, ...nameless } = ITEM
  await takes(t, app, signed(batch(nameless, text('wamid.1'), { ...ITEM, timestamp: 'hunter2' }, 'hunter2', text('wamid.2'))))
  await takes(t, app, signed(batch(nameless)))
  t.equal(await rowsStored(t), 2)
  t.match(requestLines(), [
    { level: 'warn', status: 200, message_id: 'wamid.1', messages: 2, unread: 3, dup: false, result: 'created' }, { level: 'warn', status: 200, messages: 0, unread: 1, dup: false, result: 'created' }
  ])
  t.notMatch(JSON.stringify(requestLines()), /hunter2|919876543210|Gr/)
  t.strictSame(await itemsOf(app), { message: 2, unread: 4 })
})

t.test('what holds no message is 200, and stores nothing', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const bodies = [
    account(value({ statuses: [STATUS] })), account(value({ errors: [{ code: 0, title: 'unable' }] })), account({ field: 'smb_message_echoes', value: { metadata: METADATA, message_echoes: [{ ...ITEM, to: '1' }] } }),
    account({ field: 'unknown', value: { messages: [ITEM] } }), { ...batch(ITEM), object: 'page' }, {}, { entry: null }, { entry: [null, 5, { changes: 'x' }] }, { object: 'whatsapp_business_account', unknown: { more: [1] } }
  ]
  for (const body of bodies) await takes(t, app, signed(body))
  t.equal(await rowsStored(t), 0)
  t.strictSame(await itemsOf(app), { status: 1, ignored: 5 })
  t.match(requestLines()[0], { level: 'info', messages: 0, dup: false, result: 'created' })
  await app.messages.close()
  await takes(t, app, signed(bodies[0]))
})

t.test('what is not signed is 401 with one and the same body, and the log says why', async t => {
  const { app, requestLines } = await buildApp(t, ENV)
  const right = signed(batch(ITEM))
  const signature = String(right.headers?.['x-hub-signature-256'])
  for (const [request, refusal] of [
    [{ method: 'POST', url: '/webhook/whatsapp' }, 'missing'], [signed(batch(ITEM), { headers: { 'x-hub-signature-256': '' } }), 'malformed'],
    ...[signature.slice(7), signature.slice(0, -1), `${signature}0`, ` ${signature} x`, signature.replace('sha256', 'SHA256'), signature.replace('sha256', 'sha1'), 'sha256='].map(wrong =>
      [signed(batch(ITEM), { headers: { 'x-hub-signature-256': wrong } }), 'malformed']),
    [signed(batch(ITEM), { secret: 'other' }), 'mismatch'], [signed(batch(ITEM), { secret: 'a token' }), 'mismatch'], [signed(batch(ITEM), { secret: 'current previous' }), 'mismatch'],
    [{ ...right, payload: JSON.stringify(batch(ITEM), null, 1) }, 'mismatch'], [{ ...right, payload: JSON.stringify(batch(text('wamid.F'))) }, 'mismatch'], [{ ...right, payload: '' }, 'mismatch'],
    [signed(batch(ITEM), { headers: { 'x-hub-signature-256': '', 'x-signature': signature } }), 'malformed']
  ] as [InjectOptions, string][]) {
    const { statusCode, body } = await app.inject(request)
    t.strictSame([statusCode, body], [401, REFUSED], refusal)
    t.match(requestLines().at(-1), { level: 'error', source: 'whatsapp', dup: false, result: 'invalid_signature', refusal })
  }
  t.equal(requestLines().at(-3)?.['message_id'], 'wamid.F')
  t.equal(await rowsStored(t), 0)
  t.strictSame(await itemsOf(app), {})
  t.notMatch(JSON.stringify(requestLines()), /919876543210|Gr|sha256/)
})

t.test('it is signed as it was sent: with escapes', async t => {
  const { app } = await buildApp(t, ENV)
  await takes(t, app, signed(JSON.stringify(batch(text('wamid.a/b='))).replaceAll('/', '\\/').replace('ü', '\\u00fc').replace('😀', '\\ud83d\\ude00')))
  t.match((await get(app, '/messages/wamid.a%2Fb%3D')).body, { message_id: 'wamid.a/b=', text: 'Grüße 😀' })
})

t.test('a body is judged as on /webhook, in the same order', async t => {
  const { app } = await buildApp(t, { ...ENV, BODY_LIMIT: '1000' })
  t.equal((await app.inject(signed('x'.repeat(3_145_729), { secret: 'other' }))).statusCode, 413)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', '???']) t.equal((await app.inject(signed(batch(ITEM), { headers: { 'content-type': type } }))).statusCode, 415, type)
  t.strictSame((await app.inject(signed('{'))).json(), { detail: 'body must be JSON', errors: [{ path: '', message: 'must be JSON' }] })
  t.equal((await app.inject(signed(Buffer.from([0xff])))).statusCode, 422)
  for (const body of ['[]', 'null', '5', '"x"', '']) {
    const { statusCode, body: answer } = await app.inject(signed(body))
    t.equal(statusCode, 422, body)
    t.match(JSON.parse(answer).detail, /^body must be (?:a JSON object|JSON)/)
  }
  await app.messages.close()
  for (const body of [batch(ITEM), batch(null)]) {
    const { statusCode, headers } = await app.inject(signed(body))
    t.strictSame([statusCode, headers['retry-after']], [503, '1'])
  }
  t.strictSame(await itemsOf(app), {}, 'what is not stored is not counted')
})

t.test('three megabytes are taken, and more where BODY_LIMIT is more', async t => {
  const { app } = await buildApp(t, ENV)
  const messages = Array.from({ length: 300 }, (_, n) => text(`wamid.${n}`, { text: { body: 'x'.repeat(10_000) } }))
  const body = JSON.stringify(batch(...messages)).padEnd(3_145_728)
  t.equal(body.length, 3_145_728)
  await takes(t, app, signed(body))
  t.equal(await rowsStored(t), 300)
  t.equal((await app.inject(signed(`${body} `))).statusCode, 413)
  t.equal((await app.inject(plain(message({ text: 'x'.repeat(1_048_577) })))).statusCode, 413, 'the limit of /webhook is its own')

  const { app: larger } = await buildApp(t, { ...ENV, DATABASE_URL: 'sqlite:///:memory:', BODY_LIMIT: '4000000' })
  await takes(t, larger, signed(`${body} `))
})

t.test('refusals are limited, verified deliveries and handshakes are not', async t => {
  const { app } = await buildApp(t, { ...ENV, RATE_LIMIT: '1' })
  t.equal((await app.inject(signed(batch(ITEM), { secret: 'other' }))).statusCode, 401)
  t.equal((await app.inject(signed(batch(ITEM), { secret: 'other' }))).statusCode, 429)
  for (let n = 0; n < 3; n++) {
    await takes(t, app, signed(batch(text(`wamid.${n}`))))
    t.equal((await app.inject('/webhook/whatsapp?hub.mode=subscribe&hub.verify_token=a+token&hub.challenge=1')).statusCode, 200)
  }
})

t.test('it works without WEBHOOK_SECRET, which /webhook and readiness go on to miss', async t => {
  const { app } = await buildApp(t, { ...ENV, WEBHOOK_SECRET: undefined })
  await takes(t, app, signed(batch(ITEM)))
  t.equal((await app.inject('/health/ready')).statusCode, 503)
})

t.test('over a real socket, too', async t => {
  const { app } = await buildApp(t, ENV)
  const { url } = await listen(app)
  const { headers = {}, payload } = signed(batch(ITEM))
  const { status } = await ask(`${url}/webhook/whatsapp`, { method: 'POST', headers: headers as Record<string, string>, body: String(payload) })
  t.equal(status, 200)
  const { body } = await ask(`${url}/webhook/whatsapp?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a%20token`)
  t.equal(body, '1158201444')
  t.equal((await get(app, '/messages?source=whatsapp')).body['total'], 1)
})
