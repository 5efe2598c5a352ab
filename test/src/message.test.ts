import t from 'tap'
import { Ajv } from 'ajv'
import { IncomingMessage, Message, toMessage } from '../../src/message.ts'
import { isTimestamp } from '../../src/timestamp.ts'

const ajv = new Ajv({ allowUnionTypes: true, formats: { 'date-time': isTimestamp } })
const isIncoming = ajv.compile(IncomingMessage)
const isMessage = ajv.compile(Message)

const VALID = { message_id: 'm1', from: '+919876543210', to: '+14155550100', ts: '2025-01-15T10:00:00Z', text: 'Hello' }

t.test('a message is taken with a text, with a null, without one and with unknown fields', async t => {
  const { text: _, ...withoutText } = VALID
  for (const message of [VALID, { ...VALID, text: null }, { ...VALID, text: '' }, withoutText, { ...VALID, extra: {} }]) {
    t.ok(isIncoming(message), JSON.stringify(message))
  }
})

t.test('values at the edges of the rules are taken', async t => {
  for (const fields of [
    { message_id: 'x'.repeat(600) }, { message_id: '😀'.repeat(600) }, { message_id: ' ' }, { message_id: '\u0001\n\u007f' },
    { from: '+1' }, { from: `+${'9'.repeat(32)}` }, { to: '+0' }, { text: 'x'.repeat(4096) }, { text: '😀'.repeat(4096) },
    { text: '\ue000\uffff\u{10ffff}' }
  ]) t.ok(isIncoming({ ...VALID, ...fields }), JSON.stringify(fields).slice(0, 60))
})

t.test('values beyond the rules are refused', async t => {
  for (const fields of [
    { message_id: '' }, { message_id: 'x'.repeat(601) }, { message_id: 5 }, { message_id: null }, { message_id: ['m1'] },
    { message_id: 'a\u0000' }, { message_id: '\ud800' }, { message_id: 'a\udfffb' }, { message_id: undefined },
    { from: '' }, { from: '+' }, { from: '919876543210' }, { from: `+${'9'.repeat(33)}` }, { from: ' +1' }, { from: '+1 ' },
    { from: '+1\n' }, { from: '+1-2' }, { from: '+١٢٣' }, { from: '＋1' }, { from: 919876543210 }, { from: undefined },
    { to: '+' }, { to: '+1a' }, { to: null }, { to: undefined },
    { ts: 'yesterday' }, { ts: '2025-02-30T00:00:00Z' }, { ts: 1736935200 }, { ts: null }, { ts: undefined },
    { text: 'x'.repeat(4097) }, { text: '😀'.repeat(4097) }, { text: 5 }, { text: {} }, { text: 'a\u0000b' }, { text: '\udc00' },
    { text: 'a\ud83d' }
  ]) t.notOk(isIncoming({ ...VALID, ...fields }), JSON.stringify(fields).slice(0, 60))
})

t.test('what is no object is no message', async t => {
  for (const value of [null, [], [VALID], 'm1', 5, true]) t.notOk(isIncoming(value), JSON.stringify(value))
})

t.test('the message of a delivery has its five fields, a canonical ts and a text that may be null', async t => {
  t.strictSame(toMessage(VALID), VALID)
  t.strictSame(toMessage({ ...VALID, text: null }), { ...VALID, text: null })
  const { text: _, ...withoutText } = VALID
  t.strictSame(toMessage({ ...withoutText, ts: '2025-01-15T10:00:00.500Z' }), { ...VALID, text: null, ts: '2025-01-15T10:00:00.5Z' })

  const withMore = { ...VALID, extra: 'no' }
  t.strictSame(Object.keys(toMessage(withMore)), ['message_id', 'from', 'to', 'ts', 'text'])
})

t.test('the fields of a message come through as they are', async t => {
  const odd = { ...VALID, message_id: '  M1\u0301 ', text: 'e\u0301 \r\n\t😀 ' }
  t.strictSame(toMessage(odd), odd)
})

t.test('a stored message is an incoming one with its text', async t => {
  t.ok(isMessage(toMessage(VALID)))
  t.ok(isMessage(toMessage({ ...VALID, text: null })))
  const { text: _, ...withoutText } = VALID
  t.notOk(isMessage(withoutText))
})
