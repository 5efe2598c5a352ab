import { createHash } from 'node:crypto'
import { parse } from 'node:querystring'
import fc from 'fast-check'
import t from 'tap'
import { getExpectedTwilioSignature, validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js'
import { parseForm, signTwilio, twilioVerifier } from '../../../src/signature/twilio.ts'

const TOKEN = '12345'
const TARGET = '/myapp.php?foo=1&bar=2'
const FORM = Buffer.from(String(new URLSearchParams({ To: '+18005551212', Digits: '1234', CallSid: 'CA1234567890ABCDE', From: '+14158675309', Caller: '+14158675309' })))
const FORM_SIGNATURE = 'RSOYDt4T1cUTdK1PDd93/VVr8B8='
const JSON_BODY = Buffer.from('{"property": "value", "boolean": true}')
const JSON_TARGET = `${TARGET}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620`
const JSON_SIGNATURE = 'a9nBmqA0ju/hNViExpshrM61xv4='

const sealed = (signature: string) => ({ 'x-twilio-signature': signature })
const verify = twilioVerifier([TOKEN, 'older'], 'https://mycompany.com')

t.test("Twilio's own examples of a form and of JSON", async t => {
  t.equal(getExpectedTwilioSignature(TOKEN, `https://mycompany.com${TARGET}`, { ...parse(String(FORM)) }), FORM_SIGNATURE)
  t.equal(signTwilio(TOKEN, `https://mycompany.com${TARGET}`, parseForm(FORM)), FORM_SIGNATURE)
  t.strictSame(verify(sealed(FORM_SIGNATURE), FORM, TARGET), { body: FORM, secret: 0 })
  t.strictSame(verify(sealed(JSON_SIGNATURE), JSON_BODY, JSON_TARGET), { body: JSON_BODY, secret: 0 })
})

t.test('any of the tokens will do, and is told', async t => {
  const form = parseForm(FORM)
  t.equal(verify(sealed(signTwilio('older', `https://mycompany.com${TARGET}`, form)), FORM, TARGET).secret, 1)
  t.equal(verify(sealed(signTwilio('another', `https://mycompany.com${TARGET}`, form)), FORM, TARGET).refusal, 'mismatch')
  t.equal(twilioVerifier([], 'https://mycompany.com')(sealed(FORM_SIGNATURE), FORM, TARGET).refusal, 'mismatch')
})

t.test('a signature is good for its own URL and fields only', async t => {
  for (const [body, target] of [
    [FORM, '/myapp.php?foo=1'], [FORM, '/myapp.php'], [FORM, undefined], [FORM, TARGET.toUpperCase()], [Buffer.from(`${FORM}&x=`), TARGET], [Buffer.from(String(FORM).replace('1234', '1235')), TARGET],
    [Buffer.alloc(0), TARGET]
  ] as const) t.strictSame(verify(sealed(FORM_SIGNATURE), body, target), { refusal: 'mismatch' }, `${target} ${body}`)
  t.strictSame(verify(sealed(JSON_SIGNATURE), Buffer.from(`${JSON_BODY} `), JSON_TARGET), { refusal: 'mismatch' })
  t.strictSame(verify(sealed(JSON_SIGNATURE), JSON_BODY, TARGET), { refusal: 'mismatch' })
  t.equal(verify(sealed(FORM_SIGNATURE), Buffer.from(`${FORM}&To=%2B18005551212`), TARGET).secret, 0, 'a field twice with one value counts once, as at Twilio')
})

t.test('what cannot be a signature is malformed, and none is missing', async t => {
  t.strictSame(verify({}, FORM, TARGET), { refusal: 'missing' })
  for (const value of ['', 'banana', FORM_SIGNATURE.slice(0, -1), `${FORM_SIGNATURE}=`, ` ${FORM_SIGNATURE}`, FORM_SIGNATURE.replace('8=', '9='), FORM_SIGNATURE.replace('/', '_'), Buffer.from(FORM_SIGNATURE, 'base64').toString('hex')]) {
    t.strictSame(verify(sealed(value), FORM, TARGET), { refusal: 'malformed' }, value)
  }
  t.strictSame(verify({ 'x-twilio-signature': [FORM_SIGNATURE] }, FORM, TARGET), { refusal: 'malformed' })
  for (const digest of ['', 'x', '0a1ff763', createHash('sha256').update(JSON_BODY).digest('hex').toUpperCase()]) {
    t.strictSame(verify(sealed(JSON_SIGNATURE), JSON_BODY, `${TARGET}&bodySHA256=${digest}`), { refusal: 'malformed' }, digest)
  }
})

t.test('more fields than anybody sends are not read', async t => {
  const many = (count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, n) => `f${n}=`).join('&'))
  t.equal(parseForm(many(1000))?.size, 1000)
  t.equal(parseForm(many(1001)), undefined)
  t.strictSame(verify(sealed(FORM_SIGNATURE), many(1001), TARGET), { refusal: 'malformed' })
})

