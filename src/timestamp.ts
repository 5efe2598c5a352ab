/**
 * Moments as Letterbox takes and answers them: RFC 3339 in UTC, `YYYY-MM-DDThh:mm:ss[.f…]Z`, upper-case `T` and `Z`,
 * years 0001 to 9999, seconds 00 to 59, at most nine fraction digits.
 *
 * https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */

const SHAPE = /^(\d{4})-(0[1-9]|1[0-2])-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/

/** Whether `value` is a moment that exists, written as above. */
export function isTimestamp (value: string): boolean {
  const [, year, month, day] = SHAPE.exec(value) ?? []
  return year !== undefined && Number(year) >= 1 && Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month))
}

function daysIn (year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  if (month === 2) return leap ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

const WITH_OFFSET = /^([^.]{19})(\.\d+)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/

/**
 * The same moment as above, of one that is written with any offset (`+05:30`, or `Z`). Undefined when it is none, or not of
 * those years.
 */
export function inUtc (value: string): string | undefined {
  const [, local = '', fraction = '', sign = '+', hours = '0', minutes = '0'] = WITH_OFFSET.exec(value) ?? []
  if (!isTimestamp(`${local}${fraction}Z`)) return undefined
  const offset = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000
  const utc = new Date(Date.parse(`${local}Z`) - offset).toISOString().replace('.000Z', `${fraction}Z`)
  return isTimestamp(utc) ? utc : undefined
}

/** The one spelling under which a moment is stored: no trailing zeros in its fraction. */
export function canonicalTimestamp (timestamp: string): string {
  return timestamp.includes('.') ? timestamp.replace(/\.?0+Z$/, 'Z') : timestamp
}

/**
 * A key that orders canonical timestamps as time: the text without its `Z`. With it, `10:00:00.5Z` would sort before
 * `10:00:00Z`, since `.` is less than `Z`; without it, the shorter text is a prefix of the longer, and a prefix is less.
 */
export function momentOf (canonical: string): string {
  return canonical.slice(0, -1)
}
