import { INDEXED_LENGTH } from '../questions.ts'

/**
 * FTS5 finds a phrase by going through every place that each of its trigrams has in a text, and as often as the trigram is in
 * the phrase: with a hundred times the same letter that took 5 ms a text of 4,096 times that letter, with a thousand times
 * 50 ms, in one statement that nothing interrupts. So a trigram is in a phrase at most twice, and few words have one oftener.
 */
const REPEATS = 2

/** A question to the trigram index. */
export interface TrigramQuery {
  /** What to MATCH. */
  readonly match: string
  /** Whether every text that matches holds the text that was asked for. If not, the text has to be looked at. */
  readonly isExact: boolean
}

/**
 * The question for texts that hold `folded`, of three code points or more: that phrase, or, where it repeats itself too
 * often, the parts of it that are new where they stand, all of which such a text holds too.
 */
export function trigramQuery (folded: string): TrigramQuery {
  const characters = [...folded]
  const times = new Map<string, number>()
  const parts: string[] = []
  let part = ''
  for (const [start, end] of characters.slice(INDEXED_LENGTH - 1).entries()) {
    const trigram = characters.slice(start, start + INDEXED_LENGTH).join('')
    const time = (times.get(trigram) ?? 0) + 1
    times.set(trigram, time)
    if (time === 1) {
      part = part === '' ? trigram : part + end
    } else if (part !== '') {
      parts.push(part)
      part = ''
    }
  }
  if (part !== '') parts.push(part)
  const isExact = Math.max(...times.values()) <= REPEATS
  return { match: (isExact ? [folded] : parts).map(quoted).join(' '), isExact }
}

/** https://sqlite.org/fts5.html#fts5_strings */
function quoted (phrase: string): string {
  return `"${phrase.replaceAll('"', '""')}"`
}
