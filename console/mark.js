/** Hits of a search, marked. */
import { element } from './dom.js'

/** How much of a text a list shows, and how much stands before the first hit when that lies further behind, in UTF-16 units. */
const SHOWN = 600
const BEFORE = 60

/**
 * Folds case as the service does for its search (src/fold.ts): lower, upper and lower again, one sigma, no dotless i.
 *
 * @param {string} text
 */
export function fold (text) {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
}

/**
 * Where a search hits a text, as [start, end) in UTF-16 units, from left to right and without overlaps.
 *
 * @param {string} text
 * @param {string} q
 * @returns {[number, number][]}
 */
export function hitsIn (text, q) {
  const wanted = fold(q)
  if (wanted === '') return []
  // Folding may change the length, so each unit of the folded text remembers which character it comes from.
  let folded = ''
  /** @type {number[]} */
  const starts = []
  /** @type {number[]} */
  const ends = []
  let at = 0
  for (const character of text) {
    const piece = fold(character)
    folded += piece
    for (let unit = 0; unit < piece.length; unit++) {
      starts.push(at)
      ends.push(at + character.length)
    }
    at += character.length
  }

  /** @type {[number, number][]} */
  const hits = []
  for (let found = folded.indexOf(wanted); found !== -1; found = folded.indexOf(wanted, found + wanted.length)) {
    const [start = 0, end = 0] = [starts[found], ends[found + wanted.length - 1]]
    if (start >= (hits.at(-1)?.[1] ?? 0)) hits.push([start, end])
  }
  return hits
}

/**
 * A text for a list, with what was searched for marked. Of a long one it shows the part with the first hit.
 *
 * @param {string} text
 * @param {string} [q]
 * @returns {(Node | string)[]}
 */
export function excerpt (text, q = '') {
  const hits = hitsIn(text, q)
  const first = hits[0]?.[0] ?? 0
  const begin = first > SHOWN / 4 ? whole(text, first - BEFORE) : 0
  const end = whole(text, Math.min(text.length, begin + SHOWN))
  const parts = marked(text, hits.filter(([start]) => start < end), begin, end)
  return [...begin > 0 ? ['…'] : [], ...parts, ...end < text.length ? ['…'] : []]
}

/**
 * @param {string} text
 * @param {[number, number][]} hits
 * @param {number} [begin]
 * @param {number} [end]
 * @returns {(Node | string)[]}
 */
export function marked (text, hits, begin = 0, end = text.length) {
  /** @type {(Node | string)[]} */
  const parts = []
  let done = begin
  for (const [start, stop] of hits) {
    parts.push(text.slice(done, start), element('mark', {}, text.slice(start, stop)))
    done = stop
  }
  parts.push(text.slice(done, Math.max(done, end)))
  return parts
}

/** An index that does not part the halves of a surrogate pair. @param {string} text @param {number} at */
function whole (text, at) {
  return /[\udc00-\udfff]/.test(text[at] ?? '') ? at - 1 : at
}
