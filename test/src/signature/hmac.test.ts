import fc from 'fast-check'
import t from 'tap'
import { DEFAULT_SCHEME, hmacVerifier, isSignatureHeader, sign, signaturePattern, type HmacScheme } from '../../../src/signature/hmac.ts'

const BODY = Buffer.from('{"message_id":"m1"}')
const verify = hmacVerifier(DEFAULT_SCHEME, ['key'])

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
    t.equal(hmacVerifier(DEFAULT_SCHEME, [key])({ 'x-signature': digest }, data).refusal, undefined, name)
  }
})

t.test('signatures are those of GitHub', async t => {
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
  const signature = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const body = Buffer.from('Hello, World!')
  t.equal(sign(body, "It's a Secret to Everybody"), signature)
  t.equal(hmacVerifier(DEFAULT_SCHEME, ["It's a Secret to Everybody"])({ 'x-signature': signature }, body).body, body)
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
  const both = hmacVerifier(DEFAULT_SCHEME, ['current', 'previous'])
  t.equal(both({ 'x-signature': sign(BODY, 'current') }, BODY).body, BODY)
  t.equal(both({ 'x-signature': sign(BODY, 'previous') }, BODY).body, BODY)
  t.equal(both({ 'x-signature': sign(BODY, 'older') }, BODY).refusal, 'mismatch')
  t.equal(hmacVerifier(DEFAULT_SCHEME, [])({ 'x-signature': sign(BODY, '') }, BODY).refusal, 'mismatch')
})

t.test('a secret is taken as UTF-8, as it is', async t => {
  t.equal(sign(BODY, 'clé 😀'), sign(BODY, Buffer.from('clé 😀').toString()))
  t.not(sign(BODY, 'cl\u00e9'), sign(BODY, 'cle\u0301'))
  t.not(sign(BODY, 'key'), sign(BODY, ' key'))
})

const SCHEMES = (['hex', 'base64'] as const).flatMap(encoding => (['sha256', 'sha512'] as const).flatMap(algorithm =>
  ['', 'sha256=', 'HMAC ', 'a.b*[c]/|$^(1){2}\\?+'].map((prefix): HmacScheme => ({ header: 'x-seal', prefix, encoding, algorithm }))))

/** The refusal of one value of the header; undefined when it is let in. */
const judge = (scheme: HmacScheme, value: string, body = BODY) => hmacVerifier(scheme, ['key'])({ [scheme.header]: value }, body).refusal

t.test('SHA-512 is that of RFC 4231, in hex and in base64', async t => {
  const hex = '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737'
  const data = Buffer.from('what do ya want for nothing?')
  t.equal(sign(data, 'Jefe', { ...DEFAULT_SCHEME, algorithm: 'sha512' }), hex)
  t.equal(sign(data, 'Jefe', { ...DEFAULT_SCHEME, algorithm: 'sha512', encoding: 'base64' }), Buffer.from(hex, 'hex').toString('base64'))
})

t.test('GitHub signs by header and prefix', async t => {
  const github: HmacScheme = { ...DEFAULT_SCHEME, header: 'x-hub-signature-256', prefix: 'sha256=' }
  const body = Buffer.from('Hello, World!')
  const value = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const verify = hmacVerifier(github, ["It's a Secret to Everybody"])
  t.equal(verify({ 'x-hub-signature-256': value }, body).body, body)
  t.strictSame(verify({ 'x-signature': value }, body), { refusal: 'missing' })
})

t.test('every scheme accepts what it signs, and nothing that is spelled otherwise', async t => {
  for (const scheme of SCHEMES) {
    const { prefix, encoding } = scheme
    const right = sign(BODY, 'key', scheme)
    const digest = right.slice(prefix.length)
    t.equal(judge(scheme, right), undefined, right)
    t.match(right, new RegExp(signaturePattern(scheme), 'u'))
    t.equal(judge(scheme, sign(BODY, 'other', scheme)), 'mismatch')
    t.equal(judge(scheme, right, Buffer.from('other')), 'mismatch')
    if (encoding === 'hex') t.equal(judge(scheme, prefix + digest.toUpperCase()), undefined)
    for (const wrong of [
      '', prefix, ` ${right}`, `${right} `, `${right}\n`, `${right}=`, right.slice(0, -1), `${prefix}${right}x`, `x${right}`, `${prefix} ${digest}`,
      `${right}, ${right}`, `${prefix}${digest}${digest}`, `${prefix}${'!'.repeat(digest.length)}`, `sha1=${digest}`, `${prefix}sha512=${digest}`,
      ...prefix === '' ? [] : [digest, prefix.slice(1) + digest, prefix.slice(0, -1) + digest],
      ...prefix === 'sha256=' ? [`SHA256=${digest}`] : []
    ]) t.equal(judge(scheme, wrong), 'malformed', wrong)
  }
})

t.test('base64 has one spelling', async t => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const scheme: HmacScheme = { ...DEFAULT_SCHEME, encoding: 'base64', algorithm }
    // Some body whose digest has a character that is written otherwise in URLs.
    const body = Array.from({ length: 100 }, (_, n) => Buffer.from(`${n}`)).find(body => /[+/]/.test(sign(body, 'key', scheme))) ?? BODY
    const right = sign(body, 'key', scheme)
    t.match(right, /[+/]/)
    const pad = right.indexOf('=')
    const loose = String.fromCharCode(right.charCodeAt(pad - 1) + 1)
    t.same(Buffer.from(right, 'base64'), Buffer.from(right.slice(0, pad - 1) + loose + right.slice(pad), 'base64'), 'Node.js decodes it alike')
    for (const wrong of [
      right.replaceAll('+', '-').replaceAll('/', '_'), right.slice(0, pad), right.slice(0, -1), `${right}=`, right.slice(0, pad - 1) + loose + right.slice(pad),
      Buffer.from(right, 'base64').toString('hex'), right.slice(0, 8) + '\n' + right.slice(8), right.slice(0, -4) + '===='
    ]) if (wrong !== right) t.equal(judge(scheme, wrong, body), 'malformed', wrong)
  }
})

t.test('a header that means something else is not taken for a signature', async t => {
  for (const name of ['X-Signature', 'x-hub-signature-256', 'X-Shopify-Hmac-SHA256', 'Authorization', 'signature', 'X', 'x-9', 'Content-HMAC']) t.ok(isSignatureHeader(name), name)
  for (const name of [
    'content-type', 'Content-Type', 'content-length', 'Content-Encoding', 'host', 'HOST', 'connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect',
    'cookie', 'set-cookie', 'date', 'user-agent', 'accept', 'accept-encoding', 'x-request-id', 'x-forwarded-for', 'x-real-ip', 'forwarded', 'via', 'proxy-authorization',
    '', ' ', 'x signature', 'x-signature ', 'x-signature:', 'x_signature', 'x-', '-x', 'é', '__proto__', 'x\n', 'x'.repeat(65)
  ]) t.notOk(isSignatureHeader(name), name)
})
