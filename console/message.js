/** One message, with how it came in and what was sent. */
import { ask, sayOf } from './api.js'
import { addressOf, go, here } from './address.js'
import { byId, copyButton, element, foreign, moment } from './dom.js'
import { hitsIn, marked } from './mark.js'
import { indented, rawOf, UNSEEN } from './payload.js'

const dialog = /** @type {HTMLDialogElement} */ (byId('message'))
/** @type {string | undefined} */
let shown

/** Binds the ways to close it. */
export function startMessage () {
  byId('close-message').addEventListener('click', () => dialog.close())
  dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close() })
  dialog.addEventListener('close', () => {
    shown = undefined
    const place = here()
    // While a key is asked for, the message is to be shown once there is one.
    if (place.id === undefined || document.body.classList.contains('locked')) return
    const address = addressOf({ ...place, id: undefined })
    // Back to the list, as the browser's own button would, if that is where the message was opened.
    if (history.state !== null && address === `/${history.state.from}`) history.back()
    else go(address, { replace: true })
  })
}

/** Shows the message that the address names, if any. */
export async function showMessage ({ anew = false } = {}) {
  const { id, filter } = here()
  if (id === shown && !anew) return
  shown = id
  if (id === undefined) return dialog.close()
  const content = byId('message-content')
  content.replaceChildren(element('p', { className: 'quiet' }, 'One moment …'))
  if (!dialog.open) dialog.showModal()
  try {
    const { text } = await ask(`/messages/${encodeURIComponent(id)}`)
    if (id === shown) content.replaceChildren(...contentOf(text, filter.q))
  } catch (error) {
    // The form that asks for a key is behind the dialog.
    const trouble = sayOf(error)
    if (id !== shown) return
    if (trouble === undefined) {
      shown = undefined
      dialog.close()
    } else content.replaceChildren(element('p', { className: 'wrong' }, trouble))
  }
}

/** @param {string} answer @param {string} [q] */
function contentOf (answer, q = '') {
  const { message_id: id, from, to, ts, text, source, type, received_at: received } = JSON.parse(answer)
  const raw = rawOf(answer)
  return [
    element('dl', { className: 'facts' },
      ...fact('Id', element('code', {}, foreign(id))),
      ...fact('From', element('a', { href: addressOf({ filter: { from } }) }, foreign(from))),
      ...fact('To', element('a', { href: addressOf({ filter: { to } }) }, foreign(to))),
      ...fact('Sent', moment(ts), ' UTC'),
      ...received ? fact('Received', moment(received), ' UTC') : [],
      ...source ? fact('Source', foreign(source)) : [],
      ...type ? fact('Type', foreign(type)) : []
    ),
    element('div', { className: 'head' }, element('h3', {}, 'Text'), ...text === null ? [] : [copyButton('Copy the text', () => text)]),
    text === null
      ? element('p', { className: 'quiet' }, 'no text')
      : element('p', { className: 'whole', dir: 'auto' }, ...marked(text, hitsIn(text, q))),
    ...unseenIn(text ?? ''),
    ...payloadOf(raw)
  ]
}

/** What of a text nobody sees, and may make the rest look like another. @param {string} text */
function unseenIn (text) {
  const codes = new Set(text.match(UNSEEN)?.map(unit => `U+${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`))
  return codes.size === 0 ? [] : [element('p', { className: 'quiet' }, `It holds characters that are not seen: ${[...codes].join(', ')}.`)]
}

/** @param {string} name @param {...(Node | string)} value */
function fact (name, ...value) {
  return [element('dt', {}, name), element('dd', {}, ...value)]
}

/** @param {string} raw */
function payloadOf (raw) {
  if (raw === 'null') return [element('h3', {}, 'Payload'), element('p', { className: 'quiet' }, 'What was sent was the message itself, and no more is kept of it.')]
  const code = element('pre', { className: 'code', tabIndex: 0, dir: 'ltr' }, indented(raw))
  code.setAttribute('aria-label', 'Payload')
  code.setAttribute('role', 'region')
  return [element('div', { className: 'head' }, element('h3', {}, 'Payload'), copyButton('Copy as it was sent', () => raw)), code]
}
