/** The console: what the address asks for is what is shown. */
import { askJson, hasKey, Refused, setKey, settings } from './api.js'
import { here, whenArrived } from './address.js'
import { byId } from './dom.js'
import { startFilters } from './filters.js'
import { showList, startList } from './list.js'
import { showLive, startLive } from './live.js'
import { showMessage, startMessage } from './message.js'
import { showOverview, startOverview } from './overview.js'
import { startSignature } from './signature-form.js'

/** How often readiness is asked for, in ms. */
const HEALTH_EVERY = 15_000
const TITLES = { messages: 'Letterbox', live: 'Live · Letterbox', signature: 'Signature · Letterbox' }

/** @param {{ anew?: boolean }} [options] */
function show (options) {
  const { view } = here()
  document.title = TITLES[/** @type {keyof typeof TITLES} */ (view)]
  for (const each of document.querySelectorAll('.view')) each.toggleAttribute('hidden', each.id !== view)
  for (const link of document.querySelectorAll('nav a[data-view]')) {
    if (link.getAttribute('data-view') === view) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  byId('forget-key').hidden = !hasKey()
  // Without a key there would be nothing but refusals.
  if (document.body.classList.contains('locked')) return
  showMessage(options)
  showLive(options)
  if (view !== 'messages') return
  showList(options)
  showOverview()
}

function startKey () {
  const form = byId('key-form')
  const input = /** @type {HTMLInputElement} */ (byId('key'))
  addEventListener('unauthorized', () => lock(hasKey() ? 'The service does not know this key.' : ''))
  form.addEventListener('submit', event => {
    event.preventDefault()
    setKey(input.value.trim())
    input.value = ''
    form.hidden = true
    document.body.classList.remove('locked')
    show({ anew: true })
  })
  byId('forget-key').addEventListener('click', () => {
    setKey(undefined)
    location.reload()
  })
}

/** Asks for a key. @param {string} wrong what is wrong with the one that there was */
function lock (wrong) {
  const form = byId('key-form')
  const isNews = form.hidden
  form.hidden = false
  document.body.classList.add('locked')
  byId('key-wrong').textContent = wrong
  if (isNews && here().view !== 'signature') byId('key').focus()
}

async function showHealth () {
  const health = byId('health')
  let text = 'ready'
  if (!document.hidden) {
    try {
      await askJson('/health/ready')
    } catch (error) {
      text = error instanceof Refused && error.status > 0 ? error.message : 'no answer'
    }
    if (health.textContent !== text) health.textContent = text
    health.classList.toggle('bad', text !== 'ready')
  }
  setTimeout(showHealth, HEALTH_EVERY)
}

// What a phone has no room for is folded up there.
for (const part of document.querySelectorAll('details.roomy')) part.toggleAttribute('open', matchMedia('(min-width: 44rem)').matches)

startKey()
startFilters()
startList()
startLive()
startMessage()
startSignature()
showHealth()
const { needsKey } = await settings()
startOverview()
whenArrived(() => show())
if (needsKey && !hasKey()) lock('')
show()
