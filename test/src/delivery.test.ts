import t from 'tap'
import { DELIVERY_RESULTS, UnreadableBody, UnsupportedType, claimedMessageId, deliveryResult, isJsonType, messageIdOf, parseJson } from '../../src/delivery.ts'
import { DEFAULT_SCHEME, hmacVerifier, sign } from '../../src/signature/hmac.ts'
import type { Verified } from '../../src/signature/verifier.ts'

const verify = hmacVerifier(DEFAULT_SCHEME, ['key'])

/** Bytes as a verifier lets them through. */
function verified (body: string | Buffer): Verified {
  const bytes = Buffer.from(body)
  const verdict = verify({ 'x-signature': sign(bytes, 'key') }, bytes)
  if (verdict.refusal !== undefined) throw new Error(verdict.refusal)
  return verdict.body
}

t.test('every status stands for one result', async t => {
  for (const [status, dup, result] of [
    [200, false, 'created'], [200, true, 'duplicate'], [401, false, 'invalid_signature'], [413, false, 'too_large'],
    [415, false, 'unsupported_type'], [422, false, 'validation_error'], [400, false, 'validation_error'],
    [499, false, 'unavailable'], [500, false, 'unavailable'], [503, false, 'unavailable']
  ] as const) {
    t.equal(deliveryResult(status, dup), result, `${status} ${dup}`)
    t.ok(DELIVERY_RESULTS.includes(result))
  }
})

t.test('JSON is said by application/json and application/*+json, and by silence', async t => {
  for (const type of [
    undefined, '', 'application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application/json;charset=latin1',
    ' application/json ', 'application/cloudevents+json', 'application/vnd.api+json; profile="a;b"', 'application/A+B+JSON', 'application/json;'
  ]) t.ok(isJsonType(type), JSON.stringify(type))
})

t.test('any other type is not JSON', async t => {
  for (const type of [
    ' ', '\t', 'text/plain', 'text/json', 'application/jsonp', 'application/json+xml', 'application/+json', 'application/x-www-form-urlencoded',
    'application/json, text/plain', 'application/a/b+json', 'application/a b+json', 'xapplication/json', 'json', 'application/', '*/*',
    'application/ json', 'application/octet-stream; type=application/json'
  ]) t.notOk(isJsonType(type), type)
})

t.test('a verified body is parsed', async t => {
  t.strictSame(parseJson(verified('{"message_id":"m1","text":"\\u00e9"}')), { message_id: 'm1', text: 'é' })
  t.equal(parseJson(verified(' null ')), null)
  t.strictSame(parseJson(verified('[1]')), [1])
})

t.test('a body that is not UTF-8 is unreadable', async t => {
  for (const bytes of ['22c328 22', '22ff22', '22c0af22', '22eda08022', '22e28222', '22f490808022', '80']) {
    t.throws(() => parseJson(verified(Buffer.from(bytes.replace(' ', ''), 'hex'))), new UnreadableBody('must be UTF-8'), bytes)
  }
})

t.test('a body that is not JSON is unreadable', async t => {
  for (const text of ['', ' ', '{', '{"a":1,}', "{'a':1}", '{"a":NaN}', '{}{}', 'undefined', '{"a":"\u0001"}', '\u00a0{}', '{"a":01}']) {
    t.throws(() => parseJson(verified(text)), new UnreadableBody('must be JSON'), JSON.stringify(text))
  }
})

t.test('keys that would reach a prototype are dropped', async t => {
  const parsed = parseJson(verified('{"__proto__":{"from":"+1"},"constructor":{"prototype":{"x":1}},"\\u005f_proto__":{"y":1},"to":"+2"}')) as object
  t.strictSame(Object.keys(parsed), ['to'])
  t.notOk('x' in parsed)
  t.notOk('y' in parsed)
  t.notOk('from' in parsed)
})

t.test('a refused body gives the message_id that it claims', async t => {
  for (const [body, id] of [
    ['{"message_id":"m1"}', 'm1'], ['{"message_id":""}', ''], ['{"message_id":5}', undefined], ['{"message_id":null}', undefined],
    ['{}', undefined], ['[]', undefined], ['null', undefined], ['"message_id"', undefined], ['5', undefined], ['', undefined], ['{', undefined],
    ['{"message_id":"m1"', 'm1'], ['{"message_id":"m', undefined], ['{"message_id" : "a\\"\\u00e9" , broken', 'a"é'], ['{"message_id":"\\x"', undefined],
    ['\ufeff{"message_id":"m1"}', 'm1'], ['{"message_id":5', undefined], ['{"message_id":"m1"}}', 'm1'], [`${' '.repeat(65_536)}"message_id":"m1"`, undefined],
    [`{"message_id":"m1","x":"${'x'.repeat(65_536)}"}`, 'm1'], [`{"x":"${'x'.repeat(65_536)}","message_id":"m1"}`, undefined]
  ] as const) t.equal(claimedMessageId(Buffer.from(body)), id, body.trim())
})

t.test('the message_id for the log is cut at 600 characters', async t => {
  t.equal(messageIdOf({ message_id: 'x'.repeat(601) }), 'x'.repeat(600))
  t.equal(messageIdOf({ message_id: 'x'.repeat(600) }), 'x'.repeat(600))
  t.equal(messageIdOf({ message_id: '😀'.repeat(600) }), '😀'.repeat(600), 'an id of 600 code points is whole')
  t.equal(messageIdOf({ message_id: `x${'😀'.repeat(700)}` }), `x${'😀'.repeat(599)}`, 'no pair is parted')
})

t.test('a body of another type is not parsed at all', async t => {
  t.strictSame(parseJson(verified('{"a":1}'), 'application/json; charset=utf-8'), { a: 1 })
  for (const body of ['{"a":1}', '{']) {
    t.throws(() => parseJson(verified(body), 'text/plain'), new UnsupportedType('the Content-Type must be application/json or application/*+json'))
  }
})
