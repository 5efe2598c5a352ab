/** What the page shows, as its address says it: `/?view=live`, `/?q=hello&from=%2B1…`, `/?id=m1`. */

const VIEWS = ['messages', 'live', 'signature']
export const FILTERS = /** @type {const} */ (['q', 'from', 'to', 'since', 'until', 'source'])

/** @typedef {Partial<Record<typeof FILTERS[number], string>>} Filter */
/** `id` is that of the message that is open. @typedef {{ view: string, filter: Filter, id: string | undefined }} Place */

/** @returns {Place} */
export function here () {
  const parameters = new URLSearchParams(location.search)
  const view = parameters.get('view') ?? ''
  /** @type {Filter} */
  const filter = {}
  // A + that nobody escaped is read as a space, as the service does.
  for (const name of FILTERS) {
    const value = parameters.get(name)
    if (value) filter[name] = name === 'from' || name === 'to' ? value.replace(/^ /, '+') : value
  }
  return { view: VIEWS.includes(view) ? view : 'messages', filter, id: parameters.get('id') ?? undefined }
}

/** @param {Partial<Place>} place @returns {string} */
export function addressOf ({ view = 'messages', filter = {}, id }) {
  const parameters = new URLSearchParams()
  if (view !== 'messages') parameters.set('view', view)
  for (const name of FILTERS) if (filter[name]) parameters.set(name, filter[name])
  if (id !== undefined) parameters.set('id', id)
  return parameters.size === 0 ? '/' : `/?${parameters}`
}

/** @type {() => void} */
let arrived = () => {}

/**
 * Calls `listener` whenever the address has changed, by a link, by the browser's buttons or by `go`.
 *
 * @param {() => void} listener
 */
export function whenArrived (listener) {
  arrived = listener
  addEventListener('popstate', () => listener())
  document.addEventListener('click', event => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    if (link.origin !== location.origin || link.pathname !== '/' || link.hash !== '') return
    event.preventDefault()
    go(link.pathname + link.search)
  })
}

/**
 * Goes to an address within the page.
 *
 * @param {string} address
 * @param {{ replace?: boolean }} [options] whether the browser's back button passes over where it was
 */
export function go (address, { replace = false } = {}) {
  if (replace) history.replaceState(history.state, '', address)
  else if (address !== location.pathname + location.search) history.pushState({ from: location.search }, '', address)
  arrived()
}
