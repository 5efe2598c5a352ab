import t, { type Test } from 'tap'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { withCommonHeaders } from '../../plugins/openapi.ts'
import { buildApp, deliver, delivery, get, listen, message, PROVIDERS } from '../helper.ts'
import { exchange } from '../wire.ts'
import { WhatsappPayload } from '../../src/provider/whatsapp.ts'
import { sign } from '../../src/signature/hmac.ts'
import { parseStandardSecrets, signStandard } from '../../src/signature/standard.ts'
import { parseForm, signTwilio } from '../../src/signature/twilio.ts'
import { WHATSAPP_SCHEME } from '../../src/signature/whatsapp.ts'
import { inUtc, isTimestamp } from '../../src/timestamp.ts'

interface Schema { examples?: unknown[], const?: unknown, [keyword: string]: unknown }
interface Parameter { name: string, in: string, required?: boolean, description?: string, schema: Schema }
interface Header { description?: string, schema: Schema }
interface Response { description: string, headers?: Record<string, Header>, content: Record<string, { schema: Schema }> }
interface Operation { summary?: string, tags?: string[], parameters?: Parameter[], requestBody?: { required: boolean, content: Record<string, { schema: Schema, examples?: Record<string, { value: unknown }> }> }, responses: Record<string, Response> }
type Paths = Record<string, Record<string, Operation> & { parameters: Parameter[] }>
interface Document { openapi: string, info: Record<string, unknown>, paths: Paths }

const METHODS = ['get', 'post', 'delete'] as const

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, formats: { 'date-time': isTimestamp, 'date-time-offset': value => inUtc(value) !== undefined } })

async function documented (app: FastifyInstance): Promise<Document> {
  return (await get<Document>(app, '/openapi.json')).body
}

/** Every documented answer as `GET /path 200`, with its description. */
function answersOf ({ paths }: Document): Map<string, Response> {
  return new Map(Object.entries(paths).flatMap(([path, item]) => METHODS.flatMap(method =>
    Object.entries(item[method]?.responses ?? {}).map(([status, response]) => [`${method.toUpperCase()} ${path} ${status}`, response] as const))))
}

/** Those that come from the wire, before any route: test/plugins/malformed.test.ts produces them. */
const MALFORMED = ['400', '408', '431']
const isRouted = (name: string): boolean => !MALFORMED.includes(name.split(' ')[2] ?? '')

/** Every schema within a part of the document that has examples, with these. */
function examplesIn (value: unknown): { schema: object, examples: unknown[] }[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).filter(([keyword]) => keyword !== 'examples').flatMap(([, each]) => examplesIn(each))
  return 'examples' in value && Array.isArray(value.examples) ? [{ schema: value, examples: value.examples }, ...inner] : inner
}

const STANDARD = PROVIDERS.STANDARD_WEBHOOKS_SECRET

function standard (body: unknown, headers: Record<string, string> = {}): InjectOptions {
  const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const timestamp = String(Math.floor(Date.now() / 1000))
  const [secret] = parseStandardSecrets(STANDARD) ?? []
  const signature = secret === undefined ? '' : signStandard(secret, 's1', timestamp, payload)
  return {
    method: 'POST',
    url: '/webhook/standard',
    headers: { 'content-type': 'application/json', 'webhook-id': 's1', 'webhook-timestamp': timestamp, 'webhook-signature': signature, ...headers },
    payload
  }
}

function twilio (payload: string, headers: Record<string, string> = {}): InjectOptions {
  const signature = signTwilio('token', 'https://hooks.example.com/webhook/twilio', parseForm(Buffer.from(payload)))
  return { method: 'POST', url: '/webhook/twilio', headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature, ...headers }, payload }
}

function whatsapp (body: unknown, headers: Record<string, string> = {}): InjectOptions {
  const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return { method: 'POST', url: '/webhook/whatsapp', headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(payload, 'app', WHATSAPP_SCHEME), ...headers }, payload }
}
const [WHATSAPP] = WhatsappPayload['examples']

