/** What a signature that is not right was made of instead. */
import { hmac, keyOf, NAMES, signedBytes, spell, unbase64, unhex, utf8 } from './signature.js'

/** @typedef {import('./signature.js').Scheme} Scheme */
/** @typedef {import('./signature.js').Bytes} Bytes */
/** @typedef {import('./signature.js').Standard} Standard */

/**
 * Tries what goes wrong most often, and says what was signed instead, if it is one of that.
 *
 * @param {string} sent
 * @param {Scheme} scheme
 * @param {string} secret
 * @param {Bytes} body
 * @param {Standard} standard
 * @returns {Promise<string | undefined>} a sentence
 */
export async function explain (sent, scheme, secret, body, standard) {
  const digests = candidatesIn(sent)
  const key = keyOf(scheme, secret)
  if (digests.length === 0 || key === undefined) return undefined
  const is = async (/** @type {Bytes | undefined} */ otherKey, /** @type {Bytes} */ message, algorithm = scheme.algorithm) => {
    if (otherKey === undefined || otherKey.length === 0) return false
    const digest = spell(await hmac(algorithm, otherKey, message), { ...scheme, prefix: '', encoding: 'hex' })
    return digests.includes(digest)
  }
  const message = signedBytes(scheme, body, standard)
  if (await is(key, message)) return 'The digest in it is the right one: only its spelling is wrong.'
  for (const [other, what] of otherBodies(body)) if (await is(key, signedBytes(scheme, other, standard))) return `It is the signature of another body: ${what}.`
  for (const [other, what] of otherKeys(secret, scheme)) if (await is(other, message)) return `It was made with another key: ${what}.`
  for (const algorithm of /** @type {const} */ (['sha1', 'sha256', 'sha512'])) if (await is(key, message, algorithm)) return `It was made by ${NAMES[algorithm]}.`
  if (scheme.isStandard && await is(key, body)) return 'It is the signature of the body alone: id and timestamp are missing from what was signed.'
  if (!scheme.isStandard && await is(message, key)) return 'Key and body were swapped.'
  return undefined
}

/** Every digest that a text may hold, in lower-case hex. @param {string} sent @returns {string[]} */
function candidatesIn (sent) {
  return sent.split(/[\s,:]+/).flatMap(part => [part, part.replace(/^[\w-]+=(?=.)/, '')]).flatMap(part => {
    if (/^(?:[\da-f]{40}|[\da-f]{64}|[\da-f]{128})$/i.test(part)) return [part.toLowerCase()]
    const bytes = unbase64(part.replaceAll('-', '+').replaceAll('_', '/'))
    return bytes === undefined || bytes.length < 20 ? [] : [spell(bytes, { label: '', header: '', prefix: '', encoding: 'hex', algorithm: 'sha256' })]
  })
}

/** @param {Bytes} body @returns {[Bytes, string][]} */
function otherBodies (body) {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body)
  /** @type {[string, string][]} */
  const others = [
    [text + '\n', 'with a line break at its end'],
    [text + '\r\n', 'with a line break (CR LF) at its end'],
    [text.replace(/\r?\n$/, ''), 'without the line break at its end'],
    [text.replaceAll(/\r?\n/g, '\r\n'), 'with CR LF for each line break'],
    [text.replaceAll('\r\n', '\n'), 'with LF for each line break'],
    [text.trim(), 'without the white space around it'],
    ['\ufeff' + text, 'with a byte order mark before it'],
    ['', 'an empty one']
  ]
  try {
    const value = JSON.parse(text)
    for (const [other, what] of /** @type {[string, string][]} */ ([
      [JSON.stringify(value), 'the same JSON without spaces'],
      [JSON.stringify(value, null, 2), 'the same JSON, indented by two spaces'],
      [JSON.stringify(value, null, 4), 'the same JSON, indented by four spaces'],
      [spaced(value), 'the same JSON with a space behind each comma and colon, as Python writes it']
    ])) others.push([other, what], [escaped(other), `${what}, its letters beyond ASCII escaped`])
    others.push([JSON.stringify(JSON.stringify(value)), 'the same JSON as a string within JSON'])
  } catch {
    // Not JSON: no other spelling of it.
  }
  return others.filter(([other]) => other !== text).map(([other, what]) => [utf8(other), what])
}

/** @param {string} secret @param {Scheme} scheme @returns {[Bytes | undefined, string][]} */
function otherKeys (secret, scheme) {
  const bare = secret.trim()
  return [
    [keyOf(scheme, bare), 'the secret without the white space around it'],
    [utf8(secret + '\n'), 'the secret with a line break at its end'],
    [utf8(secret), 'the secret as it is written, not decoded'],
    [utf8(bare.replace(/^whsec_/, '')), 'the secret without whsec_, not decoded'],
    [unhex(bare), 'the bytes that the secret is the hex of'],
    [unbase64(bare), 'the bytes that the secret is the base64 of'],
    [utf8(bare.replace(/^(["'])(.*)\1$/, '$2')), 'the secret without the quotes around it'],
    [utf8(`"${secret}"`), 'the secret in quotes']
  ]
}

/** JSON as Python's json.dumps writes it. @param {unknown} value @returns {string} */
function spaced (value) {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${spaced(each)}`).join(', ')}}`
}

/** @param {string} json */
function escaped (json) {
  return json.replace(/[\u0080-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
