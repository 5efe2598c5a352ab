/**
 * Folds case for search, in every script: two texts that differ only in case fold to the same text, and the fold of a
 * substring is a substring of the fold. Databases fold ASCII only (SQLite) or by locale (PostgreSQL), so it is done here,
 * once, for stored text and for queries alike.
 *
 * It gives the equivalence of Unicode's full case folding (ß = ẞ = ss, ς = σ = Σ) from what JavaScript has: lower, upper
 * and lower again, since ẞ has no upper case of its own. Lower-casing writes a Σ that ends a word as ς, which depends on
 * what follows it; ς is therefore made σ. One equivalence is added: the dotless ı of Turkish is an i, since its upper
 * case is I, and ILIK is to find ılık.
 *
 * https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt
 */
export function foldCase (text: string): string {
  const lower = text.toLowerCase()
  if (ASCII.test(lower)) return lower
  return lower.toUpperCase().toLowerCase().replaceAll('ς', 'σ')
}

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/
