import t from 'tap'
import { createHmac } from 'node:crypto'
import { explain } from '../../console/signature-explain.js'
import { faultsOf } from '../../console/signature-faults.js'
import { COMMON, firstDifference, hmac, keyOf, signedBytes, spell, utf8 } from '../../console/signature.js'
import { hmacVerifier, sign } from '../../src/signature/hmac.ts'

const SECRET = 'testsecret'
const BODY = '{"a": 1,\n"b":"é"}'
const RIGHT = sign(Buffer.from(BODY), SECRET)
const [HEX, PREFIXED, BASE64, STANDARD] = COMMON
if (HEX === undefined || PREFIXED === undefined || BASE64 === undefined || STANDARD === undefined) throw new Error('the common schemes are four')
const NO_STANDARD = { id: '', timestamp: '' }

t.test('it computes what the service computes', async t => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const encoding of ['hex', 'base64'] as const) {
      for (const [prefix, secret] of [['', 'x'], ['v1=', 'ключ 🔑'.repeat(50)]] as const) {
        const scheme = { label: '', header: 'x-signature', prefix, encoding, algorithm }
        const body = utf8(BODY)
        const signature = spell(await hmac(algorithm, keyOf(scheme, secret) ?? utf8(''), signedBytes(scheme, body, NO_STANDARD)), scheme)
        t.ok('body' in hmacVerifier(scheme, [secret])({ 'x-signature': signature }, Buffer.from(body)), JSON.stringify(scheme))
      }
    }
  }
  t.equal(keyOf(HEX, ''), undefined)
  t.equal(keyOf(STANDARD, 'whsec_!'), undefined)
})

t.test('where two signatures part', t => {
  t.equal(firstDifference(RIGHT, RIGHT, HEX), -1)
  t.equal(firstDifference(RIGHT.toUpperCase(), RIGHT, HEX), -1, 'the case of hex digits makes no difference')
  t.equal(firstDifference(`SHA256=${RIGHT}`, `sha256=${RIGHT}`, PREFIXED), 0, 'that of a prefix does')
  t.equal(firstDifference('abC=', 'abc=', BASE64), 2, 'and that of base64')
  t.equal(firstDifference(RIGHT.slice(0, 9), RIGHT, HEX), 9)
  t.equal(firstDifference(`${RIGHT}0`, RIGHT, HEX), 64)
  t.equal(firstDifference('', RIGHT, HEX), 0)
  t.end()
})

t.test('what can be seen of a signature that is wrong', t => {
  const base64 = Buffer.from(RIGHT, 'hex').toString('base64')
  for (const [sent, scheme, ...sentences] of [
    [RIGHT, HEX], [`sha256=${RIGHT}`, PREFIXED], [base64, BASE64], [`v1,${base64}`, STANDARD],
    [`X-Signature: ${RIGHT}`, HEX, /name of a header, “X-Signature:”/],
    [` ${RIGHT}`, HEX, /white space before it/], [`${RIGHT}\n`, HEX, /white space behind it/],
    [`sha256=${RIGHT}`, HEX, /begins with “sha256=”/], [RIGHT, PREFIXED, /prefix “sha256=” is missing/], [`SHA256=${RIGHT}`, PREFIXED, /in exactly these letters/],
    [base64, HEX, /looks like base64/], [RIGHT, BASE64, /looks like hex/],
    [createHmac('sha512', SECRET).digest('hex'), HEX, /as long as one by SHA-512/], [createHmac('sha1', SECRET).digest('hex'), HEX, /as long as one by SHA-1,/],
    [createHmac('sha1', SECRET).digest('base64'), HEX, /looks like base64/, /SHA-1,/],
    [RIGHT.slice(1), HEX, /63 characters long, where 64 belong/], [`${RIGHT.slice(0, 63)}😀`, HEX, /“😀” at its character 64 is no hex digit/, /65 characters/],
    [base64.replace(/^./, '_'), BASE64, /alphabet for URLs/], [base64.slice(0, -1), BASE64, /43 characters long, where 44 belong/], [base64.replace(/^./, '*'), BASE64, /“\*” at its character 1/],
    ['', HEX, /0 characters long/]
  ] as const) {
    const faults = faultsOf(sent, scheme)
    t.equal(faults.length, sentences.length, `${sent}: ${faults.join(' ')}`)
    for (const [n, sentence] of sentences.entries()) t.match(faults[n], sentence)
  }
  t.end()
})

