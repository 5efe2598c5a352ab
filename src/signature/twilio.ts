/**
 * Twilio: an HMAC-SHA1 in base64 of the public URL and the form's parameters, sorted; or, for other bodies, of the public URL,
 * in whose query `bodySHA256` is the body's digest.
 *
 * https://www.twilio.com/docs/usage/security#validating-requests
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Verified, Verifier } from './verifier.ts'

/** Completes the sentence "PUBLIC_URL must be …". */
export const PUBLIC_URL_RULE = 'the address by which the internet reaches this service, http:// or https://, without user, query and fragment'

const PUBLIC_URL = /^(https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]))(:\d{1,5})?((?:\/[^?#\s]*)?)$/i

/** Whether PUBLIC_URL keeps the rule above. */
export function isPublicUrl (url: string): boolean {
  return PUBLIC_URL.test(url)
}

/** Twilio sends some dozens. Reading more, of bytes that anybody may have sent, would hold up everything else. */
const MAX_PARAMETERS = 1000

/** A form's values by their names, each value once. Undefined when there are too many. */
export type Form = ReadonlyMap<string, readonly string[]>

export function parseForm (body: Buffer): Form | undefined {
  let parameters = 1
  for (let at = body.indexOf('&'); at !== -1; at = body.indexOf('&', at + 1)) if (++parameters > MAX_PARAMETERS) return undefined
  const form = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(body.toString())) {
    const values = form.get(name)
    if (values === undefined) form.set(name, [value])
    else if (!values.includes(value)) values.push(value)
  }
  return form
}

/** What Twilio signs: names and values follow each other without anything between; of a name that stands twice, each value once. */
function signed (url: string, form: Form): string {
  return [...form.keys()].sort().reduce((text, name) => text + [...form.get(name) ?? []].sort().map(value => name + value).join(''), url)
}

/** The signature that `twilioVerifier` accepts, of a form or, with an empty form, of any other body. */
export function signTwilio (token: string, url: string, form: Form = new Map()): string {
  return createHmac('sha1', token).update(signed(url, form)).digest('base64')
}

/** Canonical base64 of 20 bytes. */
const SIGNATURE = /^[A-Za-z0-9+/]{26}[AEIMQUYcgkosw048]=$/
const DIGEST = /^[0-9a-f]{64}$/

/** The digest that a URL claims of the body. Undefined when it claims none. */
export function bodyDigest (target: string): string | undefined {
  const query = target.indexOf('?')
  return query === -1 ? undefined : new URLSearchParams(target.slice(query)).get('bodySHA256') ?? undefined
}

/**
 * Verifies a delivery under any of `tokens`.
 *
 * @param publicUrl what stands before the path in the URL that Twilio was given. It signs a port or leaves it out, however
 *   that is: both are tried.
 */
export function twilioVerifier (tokens: readonly string[], publicUrl: string): Verifier {
  const [, host = '', port = '', path = ''] = PUBLIC_URL.exec(publicUrl) ?? []
  const base = path.replace(/\/+$/, '')
  const standardPort = /^https/i.test(host) ? ':443' : ':80'
  const origins = [`${host}${base}`, `${host}${port || standardPort}${base}`]

  return (headers, body, target = '') => {
    const value = headers['x-twilio-signature']
    if (value === undefined) return { refusal: 'missing' }
    const digest = bodyDigest(target)
    const form = digest === undefined ? parseForm(body) : new Map<string, string[]>()
    if (typeof value !== 'string' || !SIGNATURE.test(value) || form === undefined) return { refusal: 'malformed' }
    if (digest !== undefined && !DIGEST.test(digest)) return { refusal: 'malformed' }

    const claimed = Buffer.from(value, 'base64')
    const match = tokens.findIndex(token => origins.some(origin => timingSafeEqual(claimed, Buffer.from(signTwilio(token, origin + target, form), 'base64'))))
    if (match === -1 || (digest !== undefined && !isDigestOf(digest, body))) return { refusal: 'mismatch' }
    return { body: body as Verified, secret: match }
  }
}

function isDigestOf (digest: string, body: Buffer): boolean {
  return timingSafeEqual(Buffer.from(digest, 'hex'), createHash('sha256').update(body).digest())
}
