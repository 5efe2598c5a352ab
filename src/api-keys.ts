import { createHash, timingSafeEqual } from 'node:crypto'

/** A key that opens the reads, and the name by which logs call it. */
export interface ApiKey {
  readonly name: string
  readonly key: string
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/
/** A b64token (RFC 6750, section 2.1): what may stand behind `Bearer`. */
const KEY = /^[A-Za-z0-9\-._~+/]+=*$/
/** Keys that are shorter, in characters, can be guessed. */
const GUESSABLE = 16

/** Completes the sentence "API_KEYS must be …". */
export const API_KEYS_RULE = 'name:key, several of them separated by commas or line ends, with no name and no key twice; ' +
  'a name is 1 to 64 characters of A-Z a-z 0-9 . _ -, a key is characters of A-Z a-z 0-9 - . _ ~ + / with any = at its end'

/** Reads `name:key,name2:key2`. Spaces around an entry are dropped. Undefined when the rule above is broken. */
export function parseApiKeys (text: string): readonly ApiKey[] | undefined {
  const keys = text.trim().split(/\s*[,\n]\s*/).map(entry => {
    const colon = entry.indexOf(':')
    return { name: entry.slice(0, Math.max(colon, 0)), key: entry.slice(colon + 1) }
  })
  const wellFormed = keys.every(({ name, key }) => NAME.test(name) && KEY.test(key))
  const distinct = new Set(keys.map(({ name }) => name)).size === keys.length && new Set(keys.map(({ key }) => key)).size === keys.length
  return wellFormed && distinct ? keys : undefined
}

/** The names of keys that are too short to withstand guessing. */
export function guessable (keys: readonly ApiKey[]): string[] {
  return keys.filter(({ key }) => key.length < GUESSABLE).map(({ name }) => name)
}

/**
 * Tells the name of a key that somebody presents; undefined when it is none of `keys`.
 *
 * Digests are compared, each in constant time, and always all of them: the time tells nothing of a key, not its length
 * either, nor which one it was.
 */
export function keyNames (keys: readonly ApiKey[]): (presented: string) => string | undefined {
  const known = keys.map(({ name, key }) => ({ name, digest: digestOf(key) }))
  return presented => {
    const claimed = digestOf(presented)
    const [match] = known.filter(({ digest }) => timingSafeEqual(digest, claimed))
    return match?.name
  }
}

function digestOf (key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
