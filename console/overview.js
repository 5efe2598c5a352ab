/** How many messages there are, from whom, and when. */
import { askJson, Refused } from './api.js'
import { addressOf, here } from './address.js'
import { drawVolume, rangeOf } from './chart.js'
import { byId, element, foreign, moment, number } from './dom.js'
import { showNews } from './list.js'

/** @typedef {import('./api.js').Stats} Stats */
/** @typedef {{ interval: 'minute' | 'hour' | 'day', since: string, until: string, data: { ts: string, count: number }[] }} Volume */

/** How often it is looked at again, in ms. */
const EVERY = 10_000

/** Whether the service has GET /stats/volume. */
let hasVolume = true
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
/** The question under way: a later one takes its place. */
let asked = new AbortController()
const range = /** @type {HTMLSelectElement} */ (byId('range'))
let isRangeChosen = false

export function startOverview () {
  byId('more').addEventListener('toggle', () => showOverview())
  range.addEventListener('change', () => {
    isRangeChosen = true
    showOverview()
  })
  document.addEventListener('visibilitychange', () => { if (!document.hidden) showOverview() })
}

/** Shows it, and again from time to time, while the page is looked at. */
export async function showOverview () {
  clearTimeout(timer)
  asked.abort()
  asked = new AbortController()
  const { signal } = asked
  if (here().view !== 'messages' || document.hidden || document.body.classList.contains('locked')) return
  let wait = EVERY
  try {
    /** @type {Stats} */
    const stats = await askJson('/stats', {}, signal)
    const lastHour = await volume({ interval: 'minute' }, signal)
    showTotals(stats, lastHour)
    showNews(stats.total_messages)
    showSenders(stats)
    await showVolume(stats, lastHour, signal)
  } catch (error) {
    if (signal.aborted) return
    if (!(error instanceof Refused)) throw error
    // The list says what is wrong. Without a key, nothing is asked until there is one.
    wait = error.status === 401 ? Infinity : Math.max(wait, error.retryAfter * 1000)
  } finally {
    if (!signal.aborted && wait < Infinity) timer = setTimeout(showOverview, wait)
  }
}

/** @param {import('./api.js').Query} query @param {AbortSignal} signal @returns {Promise<Volume | undefined>} */
async function volume (query, signal) {
  if (!hasVolume) return undefined
  try {
    return await askJson('/stats/volume', query, signal)
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error
    hasVolume = false
    return undefined
  }
}

/** @param {Stats} stats @param {Volume | undefined} lastHour */
function showTotals (stats, lastHour) {
  const { total_messages: total, senders_count: senders, last_message_ts: last, first_message_ts: first } = stats
  byId('totals').replaceChildren(
    ...figure('Messages', number(total)),
    ...figure('Senders', number(senders)),
    ...lastHour === undefined ? [] : [...figure('In the last hour', number(sum(lastHour.data))), ...figure('A minute, of late', number(pace(lastHour)))],
    ...first === null ? [] : figure('First, UTC', moment(toTheSecond(first))),
    ...last === null ? [] : figure('Last, UTC', moment(toTheSecond(last)))
  )
}

/** @param {string} name @param {string | Node} value */
function figure (name, value) {
  return [element('div', {}, element('dt', {}, name), element('dd', {}, value))]
}

/** @param {Stats} stats */
function showSenders ({ messages_per_sender: senders }) {
  const most = Math.max(1, ...senders.map(({ count }) => count))
  byId('busiest').hidden = senders.length === 0
  byId('senders').replaceChildren(...senders.map(({ from, count }) => {
    const bar = element('span', { className: 'bar' })
    bar.style.inlineSize = `${count / most * 100}%`
    return element('li', {}, element('a', { href: addressOf({ filter: { from } }) }, foreign(from)), element('span', { className: 'count' }, number(count)), bar)
  }))
}

/** @param {Stats} stats @param {Volume | undefined} lastHour @param {AbortSignal} signal */
async function showVolume (stats, lastHour, signal) {
  const { filter } = here()
  byId('volume').hidden = !hasVolume || stats.total_messages === 0
  byId('more').hidden = stats.total_messages === 0
  // Of a closed part nothing can be drawn.
  if (byId('volume').hidden || !byId('more').hasAttribute('open')) return
  if (!isRangeChosen) range.value = fittingRange(stats)
  range.disabled = filter.since !== undefined || filter.until !== undefined
  const query = { ...rangeOf(range.value, stats, filter), from: filter.from }
  const isLastHour = range.value === 'hour' && filter.from === undefined && filter.since === undefined && filter.until === undefined
  const shown = isLastHour ? lastHour : await volume(query, signal)
  if (shown !== undefined) drawVolume(shown, filter)
}

/** The shortest range that has the latest message. @param {Stats} stats */
function fittingRange ({ last_message_ts: last }) {
  const age = Date.now() - Date.parse(String(last))
  return age < 3_600_000 ? 'hour' : age < 48 * 3_600_000 ? 'days' : age < 30 * 86_400_000 ? 'month' : 'all'
}

/** Messages a minute, by the last five minutes that are over. @param {Volume} volume */
function pace ({ data }) {
  return sum(data.slice(-6, -1)) / 5
}

/** @param {Volume['data']} data */
function sum (data) {
  return data.reduce((total, { count }) => total + count, 0)
}

/** @param {string} ts */
function toTheSecond (ts) {
  return `${ts.slice(0, 19)}Z`
}
