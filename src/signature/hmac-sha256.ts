import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Verified, Verifier } from './verifier.ts'

const HEX_SHA256 = /^[0-9a-fA-F]{64}$/

/** The signature that `hmacSha256Verifier` accepts: HMAC-SHA256 (RFC 2104) of `body` under `secret`, in lower-case hex. */
export function sign (body: Buffer, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

/**
 * Verifies `header: <hex HMAC-SHA256 of the raw body>` under any of `secrets`, each taken as UTF-8.
 *
 * The digits are checked before they are decoded: `Buffer.from(value, 'hex')` stops silently at the first character that
 * is none. The comparison is over the decoded bytes and takes the same time wherever they differ.
 */
export function hmacSha256Verifier (header: string, secrets: readonly string[]): Verifier {
  return (headers, body) => {
    const value = headers[header]
    if (value === undefined) return { refusal: 'missing' }
    if (typeof value !== 'string' || !HEX_SHA256.test(value)) return { refusal: 'malformed' }

    const claimed = Buffer.from(value, 'hex')
    const match = secrets.findIndex(secret => timingSafeEqual(claimed, Buffer.from(sign(body, secret), 'hex')))
    return match === -1 ? { refusal: 'mismatch' } : { body: body as Verified, secret: match }
  }
}
