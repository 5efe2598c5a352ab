/**
 * WhatsApp's Cloud API signs as all of Meta's webhooks do, and asks once, by a GET, whether it may send here.
 *
 * https://developers.facebook.com/docs/graph-api/webhooks/getting-started
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HmacScheme } from './hmac.ts'

/** `X-Hub-Signature-256: sha256=<hex>`, under the app secret, of the bytes as they were sent, escapes and all. */
export const WHATSAPP_SCHEME: HmacScheme = Object.freeze({ header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'hex', algorithm: 'sha256' })

/**
 * Tells whether somebody presents the verify token. Digests are compared, so that the time tells not even its length.
 *
 * @param token undefined: there is none, and nothing is right
 */
export function tokenVerifier (token: string | undefined): (presented: string) => boolean {
  if (token === undefined) return () => false
  const known = digestOf(token)
  return presented => timingSafeEqual(known, digestOf(presented))
}

function digestOf (token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