/** Requests that produce every documented answer. */
const REQUESTS: Record<string, InjectOptions | string> = {
  'POST /webhook 200': delivery(message()),
  'POST /webhook 401': delivery(message(), {}, 'wrong'),
  'POST /webhook 413': delivery('x'.repeat(1_048_577)),
  'POST /webhook 415': delivery(message(), { 'content-type': 'text/plain' }),
  'POST /webhook 422': delivery(message({ from: 5 })),
  'POST /webhook 503': delivery(message()),
  'POST /webhook/standard 200': standard({ data: message() }),
  'POST /webhook/standard 401': standard(message(), { 'webhook-id': 'other' }),
  'POST /webhook/standard 413': standard('x'.repeat(1_048_577)),
  'POST /webhook/standard 415': standard(message(), { 'content-type': 'text/plain' }),
  'POST /webhook/standard 422': standard({ data: message({ from: 5 }) }),
  'POST /webhook/standard 503': standard(message()),
  'POST /webhook/twilio 200': twilio('MessageSid=SM1&From=%2B1&To=%2B2'),
  'POST /webhook/twilio 401': twilio('MessageSid=SM1&From=%2B1&To=%2B2', { 'x-twilio-signature': '' }),
  'POST /webhook/twilio 413': twilio('x'.repeat(1_048_577)),
  'POST /webhook/twilio 415': twilio('MessageSid=SM1&From=%2B1&To=%2B2', { 'content-type': 'application/json' }),
  'POST /webhook/twilio 422': twilio('MessageSid=SM1'),
  'POST /webhook/twilio 503': twilio('MessageSid=SM1&From=%2B1&To=%2B2'),
  'GET /webhook/whatsapp 200': '/webhook/whatsapp?hub.mode=subscribe&hub.verify_token=token&hub.challenge=1158201444',
  'GET /webhook/whatsapp 403': '/webhook/whatsapp?hub.mode=subscribe&hub.verify_token=other&hub.challenge=1158201444',
  'POST /webhook/whatsapp 200': whatsapp(WHATSAPP),
  'POST /webhook/whatsapp 401': whatsapp(WHATSAPP, { 'x-hub-signature-256': '' }),
  'POST /webhook/whatsapp 413': whatsapp('x'.repeat(3_145_729)),
  'POST /webhook/whatsapp 415': whatsapp(WHATSAPP, { 'content-type': 'text/plain' }),
  'POST /webhook/whatsapp 422': whatsapp([]),
  'POST /webhook/whatsapp 503': whatsapp(WHATSAPP),
  'GET /messages 200': '/messages?limit=1',
  'GET /messages 422': '/messages?limit=x',
  'GET /messages 503': '/messages',
  'GET /messages/{message_id} 200': '/messages/m1',
  'GET /messages/{message_id} 404': '/messages/none',
  'GET /messages/{message_id} 503': '/messages/m1',
  'GET /stats 200': '/stats',
  'GET /stats 503': '/stats',
  'GET /stats/volume 200': '/stats/volume',
  'GET /stats/volume 422': '/stats/volume?interval=year',
  'GET /stats/volume 503': '/stats/volume',
  'DELETE /messages 403': { method: 'DELETE', url: '/messages?from=%2B1' },
  'DELETE /messages/{message_id} 403': { method: 'DELETE', url: '/messages/m1' },
  'GET /export 200': { url: '/export', headers: { 'accept-encoding': 'gzip' } },
  'GET /export 422': '/export?format=xml',
  'GET /export 503': '/export',
  'GET /feed 200': '/feed?limit=1',
  'GET /feed 422': '/feed?after=x',
  'GET /feed 503': '/feed',
  'GET /health/live 200': '/health/live',
  'GET /health/ready 200': '/health/ready',
  'GET /health/ready 503': '/health/ready',
  'GET /metrics 200': '/metrics',
  'GET /openapi.json 200': '/openapi.json'
}

/** A key, which lets somebody delete, and a limit that one request after the other of these tables does not reach. */
const GUARDED = { API_KEYS: 'reader:reader-key-0123456789', RATE_LIMIT: '40' }
const KEY = { authorization: 'Bearer reader-key-0123456789' }
/** An address that has reached it. */
const SPENT = { remoteAddress: '192.0.2.1' }

/** Requests that produce what only a service with keys documents, but for 401 and 429. */
const DELETIONS: Record<string, InjectOptions> = {
  'DELETE /messages/{message_id} 200': { method: 'DELETE', url: '/messages/m0' },
  'DELETE /messages/{message_id} 404': { method: 'DELETE', url: '/messages/none' },
  'DELETE /messages/{message_id} 503': { method: 'DELETE', url: '/messages/m1' },
  'DELETE /messages 200': { method: 'DELETE', url: '/messages?from=%2B919876543210' },
  'DELETE /messages 422': { method: 'DELETE', url: '/messages?to=%2B1' },
  'DELETE /messages 503': { method: 'DELETE', url: '/messages?from=%2B1' }
}

