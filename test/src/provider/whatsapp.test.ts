import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { Message, type Arrival } from '../../../src/message.ts'
import { numberOf } from '../../../src/provider/number.ts'
import { readWhatsapp, whatsapp, WhatsappPayload } from '../../../src/provider/whatsapp.ts'
import { isTimestamp } from '../../../src/timestamp.ts'

const METADATA = { display_phone_number: '15550783881', phone_number_id: '106540352242922' }
const ITEM = { from: '919876543210', id: 'wamid.A', timestamp: '1736935200', type: 'text', text: { body: 'Hello' } }
const BSUID = 'IN.13491208655302741918'

/** A delivery of one change. */
const delivery = (value: object, field: unknown = 'messages') => ({ object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field, value }] }] })

/** The message that an item is read as, with `metadata` beside it. */
function read (item: unknown, value: object = {}): Arrival | undefined {
  const { messages, unread } = readWhatsapp(delivery({ metadata: METADATA, messages: [item], ...value }))
  if (messages.length + unread.length !== 1) throw new Error('an item is a message or unread')
  return messages[0]
}
/** What an item of this type, with these fields, has for a text. */
const textOf = (type: string, fields: object) => read({ ...ITEM, type, text: undefined, ...fields })?.text

t.test('a message is made of what WhatsApp sends', async t => {
  t.strictSame(readWhatsapp(delivery({ messaging_product: 'whatsapp', metadata: METADATA, contacts: [{ profile: { name: 'Asha' }, wa_id: '919876543210' }], messages: [ITEM] })), {
    messages: [{
      message_id: 'wamid.A', from: '+919876543210', to: '+15550783881', ts: '2025-01-15T10:00:00Z', text: 'Hello', source: 'whatsapp', type: 'text', raw: JSON.stringify(ITEM)
    }],
    unread: [],
    statuses: 0,
    ignored: 0
  })
})

t.test('every message of every change of every entry is read, in their order', async t => {
  const value = (...ids: string[]) => ({ field: 'messages', value: { metadata: { ...METADATA, display_phone_number: `1${ids.length}` }, messages: ids.map(id => ({ ...ITEM, id })) } })
  const { messages } = readWhatsapp({ object: 'whatsapp_business_account', entry: [{ changes: [value('a', 'b'), value('c')] }, { changes: [] }, { changes: [value('d', 'a', 'e')] }] })
  t.strictSame(messages.map(({ message_id, to }) => `${message_id} ${to}`), ['a +12', 'b +12', 'c +11', 'd +13', 'a +13', 'e +13'])
})

t.test('the text is what somebody wrote or chose', async t => {
  const media = { id: '1', mime_type: 'x/y', sha256: 'z' }
  for (const [type, fields, text] of [
    ['image', { image: { ...media, caption: 'Look' } }, 'Look'], ['video', { video: { ...media, caption: 'Look' } }, 'Look'], ['document', { document: { ...media, filename: 'a.pdf', caption: 'Read' } }, 'Read'],
    ['image', { image: media }, null], ['audio', { audio: { ...media, voice: true } }, null], ['sticker', { sticker: { ...media, animated: false } }, null], ['image', { image: { caption: '' } }, null],
    ['button', { button: { payload: 'p', text: 'Yes' } }, 'Yes'],
    ['interactive', { interactive: { type: 'button_reply', button_reply: { id: '1', title: 'Change' } } }, 'Change'],
    ['interactive', { interactive: { type: 'list_reply', list_reply: { id: '1', title: 'Express', description: 'Next day' } } }, 'Express'],
    ['interactive', { interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '{"a":1}' } } }, 'Sent'],
    ['interactive', { interactive: { type: 'call_permission_reply', call_permission_reply: { response: 'accept' } } }, null],
    ['reaction', { reaction: { message_id: 'wamid.B', emoji: '👍🏽' } }, '👍🏽'], ['reaction', { reaction: { message_id: 'wamid.B', emoji: '' } }, null], ['reaction', { reaction: { message_id: 'wamid.B' } }, null],
    ['location', { location: { latitude: 1.5, longitude: 2, name: 'Home', address: 'Street 1' } }, null], ['contacts', { contacts: [{ name: { formatted_name: 'B' }, phones: [] }] }, null],
    ['order', { order: { catalog_id: '1', text: 'Two, please', product_items: [] } }, 'Two, please'], ['order', { order: { catalog_id: '1', product_items: [] } }, null],
    ['system', { system: { body: 'Asha changed', wa_id: '919876543211', type: 'user_changed_number' } }, 'Asha changed'],
    ['unsupported', { errors: [{ code: 131051, title: 'Message type unknown' }], unsupported: { type: 'poll_creation' } }, null],
    ['edit', { edit: { original_message_id: 'wamid.B', message: { type: 'text', text: { body: 'Hello!' } } } }, 'Hello!'],
    ['edit', { edit: { original_message_id: 'wamid.B', message: { type: 'image', image: { ...media, caption: 'New' } } } }, 'New'],
    ['revoke', { revoke: { original_message_id: 'wamid.B' } }, null], ['request_welcome', {}, null], ['hologram', { hologram: { caption: 'x', body: 'x' }, text: { body: 'x' } }, null],
    ['constructor', {}, null], ['__proto__', {}, null], ['text', {}, null], ['text', { text: null }, null], ['text', { text: 'x' }, null], ['text', { text: { body: 5 } }, null], ['text', { text: { body: '' } }, null]
  ] as const) t.equal(textOf(type, fields), text, `${type} ${JSON.stringify(fields)}`)
  t.equal(read({ ...ITEM, type: undefined })?.text, null)
})

