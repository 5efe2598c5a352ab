import fc from 'fast-check'
import t from 'tap'
import { hmacSha256Verifier, sign } from '../../../src/signature/hmac-sha256.ts'

const BODY = Buffer.from('{"message_id":"m1"}')
const verify = hmacSha256Verifier('x-signature', ['key'])

/** RFC 4231, section 4: the cases whose keys are UTF-8, and whose digests are not truncated. */
const RFC_4231 = [
  {
    name: 'case 1',
    key: '\x0b'.repeat(20),
    data: Buffer.from('Hi There'),
    digest: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'
  },
  {
    name: 'case 2',
    key: 'Jefe',
    data: Buffer.from('what do ya want for nothing?'),
    digest: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
  },
  {
    name: 'case 4',
    key: String.fromCharCode(...Array.from({ length: 25 }, (_, index) => index + 1)),
    data: Buffer.alloc(50, 0xcd),
    digest: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b'
  }
] as const

t.test('signatures are those of RFC 4231', async t => {
  for (const { name, key, data, digest } of RFC_4231) {
    t.equal(sign(data, key), digest, name)
    t.equal(hmacSha256Verifier('x-signature', [key])({ 'x-signature': digest }, data).refusal, undefined, name)
  }
})

t.test('signatures are those of GitHub', async t => {
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
  const signature = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const body = Buffer.from('Hello, World!')
  t.equal(sign(body, "It's a Secret to Everybody"), signature)
  t.equal(hmacSha256Verifier('x-signature', ["It's a Secret to Everybody"])({ 'x-signature': signature }, body).body, body)
})

t.test('a right signature gives the very bytes, in either case of its digits', async t => {
  const signature = sign(BODY, 'key')
  for (const spelling of [signature, signature.toUpperCase(), signature.slice(0, 32).toUpperCase() + signature.slice(32)]) {
    t.equal(verify({ 'x-signature': spelling }, BODY).body, BODY, spelling)
  }
})

t.test('no bytes at all are signed like any others', async t => {
  const empty = Buffer.alloc(0)
  t.equal(verify({ 'x-signature': sign(empty, 'key') }, empty).body, empty)
  t.equal(verify({ 'x-signature': sign(BODY, 'key') }, empty).refusal, 'mismatch')
})

t.test('no header is a missing signature', async t => {
  t.strictSame(verify({}, BODY), { refusal: 'missing' })
  t.strictSame(verify({ 'x-other': sign(BODY, 'key') }, BODY), { refusal: 'missing' })
})

t.test('anything but 64 hex digits is malformed', async t => {
  const signature = sign(BODY, 'key')
  for (const value of [
    '', ' ', 'banana', `sha256=${signature}`, ` ${signature}`, `${signature} `, `${signature}\n`, `\n${signature}`, signature.slice(1),
    signature.slice(2), `${signature}0`, `${signature}00`, `${signature}${signature}`, `${signature}, ${signature}`, `0x${signature.slice(2)}`,
    `${signature.slice(0, 62)}zz`, `g${signature.slice(1)}`, `"${signature}"`, signature.replace(/./, '０'), 'ÿ'.repeat(64), '\u0000'.repeat(64),
    Buffer.from(signature, 'hex').toString('base64')
  ]) t.strictSame(verify({ 'x-signature': value }, BODY), { refusal: 'malformed' }, JSON.stringify(value))
  t.strictSame(verify({ 'x-signature': [signature, signature] }, BODY), { refusal: 'malformed' }, 'a list')
})

t.test('64 digits that are not the signature are a mismatch', async t => {
  const signature = sign(BODY, 'key')
  for (let place = 0; place < 64; place++) {
    const digit = signature[place] === '0' ? '1' : '0'
    const verdict = verify({ 'x-signature': signature.slice(0, place) + digit + signature.slice(place + 1) }, BODY)
    if (verdict.refusal !== 'mismatch') t.fail(`digit ${place} does not count`)
  }
  t.equal(verify({ 'x-signature': '0'.repeat(64) }, BODY).refusal, 'mismatch')
  t.equal(verify({ 'x-signature': sign(BODY, 'other') }, BODY).refusal, 'mismatch')
  t.equal(verify({ 'x-signature': sign(BODY, 'Key') }, BODY).refusal, 'mismatch')
})

t.test('a signature is good for its own bytes only', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (signed, sent) => {
    const same = Buffer.compare(signed, sent) === 0
    const { refusal } = verify({ 'x-signature': sign(Buffer.from(signed), 'key') }, Buffer.from(sent))
    return refusal === (same ? undefined : 'mismatch')
  }))
  t.equal(verify({ 'x-signature': sign(BODY, 'key') }, Buffer.from('{"message_id": "m1"}')).refusal, 'mismatch')
})

t.test('any of the secrets will do, and none accepts nothing', async t => {
  const both = hmacSha256Verifier('x-signature', ['current', 'previous'])
  t.equal(both({ 'x-signature': sign(BODY, 'current') }, BODY).body, BODY)
  t.equal(both({ 'x-signature': sign(BODY, 'previous') }, BODY).body, BODY)
  t.equal(both({ 'x-signature': sign(BODY, 'older') }, BODY).refusal, 'mismatch')
  t.equal(hmacSha256Verifier('x-signature', [])({ 'x-signature': sign(BODY, '') }, BODY).refusal, 'mismatch')
})

t.test('a secret is taken as UTF-8, as it is', async t => {
  t.equal(sign(BODY, 'clé 😀'), sign(BODY, Buffer.from('clé 😀').toString()))
  t.not(sign(BODY, 'cl\u00e9'), sign(BODY, 'cle\u0301'))
  t.not(sign(BODY, 'key'), sign(BODY, ' key'))
})