t.test('what was signed instead', async t => {
  const bytes = utf8(BODY)
  const by = (body: string, key: string | Buffer = SECRET, algorithm = 'sha256') => createHmac(algorithm, key).update(body).digest('hex')
  for (const [sent, sentence] of [
    [by(`${BODY}\n`), /with a line break at its end/], [by(`${BODY}\r\n`), /CR LF\) at its end/], [by(BODY.replace('\n', '\r\n')), /CR LF for each/],
    [by(`\ufeff${BODY}`), /byte order mark/], [by(''), /an empty one/],
    [by('{"a":1,"b":"é"}'), /the same JSON without spaces\.$/], [by('{"a":1,"b":"\\u00e9"}'), /without spaces, its letters beyond ASCII escaped/],
    [by('{"a": 1, "b": "é"}'), /as Python writes it\.$/], [by('{"a": 1, "b": "\\u00e9"}'), /as Python writes it, its letters/],
    [by('{\n  "a": 1,\n  "b": "é"\n}'), /two spaces/], [by('{\n    "a": 1,\n    "b": "é"\n}'), /four spaces/], [by('"{\\"a\\":1,\\"b\\":\\"é\\"}"'), /string within JSON/],
    [by(BODY, `${SECRET}\n`), /the secret with a line break/], [by(BODY, `"${SECRET}"`), /in quotes/], [by(BODY, SECRET, 'sha512'), /by SHA-512/], [by(BODY, SECRET, 'sha1'), /by SHA-1\./],
    [createHmac('sha256', BODY).update(SECRET).digest('hex'), /swapped/],
    [`sha256=${RIGHT}`, /only its spelling/], [`t=1,v1=${RIGHT}`, /only its spelling/], [Buffer.from(RIGHT, 'hex').toString('base64url'), /only its spelling/]
  ] as const) t.match(await explain(sent, HEX, SECRET, bytes, NO_STANDARD), sentence)

  for (const [sent, secret, sentence] of [
    [RIGHT, ` ${SECRET} `, /without the white space around it/], [RIGHT, `'${SECRET}'`, /without the quotes/],
    [by(BODY, Buffer.from('deadbeef', 'hex')), 'deadbeef', /the hex of/], [by(BODY, Buffer.from('c2VjcmV0', 'base64')), 'c2VjcmV0', /the base64 of/]
  ] as const) t.match(await explain(sent, HEX, secret, bytes, NO_STANDARD), sentence)

  t.match(await explain(by('x\ny'), HEX, SECRET, utf8(' x\r\ny\r\n'), NO_STANDARD), undefined, 'of two changes at once it knows nothing')
  t.match(await explain(by('x\ny\n'), HEX, SECRET, utf8('x\r\ny\r\n'), NO_STANDARD), /with LF for each/)
  t.match(await explain(by('x'), HEX, SECRET, utf8(' x '), NO_STANDARD), /white space around it/)
  t.match(await explain(by('x'), HEX, SECRET, utf8('x\n'), NO_STANDARD), /without the line break/)
  t.equal(await explain(by(BODY, 'quite another'), HEX, SECRET, bytes, NO_STANDARD), undefined)
  t.equal(await explain('nonsense', HEX, SECRET, bytes, NO_STANDARD), undefined)
  t.equal(await explain(RIGHT, HEX, '', bytes, NO_STANDARD), undefined)
})

t.test('Standard Webhooks: what was signed instead', async t => {
  const standard = { id: 's1', timestamp: '1700000000' }
  const by = (text: string, key: string | Buffer) => `v1,${createHmac('sha256', key).update(text).digest('base64')}`
  const key = Buffer.from('c2VjcmV0', 'base64')
  const whole = `s1.1700000000.${BODY}`
  for (const [sent, sentence] of [
    [by(BODY, key), /body alone/], [by(whole, 'whsec_c2VjcmV0'), /as it is written/], [by(whole, 'c2VjcmV0'), /without whsec_/], [by(`${whole}\n`, key), /line break at its end/]
  ] as const) t.match(await explain(sent, STANDARD, 'whsec_c2VjcmV0', utf8(BODY), standard), sentence)
})
