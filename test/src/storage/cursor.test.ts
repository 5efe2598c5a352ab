import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { isStorable } from '../../../src/storable.ts'
import { decodeCursor, encodeCursor } from '../../../src/storage/cursor.ts'

const POSITION = { ts: '2025-01-15T10:00:00.5Z', message_id: 'm1' }
const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']

const positions = fc.record({
  ts: fc.constantFrom('0001-01-01T00:00:00Z', '2025-01-15T10:00:00.5Z', '9999-12-31T23:59:59.999999999Z'),
  message_id: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter(isStorable)
})

t.test('a cursor leads back to its position', async () => {
  fc.assert(fc.property(positions, position => {
    const { ts, message_id: id } = decodeCursor(encodeCursor(position)) ?? {}
    return ts === position.ts && id === position.message_id
  }), { numRuns: 1000 })
})

t.test('ids of any kind survive', async t => {
  for (const message_id of ['\n', 'a\nb', '\r\n', ' m1 ', 'é', 'e\u0301', '😀', '\u{10ffff}', '\ufeffm1', 'x'.repeat(600), '😀'.repeat(600)]) {
    t.strictSame(decodeCursor(encodeCursor({ ...POSITION, message_id })), { ...POSITION, message_id })
  }
})

t.test('a cursor needs no escaping in a URL', async () => {
  fc.assert(fc.property(positions, position => /^[A-Za-z0-9_-]+$/.test(encodeCursor(position))))
})

t.test('different positions have different cursors', async () => {
  fc.assert(fc.property(positions, positions, (one, other) => {
    const same = one.ts === other.ts && one.message_id === other.message_id
    return same === (encodeCursor(one) === encodeCursor(other))
  }))
})

t.test('every change of one character is refused', async t => {
  // Lengths of every remainder by three, so that the last character has unused bits in two of them.
  for (const message_id of ['m', 'm1', 'm12', 'm123']) {
    const cursor = encodeCursor({ ...POSITION, message_id })
    const accepted: string[] = []
    for (let place = 0; place <= cursor.length; place++) {
      const [before, after] = [cursor.slice(0, place), cursor.slice(place + 1)]
      const changes = [before + after, ...[...BASE64URL, '=', '+', '/', ' ', '\n', '%', 'é'].flatMap(
        character => [before + character + after, before + character + cursor.slice(place)]
      )]
      accepted.push(...changes.filter(changed => changed !== cursor && decodeCursor(changed) !== undefined))
    }
    t.strictSame(accepted, [], message_id)
  }
})

t.test('what was never a cursor is refused', async t => {
  for (const cursor of ['', 'A', 'AAAAAAAAAAA', 'banana', '0', '-1', `${encodeCursor(POSITION)}=`, ` ${encodeCursor(POSITION)}`,
    Buffer.from('2025-01-15T10:00:00Z\nm1').toString('base64url'), encodeCursor(POSITION).repeat(2), '\ud800']) {
    t.equal(decodeCursor(cursor), undefined, JSON.stringify(cursor))
  }
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), cursor => decodeCursor(cursor) === undefined))
})

t.test('a position that no page can end in is refused, although its checksum is right', async t => {
  const forged = (payload: string | Buffer): string => {
    const bytes = Buffer.from(payload)
    const checksum = createHash('sha256').update('letterbox cursor 1\n').update(bytes).digest().subarray(0, 8)
    return Buffer.concat([checksum, bytes]).toString('base64url')
  }
  t.strictSame(decodeCursor(forged('2025-01-15T10:00:00.5Z\nm1')), POSITION, 'this is how one is made')
  for (const payload of ['', '\n', 'm1', POSITION.ts, `${POSITION.ts}\n`, `${POSITION.ts}\na\0`, '2025-02-30T00:00:00Z\nm1', '2025-01-15T10:00:00+01:00\nm1',
    Buffer.from(`${POSITION.ts}\n\xff`, 'latin1'), Buffer.from(`${POSITION.ts}\n\xed\xa0\x80`, 'latin1')]) {
    t.equal(decodeCursor(forged(payload)), undefined, JSON.stringify(payload))
  }
})
