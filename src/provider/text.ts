/**
 * A provider's text as it can be stored: U+FFFD stands for U+0000 and for half a surrogate pair. Providers do not mend what
 * people sent, and would repeat for days what is refused.
 */
export function storableText (text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
