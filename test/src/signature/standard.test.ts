import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { Webhook } from 'standardwebhooks'
import { parseStandardSecrets, signStandard, standardVerifier, type StandardSecret } from '../../../src/signature/standard.ts'

const NOW = 1_614_265_330
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_b2xkZXIgc2VjcmV0IG9sZGVyIHNlY3JldA==']
const [key, older] = SECRETS.map(secretOf) as [StandardSecret, StandardSecret]
const BODY = Buffer.from('{"test": 2432232314}')
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const verify = standardVerifier([key, older], () => NOW * 1000 + 999)

function secretOf (text: string): StandardSecret {
  const [secret] = parseStandardSecrets(text) ?? []
  if (secret === undefined) throw new Error('no secret')
  return secret
}

/** The headers of a delivery, right unless something is overridden. */
const headers = (fields: Partial<Record<'id' | 'timestamp' | 'signature', string>> = {}, prefix = 'webhook') => {
  const { id = ID, timestamp = String(NOW), signature = signStandard(key, id, timestamp, BODY) } = fields
  return { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: timestamp, [`${prefix}-signature`]: signature }
}

t.test("the standard's own vector", async t => {
  t.equal(signStandard(key, ID, NOW, BODY), SIGNATURE)
  t.equal(verify(headers({ signature: SIGNATURE }), BODY).body, BODY)
  t.equal(new Webhook(SECRETS[0] ?? '').sign(ID, new Date(NOW * 1000), BODY), SIGNATURE)
})

t.test('headers go by the names of the standard, or else by the older ones, whole', async t => {
  t.equal(verify(headers({}, 'svix'), BODY).secret, 0)
  t.equal(verify({ ...headers({}, 'svix'), 'webhook-id': 'other' }, BODY).secret, 0)
  t.equal(verify({ ...headers(), ...headers({ signature: 'v1,x' }, 'svix') }, BODY).secret, 0)
  t.equal(verify({ ...headers({ signature: 'v1,x' }), ...headers({}, 'svix') }, BODY).refusal, 'malformed')
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    for (const nothing of [undefined, '']) t.strictSame(verify({ ...headers(), [name]: nothing }, BODY), { refusal: 'missing' }, name)
  }
  t.strictSame(verify({}, BODY), { refusal: 'missing' })
})

t.test('one right signature of several is enough, and its secret is told', async t => {
  const right = signStandard(older, ID, NOW, BODY)
  for (const signature of [
    right, `v1,AAAA ${right}`, `${right} v1a,xyz`, `v2,${right.slice(3)} ${right}`, `${signStandard(key, 'x', NOW, BODY)} ${right}`, ` ${right}  x `, `banana ${right}`
  ]) t.strictSame([verify(headers({ signature }), BODY).secret], [1], signature)
  const both = `${signStandard(key, ID, NOW, BODY)} ${right}`
  t.equal(verify(headers({ signature: both }), BODY).secret, 0)
  t.equal(standardVerifier([older], () => NOW * 1000)(headers({ signature: both }), BODY).secret, 0)
})

t.test('what is no signature of version 1 is malformed', async t => {
  const right = SIGNATURE
  for (const signature of [
    ' ', 'v1', 'v1,', right.slice(3), right.slice(0, -1), `${right}=`, `${right},x`, `x${right}`, right.replace('v1', 'V1'), right.replace('v1', 'v2'), right.replace('v1', 'v1a'),
    right.replace('v1,', 'v1='), right.replace('v1,', 'v1, '), right.replace('+', '-'), `v1,${Buffer.from(right.slice(3), 'base64').toString('hex')}`, right.replace('OE=', 'OF='),
    `${right},${right}`, `${right}\t${right}`
  ]) t.strictSame(verify(headers({ signature }), BODY), { refusal: 'malformed' }, signature)
})

t.test('the timestamp is a plain decimal, as it was signed', async t => {
  for (const timestamp of [`${NOW}.0`, `+${NOW}`, `-${NOW}`, ` ${NOW}`, `0${NOW}`, `${NOW}abc`, '0x60377d72', '1.614265330e9', 'NaN', '٣', '9'.repeat(16)]) {
    t.strictSame(verify(headers({ timestamp }), BODY), { refusal: 'malformed' }, timestamp)
  }
})

t.test('it is at most five minutes from now, both ways, which is told of a genuine delivery only', async t => {
  for (const [age, refusal] of [[0, undefined], [300, undefined], [-300, undefined], [301, 'too_old'], [-301, 'too_new'], [NOW, 'too_old'], [NOW - 999_999_999_999_999, 'too_new']] as const) {
    t.equal(verify(headers({ timestamp: String(NOW - age) }), BODY).refusal, refusal, `${age} s`)
    t.equal(verify(headers({ timestamp: String(NOW - age), signature: SIGNATURE }), Buffer.from('other')).refusal, 'mismatch')
  }
  t.equal(standardVerifier([key])(headers(), BODY).refusal, 'too_old', "by the machine's clock")
})

