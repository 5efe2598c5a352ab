import fc from 'fast-check'
import t from 'tap'
import { foldCase } from '../../src/fold.ts'
import { DOTLESS_I, caseFold, characters, searchFold } from './case-folding.ts'

const text = fc.string({ unit: 'binary', maxLength: 30 })

/** Letters in which case is not a matter of adding 32: one to many, many to one, depending on the place, in no pair. */
const peculiar = fc.string({
  unit: fc.constantFrom(...'aAiIıİsSſßẞσςΣkK\u212AåÅ\u212BǅǄǆŉʼnΐΐᾳᾼͅιΙﬀﬁᏸᏰꭰᎠᲐაⴀႠ𐐀𐐨𞤀𞤢ÿŸµμΜẖ̱\u0307'), maxLength: 12
})

t.test('every character folds as Unicode folds it', async t => {
  const wrong: string[] = []
  const representative = new Map<string, string>()
  for (const character of characters()) {
    const folded = foldCase(character)
    const unicode = caseFold(character)
    if (foldCase(unicode) !== folded) wrong.push(`${character} is told from its fold ${unicode}`)
    const other = representative.get(folded) ?? unicode
    if (other !== unicode && character !== DOTLESS_I) wrong.push(`${character} is taken for ${other}`)
    representative.set(folded, other)
  }
  t.strictSame(wrong, [])
})

t.test('characters that Unicode keeps apart stay apart, whatever their order', async t => {
  const folds = new Map<string, string>()
  for (const character of characters()) folds.set(foldCase(character), searchFold(character))
  t.equal(new Set(folds.values()).size, folds.size)
})

t.test('the dotless i is the one equivalence that Unicode does not have', async t => {
  t.equal(foldCase('ILIK'), foldCase('ılık'))
  t.not(caseFold('ILIK'), caseFold('ılık'))
})

t.test('texts that differ only in case fold to the same text', async t => {
  for (const [one, other] of [
    ['HELLO', 'hello'], ['STRASSE', 'straße'], ['STRAẞE', 'strasse'], ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'], ['ПРИВЕТ', 'привет'],
    ['ԲԱՐԵՎ', 'բարեվ'], ['և', 'ԵՒ'],
    ['ﬃ', 'FFI'], ['\u212A', 'k'], ['\u212B', 'å'], ['𐐀', '𐐨'], ['𞤀', '𞤢'], ['Ꭰ', 'ꭰ'], ['Ა', 'ა']
  ] as const) t.equal(foldCase(one), foldCase(other), `${one} ${other}`)
})

t.test('texts that differ in more than case stay apart', async t => {
  for (const [one, other] of [
    ['e', 'é'], ['é', 'e\u0301'], ['Å', 'A\u030A'], ['か', 'カ'], ['١', '1'], ['a', 'а'], ['ａ', 'a'], ['İ', 'i'], ['%', '_']
  ] as const) t.not(foldCase(one), foldCase(other), `${one} ${other}`)
})

t.test('a sigma folds the same wherever it stands', async t => {
  for (const around of ['Σ', 'ΑΣ', 'ΑΣΑ', 'ΑΣ.', 'ΑΣ\u0301', 'Α.Σ', ' Σ ']) {
    t.equal(foldCase(around), around.toLowerCase().replaceAll('ς', 'σ'), around)
  }
})

t.test('the fold of a text is the fold of its parts', async () => {
  for (const strings of [text, peculiar]) {
    fc.assert(fc.property(strings, strings, (one, other) => foldCase(one + other) === foldCase(one) + foldCase(other)), { numRuns: 2000 })
  }
})

t.test('folding twice changes nothing more', async () => {
  for (const strings of [text, peculiar]) {
    fc.assert(fc.property(strings, string => foldCase(foldCase(string)) === foldCase(string)), { numRuns: 1000 })
  }
})

t.test('ASCII folds to lower case and to nothing else', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), string => foldCase(string) === string.toLowerCase()))
})
