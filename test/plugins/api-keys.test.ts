import t from 'tap'
import { Validator } from '@seriousme/openapi-schema-validator'
import { buildApp, deliver, delivery, get, listen, message } from '../helper.ts'
import { exchange } from '../wire.ts'

const KEY = 'kT9-._~+/aZ0123456789=='
const OTHER = 'other-key-0123456789'
const API_KEYS = `reader:${KEY},other:${OTHER}`
const UNAUTHORIZED = '{"detail":"a valid API key is needed, as Authorization: Bearer …"}'
const READS = ['/messages', '/messages?limit=1', '/messages?limit=x', '/messages/m1', '/messages/none', '/stats', '/feed?after=latest', '/feed?after=x']

/** Without when the message came. */
const timeless = (body: string): string => body.replace(/"received_at":"[^"]+"/, '')

t.test('every read asks for a key, and answers as ever with one', async t => {
  const { app: open } = await buildApp(t, { DATABASE_URL: 'sqlite:///:memory:' })
  const { app } = await buildApp(t, { API_KEYS })
  for (const each of [app, open]) await deliver(t, each, message())
  for (const url of READS) {
    const refused = await app.inject(url)
    t.match([refused.statusCode, refused.body], [401, UNAUTHORIZED], url)
    t.match(refused.headers, { 'www-authenticate': 'Bearer realm="letterbox"', 'content-type': /^application\/json/, 'x-request-id': String })
    const expected = await open.inject(url)
    for (const authorization of [`Bearer ${KEY}`, `bearer ${OTHER}`, `BEARER  ${KEY} `]) {
      const { statusCode, body } = await app.inject({ url, headers: { authorization } })
      t.strictSame([statusCode, timeless(body)], [expected.statusCode, timeless(expected.body)], `${url} ${authorization}`)
    }
    t.equal((await app.inject({ url, method: 'HEAD' })).statusCode, 401)
    t.equal((await app.inject({ url, method: 'HEAD', headers: { authorization: `Bearer ${KEY}` } })).statusCode, expected.statusCode)
  }
})

t.test('whatever is not a key behind Bearer is refused', async t => {
  const { app, requestLines } = await buildApp(t, { API_KEYS })
  for (const authorization of [
    KEY, 'Bearer', 'Bearer ', `Bearer${KEY}`, `Bearer\t${KEY}`, `Bearer:${KEY}`, `Bearer "${KEY}"`, `Bearer ${KEY}x`, `Bearer ${KEY.slice(0, -1)}`,
    `Bearer ${KEY.toLowerCase()}`, `Bearer ${KEY} ${OTHER}`, `Bearer ${KEY},${OTHER}`, `Bearer reader:${KEY}`, `Bearer reader ${KEY}`, 'Bearer reader', `Bearer ${API_KEYS}`,
    `Basic ${KEY}`, `Basic ${Buffer.from(`reader:${KEY}`).toString('base64')}`, `Token ${KEY}`, `Digest Bearer ${KEY}`, 'Bearer null', 'Bearer undefined'
  ]) {
    const { statusCode, body, headers } = await app.inject({ url: '/stats', headers: { authorization } })
    t.strictSame([statusCode, body], [401, UNAUTHORIZED], authorization)
    t.equal(headers['www-authenticate'], 'Bearer realm="letterbox", error="invalid_token"')
  }
  for (const [url, headers] of [
    [`/stats?access_token=${KEY}`, {}], [`/stats?api_key=${KEY}&authorization=Bearer%20${KEY}`, {}], ['/stats', { cookie: `Authorization=Bearer ${KEY}; access_token=${KEY}` }],
    ['/stats', { 'x-api-key': KEY, 'proxy-authorization': `Bearer ${KEY}` }]
  ] as const) t.equal((await app.inject({ url, headers })).statusCode, 401, url)
  t.notMatch(JSON.stringify(requestLines()), 'api_key', 'nobody has a name')
})