t.test('the port of the public URL may be signed or not', async t => {
  for (const [publicUrl, signed] of [
    ['https://h.example', 'https://h.example/t'], ['https://h.example', 'https://h.example:443/t'], ['http://h.example', 'http://h.example:80/t'], ['https://h.example:8443', 'https://h.example:8443/t'],
    ['https://h.example:8443', 'https://h.example/t'], ['https://h.example:443/', 'https://h.example/t'], ['https://h.example/in/', 'https://h.example:443/in/t'], ['https://[::1]', 'https://[::1]:443/t'],
    ['HTTPS://H.example', 'HTTPS://H.example:443/t']
  ] as const) {
    const ours = (url: string) => twilioVerifier([TOKEN], publicUrl)(sealed(signTwilio(TOKEN, url)), Buffer.alloc(0), '/t').refusal
    t.equal(ours(signed), undefined, `${publicUrl} ${signed}`)
    for (const other of [signed.replace('/t', ''), signed.replace(/^http(s?)/i, (_, s) => s === '' ? 'https' : 'http'), signed.replace('/t', ':1/t'), signed.replace('h.example', 'other')]) {
      if (other !== signed) t.equal(ours(other), 'mismatch', `${publicUrl} ${other}`)
    }
  }
})

const name = fc.constantFrom('MessageSid', 'From', 'To', 'Body', 'Body2', 'NumMedia', '__proto__', 'a', 'A', 'é', '😀', '\uFFFD', '')
const fields = fc.array(fc.tuple(name, fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('+14155550100', 'whatsapp:+1', 'a b', '&=%', ''))), { maxLength: 8 })
const urls = fc.record({
  origin: fc.constantFrom('https://h.example', 'http://h.example', 'https://h.example:8443', 'https://h.example:443'),
  target: fc.constantFrom('/webhook/twilio', '/webhook/twilio?a=1', '/webhook/twilio?a=1&b=%20x', '/')
})
const tampering = fc.oneof({ weight: 2, arbitrary: fc.constant('none') }, fc.constantFrom('body', 'target', 'token', 'signature', 'order', 'twice'))

t.test("we and Twilio's library agree, on tampered forms too", async t => {
  let taken = 0
  let runs = 0
  fc.assert(fc.property(fields, urls, tampering, fc.constantFrom('', ':443', ':80', ':8443'), (fields, { origin, target }, how, port) => {
    const sent = new URLSearchParams(how === 'order' ? [...fields].reverse() : how === 'twice' ? [...fields, ...fields] : how === 'body' ? [...fields, ['x', '1']] : fields)
    const url = `${origin.replace(/:\d+$/, '')}${port}${target}`
    const params = (form: URLSearchParams) => ({ ...parse(String(form)) })
    const signature = getExpectedTwilioSignature(how === 'token' ? 'other' : TOKEN, url, params(new URLSearchParams(fields)))
    const claimed = how === 'signature' ? `${signature.slice(1)}A` : signature
    const asked = how === 'target' ? `${target}x` : target
    const ours = twilioVerifier([TOKEN], origin)(sealed(claimed), Buffer.from(String(sent)), asked).refusal === undefined
    runs++
    if (ours) taken++
    return ours === validateRequest(TOKEN, claimed, origin + asked, params(sent))
  }), { numRuns: 4000 })
  t.ok(taken > runs / 10 && taken < runs * 0.9, `${taken} of ${runs} were let in`)
})

t.test("we and Twilio's library agree on JSON, tampered too", async t => {
  let taken = 0
  fc.assert(fc.property(fc.json(), urls, tampering, (text, { origin, target }, how) => {
    const digest = createHash('sha256').update(text).digest('hex')
    const asked = `${target}${target.includes('?') ? '&' : '?'}bodySHA256=${digest}`
    const signature = getExpectedTwilioSignature(how === 'token' ? 'other' : TOKEN, origin + asked, {})
    const claimed = how === 'signature' ? `${signature.slice(1)}A` : signature
    const sent = how === 'body' ? `${text} ` : text
    const url = how === 'target' ? asked.replace(/.$/, last => last === '0' ? '1' : '0') : asked
    const ours = twilioVerifier([TOKEN], origin)(sealed(claimed), Buffer.from(sent), url).refusal === undefined
    if (ours) taken++
    return ours === validateRequestWithBody(TOKEN, claimed, origin + url, sent)
  }), { numRuns: 1000 })
  t.ok(taken > 100 && taken < 900, `${taken} of 1000 were let in`)
})

t.test('the library is laxer than its documentation here', async t => {
  // It tries the URL as others would escape it; Twilio signs it as it was given.
  const url = "https://mycompany.com/a?name=O'Brien"
  const escaped = getExpectedTwilioSignature(TOKEN, url.replace("'", '%27'), {})
  t.ok(validateRequest(TOKEN, escaped, url, {}))
  t.strictSame(verify(sealed(escaped), Buffer.alloc(0), "/a?name=O'Brien"), { refusal: 'mismatch' })
  // It hashes the text that a body is decoded to.
  const target = `/a?bodySHA256=${createHash('sha256').update('\uFFFD').digest('hex')}`
  const signature = getExpectedTwilioSignature(TOKEN, `https://mycompany.com${target}`, {})
  const bytes = Buffer.from([0xff])
  t.ok(validateRequestWithBody(TOKEN, signature, `https://mycompany.com${target}`, bytes.toString()))
  t.strictSame(verify(sealed(signature), bytes, target), { refusal: 'mismatch' })
})
