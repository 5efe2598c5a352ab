import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { BEGINNING, decodePosition, encodePosition, positionBehind } from '../../../src/storage/feed-position.ts'

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const POSITION = positionBehind({ seq: 42, message_id: 'm1' })
const positions = fc.tuple(fc.maxSafeNat(), fc.string({ unit: 'binary' })).map(([seq, id]) => positionBehind({ seq, message_id: id }))

t.test('a position that was handed out leads back, and needs no escaping', async () => {
  fc.assert(fc.property(positions, position => {
    const text = encodePosition(position)
    const decoded = decodePosition(text)
    return /^[\w-]{32}$/.test(text) && decoded?.seq === position.seq && decoded.mark === position.mark
  }), { numRuns: 1000 })
  fc.assert(fc.property(positions, positions, (one, other) =>
    (one.seq === other.seq && one.mark === other.mark) === (encodePosition(one) === encodePosition(other))))
})

t.test('the beginning is a position', async t => {
  t.strictSame(decodePosition(encodePosition(BEGINNING)), BEGINNING)
  t.not(encodePosition(BEGINNING), encodePosition({ ...POSITION, seq: 0 }))
})

t.test('every change of one character is refused', async t => {
  const text = encodePosition(POSITION)
  const accepted: string[] = []
  for (let place = 0; place <= text.length; place++) {
    const [before, after] = [text.slice(0, place), text.slice(place + 1)]
    const changes = [before + after, ...[...BASE64URL, '=', '+', '/', ' ', '\n', '%', 'é'].flatMap(each => [before + each + after, before + each + text.slice(place)])]
    accepted.push(...changes.filter(changed => changed !== text && decodePosition(changed) !== undefined))
  }
  t.strictSame(accepted, [])
})

t.test('what was never a position is refused', async t => {
  for (const text of ['', 'A', 'latest', '0', '-1', `${encodePosition(POSITION)}=`, encodePosition(POSITION).repeat(2), '\ud800']) t.equal(decodePosition(text), undefined, text)
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), text => decodePosition(text) === undefined))
})

t.test('a number that no message has is refused, although its checksum is right', async t => {
  const forged = (seq: bigint): string => {
    const payload = Buffer.alloc(16)
    payload.writeBigUInt64BE(seq)
    const checksum = createHash('sha256').update('letterbox position 1\n').update(payload).digest().subarray(0, 8)
    return Buffer.concat([checksum, payload]).toString('base64url')
  }
  t.match(decodePosition(forged(42n)), { seq: 42 }, 'this is how one is made')
  for (const seq of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) t.equal(decodePosition(forged(seq)), undefined, String(seq))
})