t.test('on the wire: bytes that are no ASCII, and of two headers the first', async t => {
  const { app } = await buildApp(t, { API_KEYS })
  const { port } = await listen(app)
  for (const [headers, status] of [
    [[`Authorization: Bearer ${KEY}\xe9`], 401], [['Authorization: Bearer \xff\xfe'], 401], [[`authorization:bearer ${KEY}`], 200],
    [['Authorization: Bearer wrong', `Authorization: Bearer ${KEY}`], 401], [[`Authorization: Bearer ${KEY}`, 'Authorization: Bearer wrong'], 200]
  ] as const) {
    const [answer] = await exchange(port, ['GET /stats HTTP/1.1', 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n'))
    t.equal(answer?.status, status, headers.join(' '))
  }
})

t.test('no other spelling of a path leads past the door, and what there is not is not told', async t => {
  const { app } = await buildApp(t, { API_KEYS })
  await deliver(t, app, message())
  for (const url of ['/%6dessages', '/%6Dessages?limit=1', '/mess%61ges/m1', '/messages/', '/messages/%6d1', '/messages/..%2fstats', '/st%61ts', '/stats?', '/stats#x', '/messages/m1?x']) {
    t.equal((await app.inject(url)).statusCode, 401, url)
  }
  for (const [method, url] of [
    ['GET', '/MESSAGES'], ['GET', '/messages/a/b'], ['GET', '//messages'], ['GET', '/stats/'], ['GET', '/messages;x'], ['GET', '/messages%2Fm1'],
    ['OPTIONS', '/messages'], ['POST', '/messages'], ['PUT', '/messages/m1'], ['OPTIONS', '/stats'], ['GET', '/webhook']
  ] as const) {
    for (const headers of [{}, { authorization: `Bearer ${KEY}` }]) {
      const { statusCode, body } = await app.inject({ method, url, headers })
      t.strictSame([statusCode, body], [404, '{"detail":"not found"}'], `${method} ${url}`)
    }
  }
})

t.test('everything else stays open: deliveries, probes, metrics, documentation', async t => {
  const { app } = await buildApp(t, { API_KEYS })
  await deliver(t, app, message())
  t.equal((await app.inject(delivery(message(), {}, 'wrong'))).body, '{"detail":"invalid signature"}')
  t.equal((await app.inject({ method: 'POST', url: '/webhook', headers: { authorization: `Bearer ${KEY}` } })).statusCode, 401, 'a key signs nothing')
  for (const url of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs/', '/docs/json', '/docs/static/swagger-ui.css']) {
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) t.equal((await app.inject({ url, headers })).statusCode, 200, url)
  }
})

t.test("a line has the key's name, and never a key, right or wrong", async t => {
  const { app, lines } = await buildApp(t, { API_KEYS, LOG_LEVEL: 'TRACE' })
  for (const authorization of [`Bearer ${KEY}`, `Bearer ${OTHER}`, 'Bearer wrongwrongwrong', `Basic ${KEY}`]) await app.inject({ url: '/stats', headers: { authorization } })
  t.match(lines, [{ status: 200, api_key: 'reader' }, { status: 200, api_key: 'other' }, { status: 401, level: 'info' }, { status: 401 }])
  t.equal(lines.length, 4, 'one a request')
  t.notOk(lines.slice(2).some(line => 'api_key' in line))
  for (const key of [KEY, OTHER, 'wrongwrong']) t.notOk(JSON.stringify(lines).includes(key), key)
})

interface Operation { security?: unknown, responses: Record<string, { headers?: Record<string, unknown> }> }
interface Document { components?: { securitySchemes?: unknown }, security?: unknown, paths: Record<string, Record<string, Operation>> }

t.test('the document declares the key where it is asked for, and only there', async t => {
  const { app } = await buildApp(t, { API_KEYS })
  const { body } = await get<Document>(app, '/openapi.json')
  t.match(body.components?.securitySchemes, { apiKey: { type: 'http', scheme: 'bearer' } })
  t.equal(body.security, undefined)
  const operations = Object.entries(body.paths).flatMap(([path, item]) => ['get', 'post', 'delete'].flatMap(method => item[method] === undefined ? [] : [{ path, method, ...item[method] }]))
  t.equal(operations.filter(({ method }) => method === 'delete').length, 2)
  for (const { path, method, security, responses } of operations) {
    const guarded = ['/messages', '/messages/{message_id}', '/stats', '/stats/volume', '/export', '/feed'].includes(path)
    t.strictSame(security, guarded ? [{ apiKey: [] }] : undefined, `${method} ${path}`)
    t.equal(responses['401']?.headers?.['WWW-Authenticate'] !== undefined, guarded, `${method} ${path}`)
  }
  t.ok((await new Validator().validate(structuredClone({ ...body }))).valid)
})

t.test('without keys the reads are open, and the document says so', async t => {
  const { app } = await buildApp(t, { API_KEYS: '' })
  const { body } = await get<Document>(app, '/openapi.json')
  t.notMatch(JSON.stringify(body), /securitySchemes|"security"|WWW-Authenticate/)
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) t.equal((await app.inject({ url: '/stats', headers })).statusCode, 200)
})