t.test('text that cannot be stored is mended, and the rest of one that is too long is in raw', async t => {
  t.equal(textOf('text', { text: { body: 'a\0b\ud800c\udc00' } }), 'a\uFFFDb\uFFFDc\uFFFD')
  for (const [body, text] of [
    ['x'.repeat(4096), 'x'.repeat(4096)], ['x'.repeat(4097), 'x'.repeat(4096)], ['😀'.repeat(4096), '😀'.repeat(4096)], ['😀'.repeat(65_536), '😀'.repeat(4096)], [`x${'😀'.repeat(4096)}`, `x${'😀'.repeat(4095)}`]
  ] as const) {
    const message = read({ ...ITEM, text: { body } })
    t.equal(message?.text, text)
    t.equal(JSON.parse(message?.raw ?? '').text.body, body)
  }
})

t.test('a number has its +, and whoever has none is known by the user id', async t => {
  const contact = { profile: { name: 'Asha' }, wa_id: '919876543210', user_id: BSUID }
  const { from: _, ...nobody } = ITEM
  for (const [fields, contacts, from] of [
    [{ from: '919876543210' }, [], '+919876543210'], [{ from: '+919876543210' }, [], '+919876543210'], [{ from: 919876543210 }, [], '+919876543210'],
    [{ from: '919876543210', from_user_id: BSUID }, [], '+919876543210'], [{ from_user_id: BSUID }, [], numberOf(BSUID)], [{ from: '', from_user_id: BSUID }, [], numberOf(BSUID)],
    [{ from: null, from_user_id: BSUID, from_parent_user_id: 'IN.ENT.1' }, [contact], numberOf(BSUID)], [{ from: BSUID }, [], numberOf(BSUID)], [{}, [contact], '+919876543210'],
    [{}, [{ user_id: BSUID }], numberOf(BSUID)], [{ from: '0123' }, [], numberOf('0123')], [{ from: '9'.repeat(33) }, [], numberOf('9'.repeat(33))]
  ] as const) t.equal(read({ ...nobody, ...fields }, { contacts })?.from, from, JSON.stringify([fields, contacts]))
  for (const contacts of [undefined, [], [contact, contact], [{}], 'x']) t.equal(read(nobody, { contacts }), undefined, 'who sent it cannot be told')
})

t.test('to is the number of the line, however it is written, or else its id', async t => {
  for (const [metadata, to] of [
    [{ display_phone_number: '15550783881' }, '+15550783881'], [{ display_phone_number: '+1 (555) 078-3881' }, '+15550783881'], [{ display_phone_number: '+250 788 123 200' }, '+250788123200'],
    [{ display_phone_number: 15550783881 }, '+15550783881'], [{ phone_number_id: '106540352242922' }, '+01106540352242922'], [{ display_phone_number: '', phone_number_id: '1065' }, '+011065'],
    [{ display_phone_number: 'unknown', phone_number_id: '1065' }, '+011065'], [{}, '+02'], [null, '+02'], ['x', '+02']
  ] as const) t.equal(read(ITEM, { metadata })?.to, to, JSON.stringify(metadata))
})

