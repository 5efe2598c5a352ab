/** The list: its pages and their messages. */
import { sayOf, askJson } from './api.js'
import { addressOf, here } from './address.js'
import { byId, element, foreign, moment, number } from './dom.js'
import { fillForm } from './filters.js'
import { excerpt } from './mark.js'
import { newer, newest, older, oldest } from './pages.js'

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./address.js').Filter} Filter */
/** @typedef {import('./pages.js').Page} Page */

/** @type {Page | undefined} */
let page
/** @type {Filter} */
let filter = {}
let shown = ''
/** How many messages the filter let through. @type {number | undefined} */
let counted
let asked = new AbortController()
let counting = new AbortController()

/** Binds the buttons. */
export function startList () {
  for (const id of ['newest', 'news']) byId(id).addEventListener('click', () => showList({ anew: true }))
  for (const [id, way] of Object.entries({ newer, older, oldest })) {
    byId(id).addEventListener('click', () => {
      if (byId(id).ariaDisabled !== 'true') turn(signal => way(filter, signal, page))
    })
  }
  byId('pager').addEventListener('click', () => byId('found').scrollIntoView())
}

/** Shows the newest page of what the address asks for, unless it is shown already. */
export function showList ({ anew = false } = {}) {
  filter = here().filter
  const wanted = addressOf({ filter })
  if (wanted === shown && !anew) return
  shown = wanted
  fillForm(filter)
  turn(signal => newest(filter, signal))
  count()
}

/** @param {(signal: AbortSignal) => Promise<Page>} next */
async function turn (next) {
  asked.abort()
  asked = new AbortController()
  const { signal } = asked
  byId('rows').setAttribute('aria-busy', 'true')
  try {
    page = await next(signal)
    showPage(page)
  } catch (error) {
    if (signal.aborted) return
    const trouble = sayOf(error)
    shown = ''
    byId('rows').replaceChildren()
    say(trouble === undefined ? '' : `The messages could not be had. ${trouble}`)
  }
  byId('rows').removeAttribute('aria-busy')
}

/** @param {Page} page */
function showPage ({ messages, isOldest, cursor, previous }) {
  byId('rows').replaceChildren(...messages.toReversed().map(message => rowOf(message, filter)))
  const isEmpty = messages.length === 0
  say(!isEmpty ? '' : isFiltered() ? 'No message is like that.' : 'No message has come in yet. To deliver one, signed: npm run send -- --text Hello')
  byId('pager').hidden = isEmpty
  setDisabled('newer', cursor === undefined)
  for (const id of ['older', 'oldest']) setDisabled(id, isOldest && previous === undefined)
}

/** So that the button keeps the focus of who walks by keyboard, it is not really disabled. @param {string} id @param {boolean} isDisabled */
function setDisabled (id, isDisabled) {
  byId(id).setAttribute('aria-disabled', String(isDisabled))
}

function isFiltered () {
  return Object.keys(filter).length > 0
}

/** @param {string} text */
function say (text) {
  byId('nothing').textContent = text
  byId('nothing').hidden = text === ''
}

/** Counts what the filter lets through. Of a search among millions this takes longer than its first page, or too long. */
async function count () {
  counting.abort()
  counting = new AbortController()
  const { signal } = counting
  counted = undefined
  byId('found').textContent = 'Messages'
  const answer = await askJson('/messages', { ...filter, limit: 1 }, signal).catch(() => undefined)
  if (answer === undefined || signal.aborted) return
  counted = answer.total
  byId('found').textContent = answer.total === 1 ? '1 message' : `${number(answer.total)} messages`
  showNews(answer.total)
}

/**
 * Says how many messages have come in since the list was filled.
 *
 * @param {number} total
 */
export function showNews (total) {
  const news = isFiltered() || counted === undefined ? 0 : total - counted
  byId('newest').textContent = news > 0 ? `Newest (${number(news)} more)` : 'Newest'
  byId('news').textContent = news > 0 ? `Show ${number(news)} more` : ''
  byId('news').hidden = news <= 0
}

/**
 * One message in a list.
 *
 * @param {Message} message
 * @param {Filter} [filter] of the list that it is in
 */
export function rowOf ({ message_id: id, from, to, ts, text }, filter = {}) {
  const { view } = here()
  return element('li', {},
    element('a', { className: 'when', href: addressOf({ view, filter, id }) }, moment(ts)),
    element('span', { className: 'who' },
      element('a', { href: addressOf({ filter: { from } }), title: 'all messages from this number' }, foreign(from)), ' → ', foreign(to)),
    text === null
      ? element('p', { className: 'text quiet' }, 'no text')
      : element('p', { className: 'text', dir: 'auto' }, ...excerpt(text, filter.q))
  )
}
