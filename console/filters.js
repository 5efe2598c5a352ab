/** The form of the filters. What is typed into it goes to the address. */
import { addressOf, FILTERS, go, here } from './address.js'
import { byId } from './dom.js'

/** @typedef {import('./address.js').Filter} Filter */

/** How long somebody who types may pause until it is searched for, in ms. */
const TYPING_PAUSE = 300

export function startFilters () {
  const form = byId('filters')
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing
  form.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(() => go(addressOf({ filter: formFilter() }), { replace: true }), TYPING_PAUSE)
  })
  form.addEventListener('submit', event => {
    event.preventDefault()
    clearTimeout(typing)
    go(addressOf({ filter: formFilter() }))
  })
  byId('clear').addEventListener('click', () => {
    clearTimeout(typing)
    go('/')
    fillForm({})
  })
}

/** @returns {Filter} */
function formFilter () {
  return Object.fromEntries(FILTERS.map(name => {
    const { value } = /** @type {HTMLInputElement} */ (byId(name))
    if (name === 'since' || name === 'until') return [name, momentOf(value, here().filter[name])]
    return [name, name === 'q' ? value : value.trim()]
  }).filter(([, value]) => value !== ''))
}

/** What an input cannot show of a moment, less than seconds, is not lost by that. @param {string} value @param {string} [before] */
function momentOf (value, before = '') {
  if (value === '') return ''
  const second = value.length === 16 ? `${value}:00` : value.slice(0, 19)
  return before.startsWith(second) ? before : `${second}Z`
}

/**
 * Shows the filter of the address in the form, but for where somebody is writing.
 *
 * @param {Filter} filter
 */
export function fillForm (filter) {
  for (const name of FILTERS) {
    const input = /** @type {HTMLInputElement} */ (byId(name))
    const value = filter[name] ?? ''
    const text = name === 'since' || name === 'until' ? value.slice(0, 19) : value
    if (document.activeElement !== input && input.value !== text) input.value = text
    if (name !== 'q' && value !== '') byId('narrow').setAttribute('open', '')
  }
}
