import t from 'tap'
import { UnreadableBody, UnsupportedType } from '../../../src/delivery.ts'
import { readTwilio, twilio, TWILIO_TYPES, type TwilioPayload } from '../../../src/provider/twilio.ts'
import type { Verified } from '../../../src/signature/verifier.ts'

const NOW = new Date('2025-01-15T10:00:00.120Z')
const SENT = { MessageSid: 'SM1', From: '+919876543210', To: '+14155550100', Body: 'Hello' }
const bytes = (text: string) => Buffer.from(text) as Verified

/** The message alone. */
const read = (payload: TwilioPayload) => {
  const { source, type, raw, ...message } = readTwilio(payload, NOW, bytes(''))
  return message
}

t.test('a message is made of what Twilio sends', async t => {
  const expected = { message_id: 'SM1', from: '+919876543210', to: '+14155550100', ts: '2025-01-15T10:00:00.12Z', text: 'Hello' }
  t.strictSame(read(SENT), expected)
  t.strictSame(read({ ...SENT, From: 'whatsapp:+919876543210', To: 'whatsapp:+14155550100' }), expected)
  t.match(read({ ...SENT, From: 'MYBANK', To: '12345' }), { from: '+02465835344744', to: '+0112345' })
  t.equal(read({ ...SENT, Body: '' }).text, '')
  t.equal(read({ ...SENT, Body: 'a\0b' }).text, 'a\uFFFDb')
  const { Body: _, ...media } = SENT
  t.equal(read(media).text, null)
})

t.test('it is kept how the message came in', async t => {
  const sent = { ...SENT, MessageType: 'te\0xt', NumMedia: '0' }
  t.match(readTwilio(sent, NOW, bytes('MessageSid=SM1&…'), 'application/x-www-form-urlencoded'), { source: 'twilio', type: 'te\uFFFDxt', raw: JSON.stringify(sent) })
  t.match(readTwilio(SENT, NOW, bytes('{ "as": "sent" }'), 'application/json'), { type: null, raw: '{ "as": "sent" }' })
})

t.test('a body is a form, or JSON whose digest was signed', async t => {
  const digest = '/x?bodySHA256=abc'
  for (const type of [undefined, '', 'application/x-www-form-urlencoded', 'Application/X-WWW-Form-Urlencoded; charset=UTF-8']) {
    t.strictSame(twilio.parse(bytes('From=%2B1&Body=a+b%26&__proto__=x&Empty'), type, '/x'), { From: '+1', Body: 'a b&', ['__proto__']: 'x', Empty: '' }, String(type))
  }
  t.strictSame(twilio.parse(bytes('{"From":"+1"}'), 'application/json', digest), { From: '+1' })
  t.throws(() => twilio.parse(bytes('{'), 'application/json', digest), new UnreadableBody('must be JSON'))
  for (const [type, target] of [['application/json', '/x'], ['application/json', undefined], ['text/plain', digest], ['multipart/form-data', '/x'], ['???', '/x']] as const) {
    t.throws(() => twilio.parse(bytes('{}'), type, target), new UnsupportedType(TWILIO_TYPES), type)
  }
  t.strictSame(twilio.parse(bytes('Body=a&Body=b&To=c&To=c'), undefined), { Body: ['a', 'b'], To: 'c' }, 'several values are a list')
  t.throws(() => twilio.parse(bytes('&'.repeat(1000)), undefined, digest), new UnreadableBody('must be a form of some hundred fields at most'))
})

t.test('the id for the log is MessageSid', async t => {
  t.equal(twilio.idOf(SENT, {}), 'SM1')
  for (const parsed of [null, 5, {}, { MessageSid: 5 }, []]) t.equal(twilio.idOf(parsed, {}), undefined)
  for (const [body, id] of [
    ['MessageSid=SM1&From=x', 'SM1'], ['{"MessageSid":"SM2"}', 'SM2'], ['MessageSid=SM1&MessageSid=SM2', 'SM1'], ['From=x', undefined], ['', undefined], ['&'.repeat(1000), undefined],
    [`MessageSid=${'x'.repeat(700)}`, 'x'.repeat(600)]
  ] as const) t.equal(twilio.claimedId(Buffer.from(body), {}), id, body)
})
