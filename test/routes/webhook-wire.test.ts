/** Deliveries as bytes on a connection. */
import t from 'tap'
import { once } from 'node:events'
import { buildApp, listen, message, rowsStored } from '../helper.ts'
import { chunk, exchange, head, open, post, signed, writeThenRead } from '../wire.ts'

const OK = '{"status":"ok"}'
const REFUSED = '{"detail":"invalid signature"}'
const json = Buffer.from(JSON.stringify(message({ text: 'h\u00e9llo 😀' })))
const LIMIT = 1_048_576

/** A delivery of exactly `size` bytes. */
function ofSize (size: number): Buffer {
  const bare = JSON.stringify(message({ padding: '' }))
  return Buffer.from(JSON.stringify(message({ padding: 'x'.repeat(size - bare.length) })))
}

t.test('a body in chunks is the same delivery', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const pieces = Array.from({ length: Math.ceil(json.length / 7) }, (_, n) => chunk(json.subarray(n * 7, n * 7 + 7)))
  const [answer] = await exchange(port, head(...signed(json), 'Transfer-Encoding: chunked', 'Connection: close'), ...pieces, chunk(''))
  t.match(answer, { status: 200, body: OK })
  t.equal(await rowsStored(t), 1)
})

t.test('a body in chunks without a Content-Type is a delivery too', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const [, signature = ''] = signed(json)
  const [right] = await exchange(port, head(signature, 'Transfer-Encoding: chunked', 'Connection: close'), chunk(json), chunk(''))
  t.match(right, { status: 200, body: OK })
  const [wrong] = await exchange(port, head('Transfer-Encoding: chunked', 'Connection: close'), chunk(json), chunk(''))
  t.match(wrong, { status: 401, body: REFUSED })
})

t.test('a request that arrives byte by byte is the same delivery', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const bytes = post(json.toString(), 'Connection: close')
  const packets = Array.from(bytes, (_, n) => bytes.subarray(n, n + 1))
  t.match(await exchange(port, ...packets), [{ status: 200, body: OK }])
  t.equal(await rowsStored(t), 1)
})

t.test('header bytes that are not ASCII are 401', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const [type = '', signature = ''] = signed(json)
  for (const line of [`${signature}\u00e9`, signature.replace(/.$/, '\u00b2'), 'X-Signature: \u00ff\u00fe\u0080', `X-Signature: ${'\u00a0'.repeat(64)}`]) {
    const [answer] = await exchange(port, head(type, line, `Content-Length: ${json.length}`, 'Connection: close'), json)
    t.match(answer, { status: 401, body: REFUSED })
  }
  t.equal(await rowsStored(t), 0)
})

t.test('two X-Signature headers are 401, even if both are right', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const [type = '', signature = ''] = signed(json)
  for (const lines of [[signature, signature], [signature, 'X-Signature: 00'], ['X-Signature: 00', signature], [signature, 'X-Signature:']]) {
    const [answer] = await exchange(port, head(type, ...lines, `Content-Length: ${json.length}`, 'Connection: close'), json)
    t.match(answer, { status: 401, body: REFUSED })
  }
})

t.test('a header name in any letter case is the same header', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const [type = '', signature = ''] = signed(json)
  const lines = [type.toUpperCase(), signature.replace('X-Signature', 'x-SIGNATURE'), `Content-Length: ${json.length}`]
  t.match(await exchange(port, head(...lines, 'Connection: close'), json), [{ status: 200 }])
})

t.test('a POST without body and without Content-Type is 401', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  t.match(await exchange(port, head('Connection: close')), [{ status: 401, body: REFUSED }])
  t.match(await exchange(port, head('Content-Length: 0', 'Connection: close')), [{ status: 401, body: REFUSED }])
})

t.test('deliveries that share a connection, pipelined, are answered in order', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const [first, second] = ['a', 'b'].map(id => post(JSON.stringify(message({ message_id: id }))))
  const answers = await exchange(port, Buffer.concat([
    first ?? '', second ?? '', Buffer.from(head()), Buffer.from('GET /messages HTTP/1.1\r\nHost: x\r\n\r\n'), post('{', 'Connection: close')
  ].map(bytes => Buffer.from(bytes))))
  t.strictSame(answers.map(({ status }) => status), [200, 200, 401, 200, 422])
  t.equal(await rowsStored(t), 2)
})

for (const chunked of [false, true]) {
  const way = chunked ? 'in chunks' : 'with a Content-Length'

  t.test(`a body of exactly BODY_LIMIT ${way} is taken`, async t => {
    const { app } = await buildApp(t)
    const { port } = await listen(app)
    const body = ofSize(LIMIT)
    t.equal(body.length, LIMIT)
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
    const packets = chunked ? [chunk(body), chunk('')] : [body]
    t.match(await exchange(port, head(...signed(body), framing, 'Connection: close'), ...packets), [{ status: 200, body: OK }])
  })

  for (const size of [LIMIT + 1, 2_000_000, 8_000_000]) {
    t.test(`a body of ${size} bytes ${way} is 413, and the answer reaches a client that reads only after writing all`, async t => {
      const { app, requestLines } = await buildApp(t)
      const { port } = await listen(app)
      const body = ofSize(size)
      const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
      const packets = chunked ? [chunk(body), chunk('')] : [body]
      const answers = await writeThenRead(port, head(...signed(body), framing), ...packets)
      t.match(answers, [{ status: 413, headers: { connection: 'close' }, body: '{"detail":"the body is too large"}' }])
      t.equal(answers.length, 1)
      t.equal(await rowsStored(t), 0)
      t.match(requestLines(), [{ status: 413, result: 'too_large' }])
    })
  }
}

t.test('BODY_LIMIT is what was configured', async t => {
  const { app } = await buildApp(t, { BODY_LIMIT: '200' })
  const { port } = await listen(app)
  const [fits, over] = [ofSize(200), ofSize(201)].map(body => post(body.toString(), 'Connection: close'))
  t.match(await exchange(port, fits ?? ''), [{ status: 200 }])
  t.match(await exchange(port, over ?? ''), [{ status: 413 }])
})

t.test('a client that waits for 100 Continue gets it, then its answer', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const socket = await open(port)
  socket.setEncoding('utf8').write(head(...signed(json), `Content-Length: ${json.length}`, 'Expect: 100-continue', 'Connection: close'))
  const [interim] = await once(socket, 'data')
  t.equal(interim, 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write(json)
  const [answer] = await once(socket, 'data')
  t.match(answer, /^HTTP\/1\.1 200 /)
})

t.test('a client that does not wait for the answer has delivered', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const socket = await open(port)
  const taken = once(app.server, 'request')
  socket.end(post(json.toString()))
  socket.destroy()
  await taken
  await app.close()
  t.equal(await rowsStored(t), 1)
})

t.test('a body of many times the limit is 413 at once, by what it says of its length and by what comes', async t => {
  const { app } = await buildApp(t, { BODY_LIMIT: '10' })
  const { port } = await listen(app)
  const [announced] = await exchange(port, head('Content-Length: 641'))
  t.match(announced, { status: 413 })
  const [sent] = await exchange(port, head('Transfer-Encoding: chunked'), ...Array.from({ length: 7 }, () => chunk('x'.repeat(100))))
  t.match(sent, { status: 413 })
})
