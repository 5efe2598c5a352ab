import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import t from 'tap'
import { UnreadableBody } from '../../../src/delivery.ts'
import { readStandard, standard, type StandardPayload } from '../../../src/provider/standard.ts'
import type { Verified } from '../../../src/signature/verifier.ts'

const HEADERS = { 'webhook-id': 'msg_1', 'webhook-timestamp': '1736935200', 'webhook-signature': 'v1,x' }
const DATA = { from: '+919876543210', to: '+14155550100' }
const BYTES = Buffer.from('{ "as": "sent" }') as Verified
const PLAIN = { message_id: 'm1', ...DATA, ts: '2025-01-15T09:00:00Z', text: 'Hello' }

/** The message alone. */
const read = (payload: object, headers: IncomingHttpHeaders = HEADERS) => {
  const { source, type, raw, ...message } = readStandard(payload as StandardPayload, headers, BYTES)
  return message
}

t.test('a message stands in data, or by itself', async t => {
  t.strictSame(read(PLAIN), PLAIN)
  t.strictSame(read({ type: 'message', timestamp: '2025-01-01T00:00:00Z', data: PLAIN }), PLAIN)
  t.strictSame(read({ ...PLAIN, data: 'unknown' }), PLAIN, 'data that is no object is a field like any other')
  t.strictSame(read({ ...PLAIN, data: [1], timestamp: 'x' }), PLAIN)
})

t.test('what it does not say is taken from the event, or else from the headers', async t => {
  t.strictSame(read(DATA), { message_id: 'msg_1', ...DATA, ts: '2025-01-15T10:00:00Z', text: null })
  t.strictSame(read({ data: DATA }), { message_id: 'msg_1', ...DATA, ts: '2025-01-15T10:00:00Z', text: null })
  t.equal(read({ timestamp: '2025-01-15T15:30:00.250+05:30', data: DATA }).ts, '2025-01-15T10:00:00.25Z')
  t.equal(read({ timestamp: '2025-01-15T15:30:00+05:30', ...DATA }).ts, '2025-01-15T10:00:00Z', 'a message by itself has no timestamp: it is unknown')
  t.equal(read(DATA, { 'svix-id': 'msg_2', 'svix-timestamp': '1', 'svix-signature': 'x' }).message_id, 'msg_2')
})

t.test('text that cannot be stored is mended', async t => {
  t.equal(read({ ...PLAIN, text: 'a\0b\ud800c\udc00' }).text, 'a\uFFFDb\uFFFDc\uFFFD')
  t.equal(read({ ...PLAIN, text: null }).text, null)
})

t.test('it is kept how the message came in', async t => {
  t.match(readStandard(PLAIN, HEADERS, BYTES), { source: 'standard', type: null, raw: '{ "as": "sent" }' })
  t.equal(readStandard({ type: 'message.received\0', data: PLAIN }, HEADERS, BYTES).type, 'message.received\uFFFD')
  t.equal(readStandard({ ...PLAIN, type: 'not an event\'s' } as StandardPayload, HEADERS, BYTES).type, null)
})

t.test('an id that is too long does not stand in for the message\'s own', async t => {
  const long = { ...HEADERS, 'webhook-id': 'x'.repeat(601) }
  t.throws(() => read(DATA, long), new UnreadableBody('must have a message_id, since webhook-id is longer than 600 characters'))
  t.equal(read(PLAIN, long).message_id, 'm1')
  t.equal(read(DATA, { ...HEADERS, 'webhook-id': 'x'.repeat(600) }).message_id.length, 600)
})

t.test('the id for the log is found wherever it stands', async t => {
  const { idOf, claimedId } = standard
  for (const [body, id] of [
    [PLAIN, 'm1'], [{ data: PLAIN }, 'm1'], [DATA, 'msg_1'], [{ data: DATA, message_id: 'outside' }, 'msg_1'], [[], 'msg_1'], [null, 'msg_1'], [5, 'msg_1'], [{ data: null, message_id: 'm2' }, 'm2']
  ] as const) {
    t.equal(idOf(body, HEADERS), id)
    t.equal(claimedId(Buffer.from(JSON.stringify(body)), HEADERS), id)
  }
  t.equal(claimedId(Buffer.from('{"data":{"message_id":"m3",'), HEADERS), 'm3')
  t.equal(claimedId(Buffer.from('{'), HEADERS), 'msg_1')
  t.equal(claimedId(Buffer.from('{'), {}), undefined)
  t.equal(idOf({}, { ...HEADERS, 'webhook-id': 'x'.repeat(700) })?.length, 600)
})
