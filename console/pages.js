/**
 * Pages of the list, the newest first, over an API that lists the oldest first.
 *
 * Newer pages come by cursor. What comes before a message is looked for in a window of time that ends there, which is widened
 * until it holds a page: neither a deep offset nor a count of the whole list, both of which cost the more, the longer that is.
 */
import { ask, askJson } from './api.js'

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./address.js').Filter} Filter */
/**
 * A page, the oldest message first. `ties` is how many messages of the list have the moment of its first one and do not come
 * before that; `cursor` leads to what comes after it, and `previous` is the page that it was reached from in that way.
 *
 * @typedef {{ messages: Message[], ties: number, isOldest: boolean, cursor: string | undefined, previous?: Page }} Page
 */

export const SIZE = 50
const FIRST_SPAN = 3_600_000
const WIDEN = 16

/**
 * The newest page.
 *
 * @param {Filter} filter
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
export async function newest (filter, signal) {
  const { total_messages: total, first_message_ts: first, last_message_ts: last } = await askJson('/stats', {}, signal)
  if (total === 0) return { messages: [], ties: 0, isOldest: true, cursor: undefined }
  // As much time as some pages take up, were they spread evenly.
  const span = Math.max(1000, (Date.parse(last) - Date.parse(first)) / total * SIZE * 4)
  const end = filter.until !== undefined && filter.until < last ? filter.until : last
  return endingAt(filter, end, 0, span, signal, filter.until)
}

/**
 * The page before this one.
 *
 * @param {Filter} filter
 * @param {AbortSignal} signal
 * @param {Page | undefined} page
 * @returns {Promise<Page>}
 */
export async function older (filter, signal, page) {
  if (page?.previous !== undefined) return page.previous
  const first = page?.messages[0]
  if (page === undefined || first === undefined) return newest(filter, signal)
  const until = justAfter(first.ts)
  const found = await endingAt(filter, first.ts, page.ties, FIRST_SPAN, signal, until)
  if (found.messages.length === 0) return { ...page, isOldest: true }
  if (found.messages[0]?.ts === first.ts) found.ties += page.ties
  return found
}

/**
 * The page after this one.
 *
 * @param {Filter} filter
 * @param {AbortSignal} signal
 * @param {Page | undefined} page
 * @returns {Promise<Page>}
 */
export async function newer (filter, signal, page) {
  if (page?.cursor === undefined) return newest(filter, signal)
  const { messages, cursor } = await list({ ...filter, limit: SIZE, cursor: page.cursor }, signal)
  return { messages, ties: 0, isOldest: false, cursor, previous: page }
}

/**
 * The oldest page.
 *
 * @param {Filter} filter
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */
export async function oldest (filter, signal) {
  const { messages, cursor } = await list({ ...filter, limit: SIZE }, signal)
  return { messages, ties: 0, isOldest: true, cursor }
}

/**
 * The last page of what is earlier than `until`, without the last `skip` messages of it.
 *
 * @param {Filter} filter
 * @param {string} end a moment near `until`, from which `span` ms are counted back
 * @param {number} skip
 * @param {number} span
 * @param {AbortSignal} signal
 * @param {string | undefined} until
 * @returns {Promise<Page>}
 */
async function endingAt (filter, end, skip, span, signal, until) {
  for (;; span *= WIDEN) {
    const since = earlier(end, span)
    const isWhole = since === undefined || (filter.since !== undefined && since <= filter.since)
    const window = { ...filter, since: isWhole ? filter.since : since, until }
    const { messages, total, cursor } = await list({ ...window, limit: SIZE, offset: 0 }, signal)
    const before = total - skip
    // Of exactly one page it would not be known whether it is the oldest.
    if (before <= SIZE && !isWhole) continue
    const isOldest = isWhole && before <= SIZE
    if (total <= SIZE && skip === 0) return pageOf(messages, isOldest, cursor)
    const limit = Math.min(SIZE, before)
    if (limit <= 0) return { messages: [], ties: 0, isOldest: true, cursor: undefined }
    const last = await list({ ...window, limit, offset: before - limit }, signal)
    return pageOf(last.messages, isOldest, last.cursor)
  }
}

/** @param {Message[]} messages @param {boolean} isOldest @param {string | undefined} cursor @returns {Page} */
function pageOf (messages, isOldest, cursor) {
  return { messages, ties: messages.filter(({ ts }) => ts === messages[0]?.ts).length, isOldest, cursor }
}

/**
 * @param {import('./api.js').Query} query
 * @param {AbortSignal} signal
 * @returns {Promise<{ messages: Message[], total: number, cursor: string | undefined }>}
 */
async function list (query, signal) {
  const { text, headers } = await ask('/messages', query, signal)
  const { data, total } = JSON.parse(text)
  const next = /^<([^>]*)>/.exec(headers.get('link') ?? '')?.[1]
  return { messages: data, total, cursor: next === undefined ? undefined : new URLSearchParams(next.split('?')[1]).get('cursor') ?? undefined }
}

/**
 * The moment so many ms earlier; undefined where there is none in the years that the service knows.
 *
 * @param {string} ts
 * @param {number} span
 */
export function earlier (ts, span) {
  const time = Date.parse(ts) - span
  return time < Date.parse('0001-01-01T00:00:00Z') ? undefined : new Date(time).toISOString()
}

/**
 * The moment that comes next, as the service tells moments apart, which is by nanoseconds; undefined after the last.
 *
 * @param {string} ts
 */
export function justAfter (ts) {
  const [second = '', fraction = ''] = ts.slice(0, -1).split('.')
  const nanoseconds = Number(fraction.padEnd(9, '0')) + 1
  if (nanoseconds < 1e9) return `${second}.${String(nanoseconds).padStart(9, '0')}Z`
  const next = new Date(Date.parse(`${second}Z`) + 1000)
  return next.getUTCFullYear() > 9999 ? undefined : next.toISOString()
}
