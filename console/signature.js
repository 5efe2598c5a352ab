/** Signatures, computed by the browser. */

/**
 * How a signature is written: `prefix` and the HMAC of the body, or, of Standard Webhooks, of id, timestamp and body.
 *
 * @typedef {{ label: string, header: string, prefix: string, encoding: 'hex' | 'base64', algorithm: 'sha256' | 'sha512' | 'sha1', isStandard?: boolean }} Scheme
 */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ id: string, timestamp: string }} Standard */

/** What is common, apart from what a service is configured for. @type {readonly Scheme[]} */
export const COMMON = [
  { label: 'hex (X-Signature)', header: 'X-Signature', prefix: '', encoding: 'hex', algorithm: 'sha256' },
  { label: 'sha256= and hex (X-Hub-Signature-256: GitHub, WhatsApp)', header: 'X-Hub-Signature-256', prefix: 'sha256=', encoding: 'hex', algorithm: 'sha256' },
  { label: 'base64 (Shopify, LINE)', header: 'X-Signature', prefix: '', encoding: 'base64', algorithm: 'sha256' },
  { label: 'Standard Webhooks (webhook-signature)', header: 'webhook-signature', prefix: 'v1,', encoding: 'base64', algorithm: 'sha256', isStandard: true }
]

export const BITS = { sha1: 160, sha256: 256, sha512: 512 }
export const NAMES = { sha1: 'SHA-1', sha256: 'SHA-256', sha512: 'SHA-512' }

/** @param {string} text @returns {Bytes} */
export function utf8 (text) {
  return new TextEncoder().encode(text)
}

/**
 * @param {keyof typeof BITS} algorithm
 * @param {Bytes} key not empty: browsers take no empty key
 * @param {Bytes} message
 * @returns {Promise<Bytes>}
 */
export async function hmac (algorithm, key, message) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: NAMES[algorithm] }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message))
}

/** @param {Bytes} digest @param {Scheme} scheme */
export function spell (digest, { prefix, encoding }) {
  if (encoding === 'base64') return prefix + btoa(String.fromCharCode(...digest))
  return prefix + Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** What the HMAC is of. @param {Scheme} scheme @param {Bytes} body @param {Standard} standard @returns {Bytes} */
export function signedBytes ({ isStandard }, body, { id, timestamp }) {
  return isStandard ? joined(utf8(`${id}.${timestamp}.`), body) : body
}

/** The key that a secret stands for; undefined when it stands for none. @param {Scheme} scheme @param {string} secret @returns {Bytes | undefined} */
export function keyOf ({ isStandard }, secret) {
  const key = isStandard ? unbase64(secret.replace(/^whsec_/, '')) : utf8(secret)
  return key === undefined || key.length === 0 ? undefined : key
}

/**
 * Where what was sent parts from what is right. Of hex, letter case makes no difference to the service.
 *
 * @param {string} sent
 * @param {string} right
 * @param {Scheme} scheme
 * @returns {number} an index, in UTF-16 units, or -1
 */
export function firstDifference (sent, right, { prefix, encoding }) {
  const plain = (/** @type {string} */ text) => encoding === 'hex' ? text.slice(0, prefix.length) + text.slice(prefix.length).toLowerCase() : text
  const [a, b] = [plain(sent), plain(right)]
  if (a === b) return -1
  let at = 0
  while (a[at] === b[at]) at++
  return at
}

/** @param {Bytes} a @param {Bytes} b @returns {Bytes} */
function joined (a, b) {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** @param {string} text @returns {Bytes | undefined} */
export function unhex (text) {
  if (!/^(?:[\da-f]{2})+$/i.test(text)) return undefined
  return Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16))
}

/** @param {string} text @returns {Bytes | undefined} */
export function unbase64 (text) {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
