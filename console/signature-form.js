/** The form of the signature helper. What is typed into it goes nowhere: not to the service, the address or any storage. */
import { settings } from './api.js'
import { byId, copyButton, element } from './dom.js'
import { explain } from './signature-explain.js'
import { faultsOf } from './signature-faults.js'
import { COMMON, firstDifference, hmac, keyOf, NAMES, signedBytes, spell, utf8 } from './signature.js'

/** @typedef {import('./signature.js').Scheme} Scheme */

const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id))
const schemeSelect = /** @type {HTMLSelectElement} */ (byId('scheme'))

/** @type {Scheme[]} */
let schemes = [...COMMON]
/** What was read from a file, which a text area would not keep: it makes one line break of each kind. @type {Uint8Array<ArrayBuffer> | undefined} */
let file
/** Counts changes, so that an answer to what has changed since is dropped. */
let change = 0

export async function startSignature () {
  const form = byId('signature-form')
  form.addEventListener('submit', event => event.preventDefault())
  form.addEventListener('input', event => {
    if (event.target === byId('body')) forgetFile()
    update()
  })
  input('body-file').addEventListener('change', readFile)
  byId('show-secret').addEventListener('click', () => {
    const isShown = input('secret').type === 'password'
    input('secret').type = isShown ? 'text' : 'password'
    byId('show-secret').setAttribute('aria-pressed', String(isShown))
  })
  // Pages that are kept for the back button, or restored with the tab, would keep it too.
  addEventListener('pagehide', () => /** @type {HTMLFormElement} */ (form).reset())
  fillSchemes()
  update()
  const { scheme } = await settings()
  if (scheme === undefined) return
  schemes = [{ ...scheme, label: `this service: ${scheme.header}: ${scheme.prefix}${scheme.encoding}, ${scheme.algorithm}` }, ...COMMON]
  fillSchemes()
  update()
}

function fillSchemes () {
  schemeSelect.replaceChildren(...schemes.map(({ label }, index) => element('option', { value: String(index) }, label)))
}

function forgetFile () {
  file = undefined
  input('body-file').value = ''
}

async function readFile () {
  const [chosen] = input('body-file').files ?? []
  file = chosen === undefined ? undefined : new Uint8Array(await chosen.arrayBuffer())
  if (file !== undefined) input('body').value = new TextDecoder().decode(file)
  update()
}

async function update () {
  const mine = ++change
  const scheme = schemes[Number(schemeSelect.value)] ?? /** @type {Scheme} */ (COMMON[0])
  const [secret, sent] = [input('secret').value, input('sent').value]
  const body = file ?? utf8(input('body').value)
  const standard = { id: input('webhook-id').value, timestamp: input('webhook-timestamp').value }
  byId('standard-fields').hidden = !scheme.isStandard
  byId('scheme-note').textContent = noteOf(scheme)
  byId('body-note').textContent = bodyNote(body)

  const key = keyOf(scheme, secret)
  if (crypto.subtle === undefined) return tell('The browser computes signatures only on pages that came over HTTPS or from this machine (localhost). Open the console so.')
  if (key === undefined) {
    return tell(secret === '' ? 'Enter the secret.' : 'This secret is no base64, as those of Standard Webhooks are.', sent === '' ? [] : faultsOf(sent, scheme))
  }
  const right = spell(await hmac(scheme.algorithm, key, signedBytes(scheme, body, standard)), scheme)
  // Standard Webhooks sends several while a secret is changed, separated by spaces.
  const parts = scheme.isStandard ? sent.split(' ') : [sent]
  const isRight = parts.some(part => firstDifference(part, right, scheme) === -1)
  const reason = sent === '' || isRight ? undefined : await explain(sent, scheme, secret, body, standard)
  if (mine !== change) return
  byId('computed').replaceChildren(element('span', {}, right), ' ', copyButton('Copy', () => right))
  byId('verdict').replaceChildren(...sent === '' ? [] : isRight ? agreement(sent, right) : difference(sent, right, scheme, reason))
}

/** @param {string} text @param {string[]} [faults] */
function tell (text, faults = []) {
  byId('computed').replaceChildren(element('span', { className: 'quiet' }, text))
  byId('verdict').replaceChildren(...listOf(faults))
}

/** @param {string} sent @param {string} right */
function agreement (sent, right) {
  const isOtherCase = sent !== right && sent.toLowerCase() === right.toLowerCase()
  return [element('p', { className: 'right' }, 'They are the same: this delivery is let in.'), ...isOtherCase ? [element('p', {}, 'Only the case of hex digits differs, which makes no difference.')] : []]
}

/** @param {string} sent @param {string} right @param {Scheme} scheme @param {string | undefined} reason */
function difference (sent, right, scheme, reason) {
  const at = firstDifference(sent, right, scheme)
  const faults = faultsOf(sent, scheme)
  const hints = [...reason === undefined ? [] : [reason], ...faults]
  if (hints.length === 0) hints.push('It looks as one should, so it was made of another body or with another secret. Signed are the bytes as they are sent: one space more makes it another.')
  const where = at >= sent.length ? `ends before character ${at + 1}` : at >= right.length ? `goes on behind character ${at}` : `differs from character ${at + 1} on`
  return [
    element('p', { className: 'wrong' }, `What was sent ${where}.`),
    element('dl', { className: 'diff' }, ...row('right', right, at), ...row('sent', sent, at)),
    ...listOf(hints)
  ]
}

/** @param {string} name @param {string} text @param {number} at */
function row (name, text, at) {
  const [character = ''] = text.slice(at)
  const rest = text.slice(at + character.length)
  return [element('dt', {}, name), element('dd', { className: 'code', dir: 'ltr' }, text.slice(0, at), element('mark', {}, character), element('span', { className: 'quiet' }, rest))]
}

/** @param {string[]} sentences */
function listOf (sentences) {
  return sentences.length === 0 ? [] : [element('ul', {}, ...sentences.map(each => element('li', {}, each)))]
}

/** @param {Scheme} scheme */
function noteOf ({ header, prefix, algorithm, encoding, isStandard }) {
  const what = isStandard ? 'webhook-id, a full stop, webhook-timestamp, a full stop and the body' : 'the body'
  return `${header}: ${prefix}… is ${prefix === '' ? '' : `${prefix} and `}the HMAC by ${NAMES[algorithm]} of ${what}, in ${encoding}.`
}

/** @param {Uint8Array<ArrayBuffer>} body */
function bodyNote (body) {
  const end = body.at(-1) === 10 ? ' It ends with a line break, which is signed too.' : ''
  return `${body.length} bytes${file === undefined ? '' : ', of the file'}.${end}`
}