/** The request for an answer of a service with keys and a limit. */
function guarded (name: string): InjectOptions {
  const request = DELETIONS[name] ?? REQUESTS[name]
  if (request !== undefined) return typeof request === 'string' ? { url: request, headers: KEY } : { ...request, headers: { ...request.headers, ...KEY } }
  const [method = '', path = '', status] = name.split(' ')
  if (status === '429') return { ...guarded(`${method} ${path} 401`), ...SPENT }
  const { headers: { authorization: _, ...headers } = {}, ...rest } = guarded(`${method} ${path} 200`)
  return { ...rest, headers }
}

/** Checks an answer against its description: status, headers, type and body. */
async function produces (t: Test, app: FastifyInstance, name: string, request: InjectOptions | string, described: Response | undefined): Promise<void> {
  const { statusCode, body, headers } = await app.inject(request)
  t.equal(`${statusCode}`, name.split(' ')[2], name)
  const [[type = '', { schema } = { schema: {} }] = []] = Object.entries(described?.content ?? {})
  t.ok(String(headers['content-type']).startsWith(type), `${name} is ${type}`)
  const validate = ajv.compile(schema)
  t.ok(validate(type === 'application/json' ? JSON.parse(body) : body), `${name}: ${ajv.errorsText(validate.errors)} ${body.slice(0, 200)}`)

  const own = Object.keys(headers).filter(header => !['content-type', 'content-length', 'transfer-encoding', 'date', 'connection'].includes(header))
  const promised = Object.keys(described?.headers ?? {}).map(header => header.toLowerCase())
  t.strictSame(own.filter(header => !promised.includes(header)), [], `${name} has no header that is not documented`)
  for (const [header, { schema: rule, description }] of Object.entries(described?.headers ?? {})) {
    t.ok(description, header)
    const value = headers[header.toLowerCase()]
    if (value !== undefined) t.ok(ajv.validate(rule, rule['type'] === 'integer' ? Number(value) : value), `${name}: ${header}`)
  }
}

/** For whoever only reads the document. */
const { app } = await buildApp(t, PROVIDERS)

t.test('the document is valid OpenAPI 3.1', async t => {
  const { status, body, headers } = await get<Document>(app, '/openapi.json')
  t.equal(status, 200)
  t.match(headers['content-type'], /^application\/json/)
  t.match(body.openapi, /^3\.1\./)
  const result = await new Validator().validate(structuredClone({ ...body }))
  t.ok(result.valid, JSON.stringify(result))
})

/** The routes that the app has, as the document writes them: `GET /messages/{message_id}`. */
function routesOf (app: FastifyInstance): string[] {
  const above: string[] = []
  return app.printRoutes({ commonPrefix: false }).split('\n').flatMap(line => {
    const [, indent = '', path = '', methods = ''] = /^(.*?)[├└]── (\S+) \((.+)\)$/.exec(line) ?? []
    above.splice(indent.length / 4, Infinity, path)
    const url = above.join('').replace(/:(\w+)/g, '{$1}')
    return methods.split(', ').map(method => `${method} ${url}`)
  }).filter(route => /^(?!HEAD)\w+ \//.test(route))
}

/** The console: a page for people, and its files. */
const PAGE = ['GET /', 'GET /*', 'GET /console/*', 'GET /console/settings.json']

t.test('every route of the app is documented, and no other', async t => {
  const { paths } = await documented(app)
  const operations = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).filter(key => key !== 'parameters').map(method => `${method.toUpperCase()} ${path}`))
  const routes = routesOf(app).filter(route => !route.includes(' /docs') && !PAGE.includes(route))
  t.ok(routes.includes('GET /messages/{message_id}') && routes.includes('POST /webhook'), 'the routes were read')
  t.strictSame(operations.sort(), routes.sort())
})

t.test('every documented answer is really produced, as it is described', async t => {
  const { app } = await buildApp(t, PROVIDERS)
  const answers = answersOf(await documented(app))
  t.strictSame([...answers.keys()].filter(isRouted).sort(), Object.keys(REQUESTS).sort())
  await deliver(t, app, message({ message_id: 'm0', text: null }))
  const requests = Object.entries(REQUESTS)
  for (const [name, request] of requests.filter(([name]) => !name.endsWith('503'))) await produces(t, app, name, request, answers.get(name))
  await app.messages.close()
  for (const [name, request] of requests.filter(([name]) => name.endsWith('503'))) await produces(t, app, name, request, answers.get(name))
})

