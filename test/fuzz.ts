/** Random tests over HTTP: how they are run, and what they are made of. */
import fc from 'fast-check'
import type { Test } from 'tap'

/**
 * The settings of one random test. Its seed is printed: `FUZZ_SEED=… npx tap test/routes/fuzz-….test.ts` does the same again,
 * and `FUZZ_TIMES=100` goes on for a hundred times as long.
 *
 * @param runs as many as a test of the suite has time for
 */
export function fuzzing<Values> (t: Test, runs: number): fc.Parameters<Values> {
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`FUZZ_SEED=${seed}`)
  return { seed, numRuns: runs * Number(process.env['FUZZ_TIMES'] ?? 1), endOnFailure: true }
}

/** What breaks text handling somewhere: scripts with odd case, marks, joiners, the edges of Unicode, and of SQL, JSON and URLs. */
const CHARACTERS = Array.from([
  'iİıI ßẞſsS σςΣ ΐΰ ŉǰ ﬁﬀﬃ kK åÅ ǅǆǄ և ᾳᾼ', 'aebc ABC 019', 'e\u0301a\u0308\u0345\u0307\u200d\u200c\u200b\u00ad\ufe0f', '😀👨‍👩‍👧🏳️‍🌈𝒜𐐀𐐨𞤀𞤢',
  'नमस्ते', 'مرحبا ﷺ', '你好世界', 'ひガ', 'აႠᲐ', 'ᏣꭳꮳᏰ', '%_*?\\"\'`;:&=+#/{}[]() \t\n\r', '\u0001\u001f\u007f\u0085\u00a0\u2028\u2029\ufeff\ufffd\ufffe\uffff\u{10ffff}'
].join(''))

/** Text that can be stored. */
export function storableText (bounds: fc.ArrayConstraints): fc.Arbitrary<string> {
  const any = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map(character => character.replace('\0', '?'))
  return fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...CHARACTERS) }, any), { size: 'max', ...bounds }).map(parts => parts.join(''))
}

export const number = fc.oneof(fc.constantFrom('+1', '+12', '+919876543210', `+${'9'.repeat(32)}`), fc.stringMatching(/^\+[0-9]{1,32}$/))

/** Few enough seconds that some meet. */
export const timestamp = fc.tuple(
  fc.oneof(fc.constantFrom('0001-01-01T00:00:00', '2024-02-29T23:59:59', '2025-01-15T10:00:00', '9999-12-31T23:59:58'), fc.date({
    min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:58Z'), noInvalidDate: true
  }).map(date => date.toISOString().slice(0, 19))),
  fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,9}$/))
).map(([second, fraction]) => `${second}${fraction}Z`)

/** Some part of `text`, code point by code point, each perhaps in another case. */
export function partOf (text: string, from: number, length: number, cases: readonly boolean[]): string {
  const characters = Array.from(text)
  const start = characters.length === 0 ? 0 : from % characters.length
  return characters.slice(start, start + 1 + length % characters.length)
    .map((character, index) => cases[index % cases.length] ? character.toUpperCase() : character.toLowerCase()).join('')
}
