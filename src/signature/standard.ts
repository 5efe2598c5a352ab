/**
 * Standard Webhooks: an HMAC-SHA256 of `${id}.${timestamp}.${body}` in base64.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Refusal, Verified, Verifier } from './verifier.ts'

export type StandardSecret = KeyObject

/** Completes the sentence "STANDARD_WEBHOOKS_SECRET must be …". */
export const STANDARD_SECRETS_RULE = 'whsec_ and base64, several of them separated by spaces or commas'

const SECRET = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4}))$/

/** Reads secrets as the rule above has them. Undefined when it is broken. */
export function parseStandardSecrets (text: string): readonly StandardSecret[] | undefined {
  const secrets = text.trim().split(/[\s,]+/).map(each => SECRET.exec(each)?.[1])
  const keys = secrets.flatMap(base64 => base64 === undefined ? [] : [createSecretKey(base64, 'base64')])
  return keys.length === secrets.length ? keys : undefined
}

/** The header of a delivery's signature that `standardVerifier` accepts. */
export function signStandard (secret: StandardSecret, id: string, timestamp: number | string, body: Buffer): string {
  return `v1,${digest(secret, id, String(timestamp), body).toString('base64')}`
}

/** The headers' own bytes, which Node.js gives as Latin-1. */
function digest (secret: StandardSecret, id: string, timestamp: string, body: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.`, 'latin1').update(body).digest()
}

/** The three headers of a delivery. */
export interface StandardHeaders { readonly id: string, readonly timestamp: string, readonly signature: string }

/** Under the names of the standard, or else those from which it came. Undefined when one of the three is missing. */
export function standardHeaders (headers: IncomingHttpHeaders): StandardHeaders | undefined {
  for (const prefix of ['webhook', 'svix']) {
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map(name => String(headers[`${prefix}-${name}`] ?? ''))
    if (id && timestamp && signature) return { id, timestamp, signature }
  }
  return undefined
}

/** How far the timestamp may be from now, both ways, in s. */
const TOLERANCE = 300
/** One spelling a number: the header is signed as it is written. */
const TIMESTAMP = /^(?:0|[1-9]\d{0,14})$/
/** Canonical base64 of 32 bytes. */
const SIGNATURE = /^v1,([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)$/

/**
 * Verifies a delivery under any of `secrets`. Of several signatures one has to be right; those of another version are not
 * looked at. The time is judged last, so that `too_old` and `too_new` tell of a delivery that is genuine.
 *
 * @param now ms since 1970
 */
export function standardVerifier (secrets: readonly StandardSecret[], now: () => number = Date.now): Verifier {
  return (headers, body) => {
    const given = standardHeaders(headers)
    if (given === undefined) return { refusal: 'missing' }
    const { id, timestamp, signature } = given
    const claimed = signature.split(' ').flatMap(each => {
      const [, base64] = SIGNATURE.exec(each) ?? []
      return base64 === undefined ? [] : [Buffer.from(base64, 'base64')]
    })
    if (claimed.length === 0 || !TIMESTAMP.test(timestamp)) return { refusal: 'malformed' }

    const match = secrets.findIndex(secret => {
      const right = digest(secret, id, timestamp, body)
      return claimed.some(each => timingSafeEqual(each, right))
    })
    const refusal = match === -1 ? 'mismatch' : untimely(Math.floor(now() / 1000) - Number(timestamp))
    return refusal === undefined ? { body: body as Verified, secret: match } : { refusal }
  }
}

/** @param age s */
function untimely (age: number): Refusal | undefined {
  if (age > TOLERANCE) return 'too_old'
  return age < -TOLERANCE ? 'too_new' : undefined
}
