/** Each rule of the schema, at its edges. */
import t, { type Test } from 'tap'
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { buildApp, delivery, get, getMessage, message, rowsStored } from '../helper.ts'

/** A value as the name of an assertion: short and ASCII. */
function named (value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, '?').slice(0, 40)
}

/** Delivers what must be taken, and checks that it reads back as it was sent. */
async function takes (t: Test, app: FastifyInstance, fields: Record<string, unknown>): Promise<void> {
  const name = named(fields)
  const sent = message({ message_id: randomUUID(), ...fields })
  const { statusCode, body } = await app.inject(delivery(sent))
  t.equal(statusCode, 200, `${name}: ${body.slice(0, 200)}`)
  t.strictSame(await getMessage(app, `/messages/${encodeURIComponent(String(sent['message_id']))}`), sent, name)
}

/** Delivers what must be refused, with an error at exactly these paths. */
async function refuses (t: Test, app: FastifyInstance, body: unknown, paths: string[]): Promise<void> {
  const name = named(body)
  const response = await app.inject(delivery(body))
  t.equal(response.statusCode, 422, `${name}: ${response.body.slice(0, 200)}`)
  const { detail, errors, ...rest } = response.json<{ detail: unknown, errors: { path: string, message: string }[] }>()
  t.type(detail, 'string')
  t.strictSame(rest, {})
  t.strictSame([...new Set(errors.map(({ path }) => path))].sort(), paths, name)
  for (const error of errors) t.strictSame(Object.keys(error), ['path', 'message'])
}

t.test('message_id is a string of 1 to 600 characters, counted as code points', async t => {
  const { app } = await buildApp(t)
  for (const id of ['a', '😀', 'x'.repeat(600), '😀'.repeat(600), '<script>', "'; DROP TABLE messages; --", '\u0001', '\u2028', '\ufffd', '\ufeff', '__proto__', 'null']) {
    await takes(t, app, { message_id: id })
  }
  for (const id of ['', 'x'.repeat(601), '😀'.repeat(601), 5, 0, true, null, [], ['m1'], {}]) {
    await refuses(t, app, message({ message_id: id }), ['/message_id'])
  }
})

t.test('from and to are + and 1 to 32 ASCII digits', async t => {
  const { app } = await buildApp(t)
  for (const field of ['from', 'to']) {
    for (const number of ['+0', '+00', '+919876543210', `+${'9'.repeat(32)}`]) await takes(t, app, { [field]: number })
    for (const number of [
      '', '+', '1', '919876543210', `+${'9'.repeat(33)}`, '+91\n', '+91\r\n', '\n+91', ' +91', '+91 ', '+ 91', '++91', '+9-1', '+9.1',
      '+٩١', '+９１', '+0x1', '+1e3', '-91', '+91\u0000', '+91a', 91, 919876543210, null, true, ['+91'], {}
    ]) await refuses(t, app, message({ [field]: number }), [`/${field}`])
  }
})

t.test('text is null or a string of at most 4096 characters, counted as code points', async t => {
  const { app } = await buildApp(t)
  for (const text of [null, '', 'x'.repeat(4096), '😀'.repeat(4096), '\n\t"\\/', '\u2028\u2029', 'e\u0301', '\ufeff', '</script>', '\u007f\u0080']) {
    await takes(t, app, { text })
  }
  for (const text of ['x'.repeat(4097), '😀'.repeat(4097), 5, false, [], {}]) {
    await refuses(t, app, message({ text }), ['/text'])
  }
})

t.test('U+0000 and lone surrogates are refused, escaped as they come; pairs are taken', async t => {
  const { app } = await buildApp(t)
  const json = JSON.stringify(message({ message_id: 'ID', text: 'TEXT' }))
  for (const escape of ['\\u0000', '\\ud800', '\\udfff', '\\udc00\\ud800', '\\ud83d', 'a\\ud83dx', '\\ud83d\\ud83d\\ude00']) {
    await refuses(t, app, json.replace('ID', escape), ['/message_id'])
    await refuses(t, app, json.replace('TEXT', escape), ['/text'])
    await refuses(t, app, json.replace('+919876543210', `+91${escape}`), ['/from'])
  }
  t.equal(await rowsStored(t), 0)
  t.equal((await app.inject(delivery(json.replace('TEXT', '\\ud83d\\ude00')))).statusCode, 200)
  t.equal((await get(app, '/messages/ID')).body['text'], '😀')
})