t.test('an item that cannot be read is kept as it is, and drops no other', async t => {
  const { id: _, ...nameless } = ITEM
  const items = [
    nameless, { ...ITEM, id: '' }, { ...ITEM, id: 5 }, { ...ITEM, id: 'a\0' }, { ...ITEM, id: 'a\ud800' }, { ...ITEM, id: 'x'.repeat(601) }, { ...ITEM, id: '😀'.repeat(601) }, null, 5, 'x', true, [], {}, [ITEM],
    ...['', ' 1736935200', '1736935200.5', '-1', '1e9', '0x10', 'now', '253402300800', '1736935200000', null, {}, -1, 1.5, 253_402_300_800, true].map(timestamp => ({ ...ITEM, timestamp }))
  ]
  const { messages, unread } = readWhatsapp(delivery({ metadata: METADATA, messages: items.flatMap(item => [item, ITEM]) }))
  t.equal(messages.length, items.length)
  t.strictSame(unread, items.map(item => ({ source: 'whatsapp', raw: JSON.stringify(item) })))
})

t.test('what can just be read, is', async t => {
  for (const id of ['x', ' ', 'x'.repeat(600), '😀'.repeat(600), 'ABGGFlA5Fpa']) t.equal(read({ ...ITEM, id })?.message_id, id)
  for (const [timestamp, ts] of [
    ['0', '1970-01-01T00:00:00Z'], ['1', '1970-01-01T00:00:01Z'], ['0001736935200', undefined], ['001736935200', '2025-01-15T10:00:00Z'], [1736935200, '2025-01-15T10:00:00Z'], ['253402300799', '9999-12-31T23:59:59Z']
  ] as const) t.equal(read({ ...ITEM, timestamp })?.ts, ts, String(timestamp))
  for (const [type, expected] of [[undefined, null], [5, null], ['', ''], ['text\0', 'text\uFFFD'], ['x'.repeat(65), 'x'.repeat(64)]] as const) t.equal(read({ ...ITEM, type })?.type, expected)
})

t.test('an item of thousands of levels is kept as far as JSON can be written', async t => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)
  t.equal(read({ ...ITEM, context: nested(63) })?.message_id, 'wamid.A')
  for (const levels of [64, 500_000]) {
    const { messages, unread: [item] } = readWhatsapp(delivery({ metadata: METADATA, messages: [{ ...ITEM, context: nested(levels), image: { a: { b: 1 } } }] }))
    t.equal(messages.length, 0)
    t.strictSame(JSON.parse(item?.raw ?? ''), { ...ITEM, context: JSON.parse(`${'['.repeat(63)}null${']'.repeat(63)}`), image: { a: { b: 1 } } })
  }
})

t.test('statuses are counted, and so is what tells of anything else', async t => {
  const status = { id: 'wamid.S', status: 'read', timestamp: '1736935200', recipient_id: '919876543210' }
  const none = { messages: [], unread: [] }
  for (const [payload, statuses, ignored] of [
    [delivery({ metadata: METADATA, statuses: [status, status] }), 2, 0], [delivery({ metadata: METADATA, errors: [{ code: 0, title: 'unable' }] }), 0, 1], [delivery({ messages: [], statuses: [] }), 0, 1],
    [delivery({ message_echoes: [ITEM] }, 'smb_message_echoes'), 0, 1], [delivery({ messages: [ITEM], statuses: [status] }, 'history'), 0, 1], [delivery({ messages: [ITEM] }, null), 0, 1],
    [{ ...delivery({ messages: [ITEM], statuses: [status] }), object: 'page' }, 0, 1], [{ ...delivery({ messages: [ITEM] }), object: null }, 0, 1],
    [{}, 0, 0], [{ object: 'whatsapp_business_account' }, 0, 0], [{ entry: [] }, 0, 0], [{ entry: [{}] }, 0, 0], [{ entry: [{ changes: [{}, 5, null] }] }, 0, 3], [{ entry: 'x' }, 0, 0]
  ] as const) t.strictSame(readWhatsapp(payload), { ...none, statuses, ignored }, JSON.stringify(payload))
  const both = readWhatsapp(delivery({ metadata: METADATA, messages: [ITEM], statuses: [status] }))
  t.match(both, { statuses: 1, ignored: 0 })
  t.equal(both.messages.length, 1)
})

