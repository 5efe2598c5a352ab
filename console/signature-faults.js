/** What is wrong with a signature, as far as it can be seen by looking at it. */
import { BITS, NAMES, unbase64 } from './signature.js'

/** @typedef {import('./signature.js').Scheme} Scheme */

/**
 * What can be seen of a signature by looking at it: sentences, the most likely fault first.
 *
 * @param {string} sent
 * @param {Scheme} scheme
 * @returns {string[]}
 */
export function faultsOf (sent, scheme) {
  const { prefix, encoding, algorithm } = scheme
  const faults = []
  let digest = sent
  const name = /^[\w-]+:\s*/.exec(digest)?.[0]
  if (name !== undefined) {
    faults.push(`It begins with the name of a header, ${quoted(name.trim())}, which is no part of the signature.`)
    digest = digest.slice(name.length)
  }
  if (digest !== digest.trim()) {
    faults.push(`There is white space ${digest !== digest.trimStart() ? 'before' : 'behind'} it. Nothing is stripped from a signature.`)
    digest = digest.trim()
  }
  if (digest.startsWith(prefix)) digest = digest.slice(prefix.length)
  else if (digest.toLowerCase().startsWith(prefix.toLowerCase())) {
    faults.push(`The prefix must be ${quoted(prefix)}, in exactly these letters.`)
    digest = digest.slice(prefix.length)
  } else faults.push(`The prefix ${quoted(prefix)} is missing.`)
  const other = /^(?:[\w-]{2,10}=|v\d,|t=)(?=.)/.exec(digest)?.[0]
  if (other !== undefined) {
    faults.push(`It begins with ${quoted(other)}, which this scheme does not have.`)
    digest = digest.slice(other.length)
  }
  return [...faults, ...shapeFaults(digest, encoding, algorithm)]
}

/** @param {string} digest @param {'hex' | 'base64'} encoding @param {keyof typeof BITS} algorithm @returns {string[]} */
function shapeFaults (digest, encoding, algorithm) {
  const isHex = /^(?:[\da-f]{2})+$/i.test(digest)
  const bits = isHex ? digest.length * 4 : (unbase64(digest.replaceAll('-', '+').replaceAll('_', '/'))?.length ?? 0) * 8
  const made = (/** @type {(keyof typeof BITS)[]} */ (Object.keys(BITS))).find(name => BITS[name] === bits)
  const isOther = encoding === 'hex' ? !isHex && made !== undefined : isHex && made !== undefined
  const faults = []
  if (isOther) faults.push(`It looks like ${isHex ? 'hex' : 'base64'}, and this scheme is written in ${encoding}.`)
  if (made !== undefined && made !== algorithm) faults.push(`It is as long as one by ${NAMES[made]}, and this scheme takes ${NAMES[algorithm]}.`)
  if (faults.length > 0) return faults

  const right = encoding === 'hex' ? BITS[algorithm] / 4 : Math.ceil(BITS[algorithm] / 24) * 4
  const wrong = (encoding === 'hex' ? /[^\da-f]/iu : /[^\w+/=-]/u).exec(digest)
  if (wrong !== null) faults.push(`${quoted(wrong[0])} at its character ${wrong.index + 1} is no ${encoding === 'hex' ? 'hex digit' : 'character of base64'}.`)
  if (encoding === 'base64' && /[-_]/.test(digest)) faults.push('It is in the alphabet for URLs, with - and _ where + and / belong.')
  if (digest.length !== right) faults.push(`Without its prefix it is ${digest.length} characters long, where ${right} belong.`)
  return faults
}

/** @param {string} text */
function quoted (text) {
  return `“${text}”`
}
