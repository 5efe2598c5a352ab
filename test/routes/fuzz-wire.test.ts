/** Requests with random damage, as bytes on a socket: whatever comes of them, each answer keeps what was promised. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { buildApp, get, getMessage, listen, message, rowsStored, SECRET } from '../helper.ts'
import { answersOf, chunk, exchange, head, open, post, signed, type Answer } from '../wire.ts'
import { fuzzing } from '../fuzz.ts'

/** So many damaged requests are sent at once. */
const AT_ONCE = 20
/** A connection on which nothing came for so long waits for more bytes, in ms. */
const IDLE = 250

const damage = fc.record({
  at: fc.nat(),
  cut: fc.constantFrom(0, 0, 0, 1, 2, 5),
  /** Put at the place, or as a line of its own behind it. */
  put: fc.constantFrom('\r\n', '\n', '\r', '\0', ':', ' ', '\t', ',', ';', '%', '?', '#', '/', '{', '"', '\xff', '\xe9', '\x7f', '0', 'f', 'Content-Length: 0', 'Content-Length: 5',
    'Transfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked', 'Connection: keep-alive', 'Expect: 100-continue', 'Upgrade: h2c\r\nConnection: Upgrade', `X-Signature: ${'0'.repeat(63)}`,
    'Content-Type: text/plain', 'Content-Encoding: gzip', 'Host: y', 'X-Request-Id: same', 'GET ', ' HTTP/1.0', 'http://', '\r\n\r\n', '0\r\n\r\n', 'Trailer: X-Signature'),
  line: fc.boolean()
})
const recipe = fc.record({
  kind: fc.constantFrom('post', 'chunked', 'unsigned', 'get'),
  target: fc.constantFrom('/messages?limit=1&q=a', '/messages/none', '/stats', '/metrics', '/health/live', '/openapi.json', '/%', '*', 'http://x/stats'),
  /** No HEAD: where the answer to one ends, its headers do not tell. */
  method: fc.constantFrom('GET', 'GET', 'OPTIONS', 'DELETE', 'QUERY', 'CONNECT', 'FETCH'),
  damages: fc.array(damage, { maxLength: 3 }),
  split: fc.nat(),
  behind: fc.constantFrom('', '', 'garbage\r\n\r\n', 'GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
})
type Recipe = typeof recipe extends fc.Arbitrary<infer Value> ? Value : never

function bytesOf ({ kind, target, method, damages, behind }: Recipe, body: Buffer): Buffer {
  const whole = kind === 'post'
    ? post(body.toString(), 'X-A: b')
    : kind === 'get'
      ? Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\r\n`)
      : Buffer.concat([Buffer.from(head('Transfer-Encoding: chunked', ...kind === 'chunked' ? signed(body) : ['Content-Type: application/json'])), chunk(body), chunk('')])
  return damages.reduce((bytes, { at, cut, put, line }) => {
    const place = at % (bytes.length + 1)
    const end = line ? bytes.indexOf('\r\n', place) + 2 : place
    return Buffer.concat([bytes.subarray(0, end), Buffer.from(line ? `${put}\r\n` : put, 'latin1'), bytes.subarray(end + cut)])
  }, Buffer.concat([whole, Buffer.from(behind)]))
}

/** Sends bytes in two packets, and gives back what came until the connection was closed, or idle. */
async function send (port: number, bytes: Buffer, split: number): Promise<Answer[]> {
  const socket = await open(port)
  const closed = once(socket, 'close').catch(() => {})
  let received = ''
  let idle = setTimeout(() => socket.destroy(), IDLE)
  socket.setEncoding('latin1').on('error', () => {}).on('data', data => {
    received += data
    idle = idle.refresh()
  })
  const place = split % (bytes.length + 1)
  socket.write(bytes.subarray(0, place), () => socket.write(bytes.subarray(place)))
  await closed
  clearTimeout(idle)
  return answersOf(received).filter(({ status }) => status !== 100)
}

t.test('whatever comes over the wire', async t => {
  const { app, lines, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  const sent = new Set<string>()
  let taken = 0

  await fc.assert(fc.asyncProperty(fc.array(recipe, { minLength: AT_ONCE, maxLength: AT_ONCE }), async recipes => {
    const answers = await Promise.all(recipes.map(async recipe => {
      const delivered = message({ message_id: `m${sent.size}`, text: `SECRETTEXT ${sent.size}` })
      sent.add(JSON.stringify(delivered))
      const answers = await send(port, bytesOf(recipe, Buffer.from(JSON.stringify(delivered))), recipe.split)
      const oks = answers.filter(({ body }) => body === '{"status":"ok"}').length
      taken += oks
      if (oks > 0 && recipe.kind === 'unsigned') throw new Error('taken without a signature')
      if (oks > 0) same(await getMessage(app, `/messages/${String(delivered['message_id'])}`), delivered)
      return answers
    }))
    for (const { status, headers, body } of answers.flat()) {
      if (![200, 400, 401, 403, 404, 413, 415, 422, 431].includes(status)) throw new Error(`answered ${status} ${JSON.stringify(headers)} ${body}`)
      if (status >= 400 && body !== '' && typeof JSON.parse(body).detail !== 'string') throw new Error(`answered ${body}`)
      const id = headers['x-request-id']
      if (id === undefined) throw new Error(`no id: ${status} ${body}`)
      // One that a client chose may be another's, too.
      if (/^[\w-]{36}$/.test(id)) same((await lineOf(id)).map(line => line['status']), [status])
    }
  }), fuzzing(t, 10))

  /** The log lines of an answer, the first of which may come a moment later than the answer. */
  async function lineOf (id: string, patience = 100): Promise<Record<string, unknown>[]> {
    const found = requestLines().filter(line => line['request_id'] === id)
    if (found.length > 0 || patience === 0) return found
    await delay(10)
    return lineOf(id, patience - 1)
  }

  const rows = (await get<{ data: unknown[] }>(app, '/messages?limit=100')).body.data
  t.strictSame(rows.filter(row => !sent.has(JSON.stringify(row))), [], 'nothing is stored that was not signed')
  t.ok(taken > 0 && await rowsStored(t) >= taken, `${taken} were taken`)
  const log = JSON.stringify(lines)
  for (const secret of [SECRET, 'SECRETTEXT', '919876543210', '14155550100']) t.notOk(log.includes(secret), secret)
  t.notMatch(log, /[0-9a-f]{64}/, 'no signature')
})

t.test('ids that clients take for steps in the path can be read, too', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  for (const id of ['.', '..']) {
    const body = JSON.stringify(message({ message_id: id }))
    t.match(await exchange(port, post(body, 'Connection: close')), [{ status: 200 }])
    t.match(await exchange(port, `GET /messages/${id.replaceAll('.', '%2E')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), [{ status: 200, body: `${body.slice(0, -1)},` }])
  }
})

function same (actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (one !== other) throw new Error(`${one}, not ${other}`)
}
