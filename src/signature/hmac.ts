import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Verified, Verifier } from './verifier.ts'

/** How a provider writes its HMAC of the raw body into a header. */
export interface HmacScheme {
  /** In lower case. */
  readonly header: string
  /** What stands before the digest: `sha256=` at GitHub. */
  readonly prefix: string
  readonly encoding: 'hex' | 'base64'
  readonly algorithm: 'sha256' | 'sha512'
}

export const DEFAULT_SCHEME: HmacScheme = Object.freeze({ header: 'x-signature', prefix: '', encoding: 'hex', algorithm: 'sha256' })

/**
 * The digests that there are, whole. `Buffer.from` stops silently at the first character that is no digit, so the shape is
 * checked before it decodes. Base64 is that of RFC 4648, section 4, padded, with its unused bits zero: a digest has one
 * spelling in it, and in hex one for each letter case.
 */
const SHAPES = {
  hex: { sha256: '[0-9a-fA-F]{64}', sha512: '[0-9a-fA-F]{128}' },
  base64: { sha256: '[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=', sha512: '[A-Za-z0-9+/]{85}[AQgw]==' }
} as const

/** What a signature of this scheme looks like, as a regular expression. */
export function signaturePattern ({ prefix, encoding, algorithm }: HmacScheme): string {
  return `^${prefix.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}${SHAPES[encoding][algorithm]}$`
}

/** The signature that `hmacVerifier` accepts: the HMAC (RFC 2104) of `body` under `secret`, hex in lower case. */
export function sign (body: Buffer, secret: string, { prefix, encoding, algorithm }: HmacScheme = DEFAULT_SCHEME): string {
  return prefix + createHmac(algorithm, secret).update(body).digest(encoding)
}

/**
 * Verifies `header: <prefix><HMAC of the raw body>` under any of `secrets`, each taken as UTF-8. The comparison is over the
 * decoded bytes and takes the same time wherever they differ.
 */
export function hmacVerifier (scheme: HmacScheme, secrets: readonly string[]): Verifier {
  const { header, prefix, encoding, algorithm } = scheme
  const shape = new RegExp(signaturePattern(scheme))
  return (headers, body) => {
    const value = headers[header]
    if (value === undefined) return { refusal: 'missing' }
    if (typeof value !== 'string' || !shape.test(value)) return { refusal: 'malformed' }

    const claimed = Buffer.from(value.slice(prefix.length), encoding)
    // By way of a string: it takes Node.js less time than a digest that is a Buffer of its own.
    const match = secrets.findIndex(secret => timingSafeEqual(claimed, Buffer.from(createHmac(algorithm, secret).update(body).digest(encoding), encoding)))
    return match === -1 ? { refusal: 'mismatch' } : { body: body as Verified, secret: match }
  }
}

/** Completes the sentence "WEBHOOK_SIGNATURE_HEADER must be …". */
export const SIGNATURE_HEADER_RULE = 'the name of a header that can carry a signature: at most 64 letters, digits and hyphens, ' +
  'and none that HTTP, a proxy or the request id needs'

const HEADER_NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/i
/** Headers that mean something else on the way, that Node.js does not give as they were sent, or that are logged and answered. */
const TAKEN = /^(?:accept(?:-.+)?|cache-control|connection|content-(?:encoding|language|length|location|range|type)|cookie|date|expect|forwarded|host|keep-alive|origin|pragma|proxy-.+|range|referer|set-cookie|te|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.+|x-real-ip|x-request-id)$/i

/** Whether WEBHOOK_SIGNATURE_HEADER keeps the rule above. */
export function isSignatureHeader (name: string): boolean {
  return HEADER_NAME.test(name) && !TAKEN.test(name)
}