t.test('and so is every one that keys and a limit change or add', async t => {
  const { app } = await buildApp(t, { ...PROVIDERS, ...GUARDED })
  const answers = answersOf(await documented(app))
  const isChanged = (name: string): boolean => isRouted(name) && answers.get(name)?.headers?.['RateLimit-Limit'] !== undefined
  const known = [...Object.keys(REQUESTS), ...Object.keys(DELETIONS)].filter(isChanged)
  const names = [...known, ...[...answers.keys()].filter(name => isChanged(name) && !known.includes(name))]
  for (const status of ['401', '429']) t.equal(names.filter(name => name.endsWith(status)).length, 12, 'four of deliveries, six of reads and two of deletions')
  t.strictSame([...answers.keys()].filter(name => isRouted(name) && !(name in REQUESTS) && !names.includes(name)), [], 'there is no other')

  await deliver(t, app, message({ message_id: 'm0', text: null }), message())
  for (let n = 0; n < Number(GUARDED.RATE_LIMIT); n++) {
    await app.inject({ url: '/stats', ...SPENT })
    await app.inject({ ...delivery(message(), {}, 'wrong'), ...SPENT })
  }
  for (const name of names.filter(name => !name.endsWith('503'))) await produces(t, app, name, guarded(name), answers.get(name))
  await app.messages.close()
  for (const name of names.filter(name => name.endsWith('503'))) await produces(t, app, name, guarded(name), answers.get(name))
})