t.test('a missing field is refused, and every broken rule is named', async t => {
  const { app } = await buildApp(t)
  for (const field of ['message_id', 'from', 'to', 'ts']) {
    const { [field]: _, ...rest } = message()
    await refuses(t, app, rest, [`/${field}`])
  }
  await refuses(t, app, {}, ['/from', '/message_id', '/to', '/ts'])
  await refuses(t, app, message({ from: 1, ts: 'x', text: 2 }), ['/from', '/text', '/ts'])
})

t.test('a 422 has exactly a detail and the errors, and repeats nothing of the input', async t => {
  const { app } = await buildApp(t)
  const response = await app.inject(delivery(message({ from: '91987654' })))
  t.equal(response.body, '{"detail":"body/from must be a phone number: + and 1 to 32 ASCII digits",' +
    '"errors":[{"path":"/from","message":"must be a phone number: + and 1 to 32 ASCII digits"}]}')
})

t.test('a body that is no JSON object is refused', async t => {
  const { app } = await buildApp(t)
  for (const body of ['null', 'true', '5', '"m1"', '[]', `[${JSON.stringify(message())}]`, JSON.stringify(JSON.stringify(message()))]) {
    await refuses(t, app, body, [''])
  }
  for (const body of [
    '', ' ', '{', '{}{}', `${JSON.stringify(message())}x`, "{'message_id':'m1'}", '{"a":1,}', 'NaN', '{"a":NaN}', '// c\n{}', 'undefined',
    '[', '[1', `${JSON.stringify(message())}\u0000`
  ]) await refuses(t, app, body, [''])
  t.equal(await rowsStored(t), 0)
})

t.test('a body that is not UTF-8 is refused, wherever the bytes are', async t => {
  const { app } = await buildApp(t)
  const json = JSON.stringify(message({ text: 'é', extra: '?' }))
  const inText = Buffer.from(json.replace('é', '\u00ff'), 'latin1')
  for (const body of [
    inText, Buffer.from(json.replace('?', '\u00c3'), 'latin1'), Buffer.from(json, 'utf16le'), Buffer.from([0xff]),
    Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')])
  ]) await refuses(t, app, body, [''])
})

t.test('unknown fields are ignored, those that reach for a prototype too', async t => {
  const { app } = await buildApp(t)
  const json = JSON.stringify(message())
  const unknown = [
    '"extra":1', '"extra":{"a":[{}]}', '"__proto__":{"text":"x"}', '"__proto__":null', '"constructor":{"prototype":{"a":1}}',
    '"constructor":5', '"\\u005f_proto__":{"polluted":true}', '"toString":1', '"":0', '"e":1e400', '"TEXT":5', `"deep":${'['.repeat(9999)}${']'.repeat(9999)}`
  ]
  for (const [n, field] of unknown.entries()) {
    const response = await app.inject(delivery(json.replace('"m1"', `"u${n}"`).replace('{', `{${field},`)))
    t.equal(response.statusCode, 200, `${field.slice(0, 40)} ${response.body}`)
    t.strictSame(await getMessage(app, `/messages/u${n}`), message({ message_id: `u${n}` }))
  }
  t.notOk('polluted' in {})
})

t.test('fields that only a prototype has are missing', async t => {
  const { app } = await buildApp(t)
  await refuses(t, app, `{"__proto__":${JSON.stringify(message())}}`, ['/from', '/message_id', '/to', '/ts'])
  const inherited = '{"__proto__":{"message_id":"m1"},"from":"+1","to":"+2","ts":"2025-01-15T10:00:00Z"}'
  await refuses(t, app, inherited, ['/message_id'])
})

t.test('of a key that is there twice the last one counts', async t => {
  const { app } = await buildApp(t)
  t.equal((await app.inject(delivery(JSON.stringify(message()).replace('{', '{"message_id":"m0","text":5,')))).statusCode, 200)
  t.strictSame((await get(app, '/messages')).body['data'], [message()])
  await refuses(t, app, JSON.stringify(message()).replace(/}$/, ',"text":5}'), ['/text'])
})

t.test('white space around JSON and a byte order mark before it are ignored (RFC 8259)', async t => {
  const { app } = await buildApp(t)
  const json = JSON.stringify(message())
  for (const body of [` \t\r\n${json}\n`, `\ufeff${json}`]) t.equal((await app.inject(delivery(body))).statusCode, 200)
})
