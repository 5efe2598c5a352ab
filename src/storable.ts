/**
 * What the store has to know of a message beside its shape. It is apart from the schemas (message.ts), since their library is 200
 * files, which every thread of the store would load.
 */

/** Text that every backend can hold and give back: no U+0000 and no half of a surrogate pair. */
export const STORABLE = '^[^\\u0000\\uD800-\\uDFFF]*$'
const storable = new RegExp(STORABLE, 'u')

/** Whether a stored text can hold `text`. */
export function isStorable (text: string): boolean {
  return storable.test(text)
}

/** The source of messages that come as they are stored: POST /webhook. */
export const PLAIN_SOURCE = 'webhook'