t.test('what is no request is described for every route, as it is answered', async t => {
  const { app } = await buildApp(t, PROVIDERS)
  const { port } = await listen(app)
  const document = await documented(app)
  for (const [path, item] of Object.entries(document.paths)) {
    const method = item['post'] ? 'POST' : 'GET'
    const begin = `${method} ${path.replace(/[{}]/g, '')} HTTP/1.1\r\n`
    for (const [status, rest] of [['400', 'Connection: close\r\n\r\n'], ['400', 'Host: x\r\nbad header\r\n\r\n'], ['431', `Host: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]] as const) {
      const [answer] = await exchange(port, begin + rest)
      const schema = item[method.toLowerCase()]?.responses[status]?.content['application/json']?.schema ?? false
      t.equal(String(answer?.status), status, begin)
      t.ok(ajv.validate(schema, JSON.parse(answer?.body ?? '')), `${begin}: ${ajv.errorsText()}`)
    }
  }
  const documentedFor = (status: string): number => [...answersOf(document).keys()].filter(name => name.endsWith(` ${status}`)).length
  const operations = Object.values(document.paths).flatMap(item => METHODS.filter(method => method in item))
  for (const status of MALFORMED) t.equal(documentedFor(status), operations.length, status)
})

t.test('a cursor page and empty statistics are as they are described, too', async t => {
  const { app } = await buildApp(t)
  const { paths } = await documented(app)
  const fits = async (path: string, url: string) => {
    const schema = paths[path]?.['get']?.responses['200']?.content['application/json']?.schema ?? {}
    t.ok(ajv.validate(schema, (await get(app, url)).body), `${url}: ${ajv.errorsText()}`)
  }
  await fits('/stats', '/stats')
  await fits('/messages', '/messages')
  await deliver(t, app, message(), message({ message_id: 'm2' }))
  const [, next = ''] = /<(.+)>/.exec(String((await get(app, '/messages?limit=1')).headers['link'])) ?? []
  await fits('/messages', next)
})

t.test('every parameter is documented, and judged as it is documented', async t => {
  const { paths } = await documented(app)
  const described = (path: string, method: string) => (paths[path]?.[method]?.parameters ?? []).map(({ name, in: place, required = false }) => `${place} ${name} ${required}`)
  t.strictSame(described('/messages', 'get').sort(), [
    'query cursor false', 'query from false', 'query limit false', 'query offset false', 'query q false', 'query since false', 'query source false', 'query to false', 'query until false'
  ])
  t.strictSame(described('/messages/{message_id}', 'get'), ['path message_id true'])
  t.strictSame(described('/webhook', 'post'), ['header x-signature true'])
  for (const item of Object.values(paths)) t.match(item.parameters, [{ name: 'X-Request-Id', in: 'header' }])
  for (const { name, description, schema } of paths['/messages']?.['get']?.parameters ?? []) {
    t.ok(description ?? schema['description'], name)
    for (const example of schema.examples ?? []) t.equal((await get(app, `/messages?${name}=${encodeURIComponent(String(example))}`)).status, 200, `${name}=${example}`)
  }
  t.match(paths['/messages']?.['get']?.parameters?.find(({ name }) => name === 'limit')?.schema, { type: 'integer', default: 50, minimum: 1, maximum: 100 })
})

t.test('every operation has a summary and a tag, every answer a description and its request id', async t => {
  const document = await documented(app)
  for (const item of Object.values(document.paths)) {
    for (const { summary, tags } of METHODS.flatMap(method => item[method] ?? [])) t.ok(summary && tags?.length === 1)
  }
  for (const [name, { description, headers }] of answersOf(document)) {
    t.ok(description && description !== 'Default Response', name)
    t.ok(headers?.['X-Request-Id'], name)
    t.equal(headers?.['Retry-After'] !== undefined, name.endsWith('503') && !name.includes('/health/'), name)
  }
})

t.test('what has no answer of its own is left alone by the request id', t => {
  const swaggerObject = { swagger: '2.0' }
  t.equal(withCommonHeaders({ swaggerObject }), swaggerObject)
  t.strictSame(withCommonHeaders({ openapiObject: {} }), {})
  const reference = { $ref: '#/components/responses/x' }
  const openapiObject = { paths: { '/none': undefined, '/bare': { get: { responses: {} } }, '/x': { get: { responses: { 200: reference } } } } }
  t.match(withCommonHeaders({ openapiObject }), { paths: { '/none': undefined, '/bare': { get: { responses: {} } }, '/x': { get: { responses: { 200: reference } } } } })
  t.strictSame(reference, { $ref: '#/components/responses/x' })
  t.end()
})

t.test('examples fit their schemas, and every body has some', async t => {
  const { paths } = await documented(app)
  let checked = 0
  for (const { schema, examples } of examplesIn(paths)) {
    for (const example of examples) {
      t.ok(ajv.validate(schema, example), `${JSON.stringify(example)}: ${ajv.errorsText()}`)
      checked++
    }
  }
  t.ok(checked > 40, `${checked} examples`)
  const { content = {} } = paths['/webhook']?.['post']?.requestBody ?? {}
  const properties = Object(content['application/json']?.schema['properties'])
  t.strictSame(Object.keys(properties), ['message_id', 'from', 'to', 'ts', 'text'])
  t.equal(examplesIn(properties).length, 5)
})

t.test('the examples of a delivery make a delivery that is taken', async t => {
  const { app } = await buildApp(t)
  const { paths } = await documented(app)
  const properties = Object(paths['/webhook']?.['post']?.requestBody?.content['application/json']?.schema['properties'])
  const body = Object.fromEntries(Object.keys(properties).map(name => [name, properties[name].examples[0]]))
  t.equal((await app.inject(delivery(body))).statusCode, 200)
  t.strictSame((await get(app, '/messages')).body['data'], [body])
})

t.test('Swagger UI is served at /docs and reads this document', async t => {
  for (const url of ['/docs', '/docs/']) {
    const { statusCode, body, headers } = await app.inject(url)
    if (statusCode === 302) t.match(headers['location'], /\/docs\/$|^\.\/docs\//)
    else t.match([statusCode, headers['content-type'], body], [200, /^text\/html/, /swagger-ui/])
  }
  t.equal((await app.inject('/docs/static/swagger-ui-bundle.js')).statusCode, 200)
  t.strictSame((await get(app, '/docs/json')).body, await documented(app))
})

t.test('the examples of an event and of a message by itself are taken', async t => {
  const { app } = await buildApp(t, PROVIDERS)
  const { paths } = await documented(app)
  const { examples = {}, schema = {} } = paths['/webhook/standard']?.['post']?.requestBody?.content['application/json'] ?? {}
  t.equal(Object.keys(examples).length, 2)
  for (const { value } of Object.values(examples)) {
    t.ok(ajv.validate(schema, value), ajv.errorsText())
    t.equal((await app.inject(standard(value))).statusCode, 200, JSON.stringify(value))
  }
})

t.test("the examples of WhatsApp's deliveries are taken", async t => {
  const { app } = await buildApp(t, PROVIDERS)
  const { paths } = await documented(app)
  const { examples = {} } = paths['/webhook/whatsapp']?.['post']?.requestBody?.content['application/json'] ?? {}
  t.equal(Object.keys(examples).length, 3)
  for (const { value } of Object.values(examples)) t.equal((await app.inject(whatsapp(value))).statusCode, 200, JSON.stringify(value))
  t.equal((await get(app, '/messages')).body['total'], 2)
})