t.test('a signature is good for its own id, time and bytes only', async t => {
  for (const [given, body] of [
    [headers({ id: 'other', signature: SIGNATURE }), BODY], [headers({ timestamp: `${NOW + 1}`, signature: SIGNATURE }), BODY], [headers({ signature: SIGNATURE }), Buffer.from('{"test":2432232314}')],
    [headers({ signature: SIGNATURE }), Buffer.alloc(0)], [headers({ id: `${ID}.${NOW}`, signature: SIGNATURE }), BODY]
  ] as const) t.strictSame(verify(given, body), { refusal: 'mismatch' })
  t.strictSame(standardVerifier([], () => NOW * 1000)(headers(), BODY), { refusal: 'mismatch' }, 'no secret')
  const bytes = Buffer.from([0xff, 0x00, 0xfe])
  t.equal(verify(headers({ signature: signStandard(key, ID, NOW, bytes) }), bytes).body, bytes, 'bytes that are no text')
  const id = Buffer.from('é').toString('latin1')
  t.equal(verify(headers({ id, signature: new Webhook(SECRETS[0] ?? '').sign('é', new Date(NOW * 1000), BODY) }), BODY).secret, 0, "the header's own bytes")
})

/** Whether the standard's own library lets it in. */
function libraryTakes (given: Record<string, string>, body: string | Buffer): boolean {
  return SECRETS.some(secret => {
    try {
      new Webhook(secret).verify(body, given, { jsonParse: false })
      return true
    } catch {
      return false
    }
  })
}

const text = fc.string({ unit: fc.constantFrom(...'msg_ab.09- '), minLength: 1, maxLength: 20 }).map(id => id.trim() || 'x')
const deliveries = fc.record({
  id: text,
  body: fc.string({ unit: 'grapheme', maxLength: 60 }).map(body => body.toWellFormed()),
  signer: fc.constantFrom(...SECRETS, 'whsec_c29tZWJvZHkgZWxzZQ=='),
  // Not at the edge, which the clock may cross between the two.
  age: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -290, max: 290 }) }, { weight: 1, arbitrary: fc.constantFrom(310, -310, 100_000, -100_000) })
})
const tampering = fc.oneof(
  { weight: 3, arbitrary: fc.constant<[string, string]>(['none', '']) },
  fc.tuple(fc.constantFrom('id', 'body', 'timestamp', 'signature', 'cut', 'before', 'after', 'version', 'drop'), fc.string({ unit: fc.constantFrom(...'019aZ+/=,. '), minLength: 1, maxLength: 6 }))
)

t.test('we and the library of the standard agree, on tampered deliveries too', async t => {
  let taken = 0
  let runs = 0
  fc.assert(fc.property(deliveries, tampering, ({ id, body, signer, age }, [where, what]) => {
    const now = Math.floor(Date.now() / 1000)
    const signed = new Webhook(signer).sign(id, new Date((now - age) * 1000), body)
    const given: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': String(now - age), 'webhook-signature': signed }
    let sent = body
    switch (where) {
      case 'id': given['webhook-id'] = `${id}${what}`; break
      case 'body': sent = body.slice(1) + what; break
      case 'timestamp': given['webhook-timestamp'] = String(now - age + what.length); break
      case 'signature': given['webhook-signature'] = signed.slice(0, 10) + what + signed.slice(10 + what.length); break
      case 'cut': given['webhook-signature'] = signed.slice(0, -what.length); break
      case 'before': given['webhook-signature'] = `${what} ${signed}`; break
      case 'after': given['webhook-signature'] = `${signed} ${what}`; break
      case 'version': given['webhook-signature'] = signed.replace('v1', `v${what}`); break
      case 'drop': given['webhook-signature'] = signed.replace('v1,', ''); break
    }
    const ours = standardVerifier([key, older])(given, Buffer.from(sent)).refusal === undefined
    runs++
    if (ours) taken++
    return ours === libraryTakes(given, sent)
  }), { numRuns: 4000 })
  t.ok(taken > runs / 10 && taken < runs * 0.9, `${taken} of ${runs} were let in`)
})

t.test('the library is laxer than the standard here', async t => {
  const now = Math.floor(Date.now() / 1000)
  const ours = (given: Record<string, string>, body: Buffer) => standardVerifier([key, older])(given, body).refusal
  const right = signStandard(key, ID, now, BODY)
  // It signs what parseInt makes of the header, not the header.
  for (const timestamp of [`${now}abc`, `${now}.9`, `0${now}`, `+${now}`]) {
    const given = headers({ timestamp, signature: right })
    t.ok(libraryTakes(given, BODY), timestamp)
    t.equal(ours(given, BODY), 'malformed', timestamp)
  }
  const trailed = headers({ timestamp: String(now), signature: `${right},anything` })
  t.ok(libraryTakes(trailed, BODY), 'what follows a second comma')
  t.equal(ours(trailed, BODY), 'malformed')
  // It signs the text that bytes are decoded to: all that is no UTF-8 is one and the same.
  const replaced = headers({ timestamp: String(now), signature: signStandard(key, ID, now, Buffer.from('\uFFFD')) })
  t.ok(libraryTakes(replaced, Buffer.from([0xff])), 'bytes that are no text')
  t.equal(ours(replaced, Buffer.from([0xff])), 'mismatch')
})
