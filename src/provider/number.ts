import { createHash } from 'node:crypto'

const E164 = /^\+[1-9][0-9]{0,31}$/
const SHORT_CODE = /^[0-9]{1,30}$/
/** What fits into 30 digits, two of them a character. */
const NAME = /^[ -~]{0,15}$/
const DIGEST_DIGITS = 29

/**
 * Whoever sends or receives, as the `+` and up to 32 digits of a message.
 *
 * No phone number begins with 0. So what is none has a number of its own behind `+0`, always the same, which no phone has:
 *
 * | | |
 * |---|---|
 * | a short code, `12345` | `+01` and its digits |
 * | a name of up to 15 printable ASCII characters, `MYBANK` | `+02` and two digits a character, its code less 31: {@link nameOf} reads it back |
 * | anything else | `+03` and 29 digits of its SHA-256: who it was, the provider tells by the message's id |
 */
export function numberOf (party: string): string {
  if (E164.test(party)) return party
  if (SHORT_CODE.test(party)) return `+01${party}`
  if (NAME.test(party)) return `+02${[...party].map(character => String(character.charCodeAt(0) - 31).padStart(2, '0')).join('')}`
  const digest = BigInt(`0x${createHash('sha256').update(party).digest('hex')}`)
  return `+03${String(digest % 10n ** BigInt(DIGEST_DIGITS)).padStart(DIGEST_DIGITS, '0')}`
}

/** The short code or the name behind a number that {@link numberOf} made of one; any other number as it is. */
export function nameOf (number: string): string {
  if (number.startsWith('+01')) return number.slice(3)
  if (!number.startsWith('+02')) return number
  return number.slice(3).replace(/\d\d/g, code => String.fromCharCode(Number(code) + 31))
}