t.test('a sender that does not name the account or the subject means messages', async t => {
  t.equal(readWhatsapp({ entry: [{ changes: [{ value: { metadata: METADATA, messages: [ITEM] } }] }] }).messages.length, 1)
  t.equal(readWhatsapp({ entry: { changes: { value: { metadata: METADATA, messages: ITEM } } } }).messages.length, 1, 'one, where there should be a list of one')
})

t.test('whatever object comes, every item is a message that can be stored or kept as it is', async t => {
  const isMessage = new Ajv({ allowUnionTypes: true, formats: { 'date-time': isTimestamp } }).compile(Message)
  const key = fc.oneof(fc.constantFrom('id', 'from', 'from_user_id', 'timestamp', 'type', 'text', 'body', 'image', 'caption', 'interactive', 'button_reply', 'title', 'edit', 'message'), fc.string())
  const leaf = fc.oneof(fc.constantFrom('text', 'image', 'interactive', 'edit', 'wamid.A', '919876543210', BSUID, '1736935200', '😀\0\ud800'), fc.string({ unit: 'binary', maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }))
  const few = { maxKeys: 4 }
  const object = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf, few)), few)), few)
  const item = fc.oneof({ weight: 3, arbitrary: fc.record({ id: leaf, from: leaf, timestamp: fc.oneof(fc.constant('1736935200'), leaf), type: leaf }).chain(known => object.map(more => ({ ...more, ...known }))) }, object, fc.jsonValue())
  const value = fc.record({ metadata: fc.oneof(fc.constant(METADATA), object, leaf), contacts: fc.oneof(fc.array(object, { maxLength: 2 }), leaf), messages: fc.array(item, { maxLength: 5 }), statuses: fc.array(leaf, { maxLength: 2 }) })
  let [read, kept] = [0, 0]
  fc.assert(fc.property(fc.array(value, { maxLength: 3 }), values => {
    const payload = { object: 'whatsapp_business_account', entry: values.map(value => ({ changes: [{ field: 'messages', value }] })) }
    const { messages, unread, statuses } = readWhatsapp(JSON.parse(JSON.stringify(payload)))
    for (const message of messages) if (!isMessage(message) || message.source !== 'whatsapp') return false
    for (const { raw } of [...messages, ...unread]) JSON.parse(raw ?? '')
    read += messages.length
    kept += unread.length
    return messages.length + unread.length === values.flatMap(({ messages }) => messages).length && statuses === values.flatMap(({ statuses }) => statuses).length
  }), { numRuns: 500 })
  t.ok(read > 20 && kept > 20, `${read} messages, ${kept} unread`)
  fc.assert(fc.property(fc.oneof(fc.dictionary(fc.constantFrom('object', 'entry', 'x'), fc.jsonValue()), fc.object()), payload => {
    const { messages } = readWhatsapp(payload)
    whatsapp.idOf(payload, {})
    return messages.every(message => isMessage(message))
  }), { numRuns: 500 })
})

t.test('the id for the log is that of the first message', async t => {
  const { idOf, claimedId } = whatsapp
  for (const [payload, id] of [
    [delivery({ messages: [ITEM, { ...ITEM, id: 'wamid.B' }] }), 'wamid.A'], [delivery({ messages: [{}, { id: 5 }, { id: 'wamid.B' }] }), 'wamid.B'], [delivery({ messages: [{ id: 'x'.repeat(700) }] }), 'x'.repeat(600)],
    [delivery({ statuses: [{ id: 'wamid.S' }] }), undefined], [{ message_id: 'm1' }, undefined], [null, undefined], [[], undefined], [5, undefined]
  ] as const) {
    t.equal(idOf(payload, {}), id)
    t.equal(claimedId(Buffer.from(JSON.stringify(payload)), {}), id)
  }
  t.equal(claimedId(Buffer.from('{"entry":'), {}), undefined)
  const large = Buffer.from(JSON.stringify(delivery({ messages: [ITEM], x: 'x'.repeat(65_536) })))
  t.equal(claimedId(large, {}), undefined, 'what is large and not signed is not parsed')
})

t.test('the documented examples are read', async t => {
  t.strictSame(WhatsappPayload['examples'].map((example: object) => {
    const { messages, statuses, unread, ignored } = readWhatsapp(example)
    return [messages.map(({ from, type, text }) => [from, type, text]), statuses, unread.length + ignored]
  }), [[[['+919876543210', 'text', 'Hello']], 0, 0], [[[numberOf(BSUID), 'image', 'Look']], 0, 0], [[], 1, 0]])
})
