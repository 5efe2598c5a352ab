/** The payload of a message, as it was sent. */

/**
 * The raw payload, to the character: parsed and written again, long numbers would be others. It is the last key of the answer, and
 * no string before it can hold a quote that is not escaped.
 *
 * @param {string} answer
 */
export function rawOf (answer) {
  const key = ',"raw":'
  const at = answer.indexOf(key)
  return at === -1 ? 'null' : answer.slice(at + key.length, answer.lastIndexOf('}'))
}

/** What JSON is made of: a string, a sign, or a number or word. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
/** What is not seen, or makes others be seen elsewhere. */
export const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

/**
 * JSON, one thing a line, each token as it was sent but for characters that are not seen: those stand as escapes, which is the same JSON.
 *
 * @param {string} json
 */
export function indented (json) {
  let depth = 0
  let text = ''
  let before = ''
  for (const token of json.match(TOKENS) ?? []) {
    const closes = token === '}' || token === ']'
    if (closes) depth--
    const isEmpty = closes && (before === '{' || before === '[')
    if (before !== '' && before !== ':' && token !== ',' && token !== ':' && !isEmpty) text += '\n' + '  '.repeat(depth)
    text += token === ':' ? ': ' : token
    if (token === '{' || token === '[') depth++
    before = token
  }
  return text.replace(UNSEEN, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
