/** The live tail: messages as they come in. */
import { askJson, Refused, sayOf } from './api.js'
import { here } from './address.js'
import { byId, element, number } from './dom.js'
import { rowOf } from './list.js'

/** @typedef {{ data: import('./api.js').Message[], position: string }} FeedPage */

/** How many messages stay in sight, how many of one answer are shown, and how many it may bring. */
const KEPT = 200
const SHOWN = 50
const LIMIT = 1000
/** How long one question may wait for a message, in s, and the pause between two, in ms: nobody reads faster. */
const WAIT = 25
const PAUSE = 500

/** @type {AbortController | undefined} */
let listening
let isPaused = false

export function startLive () {
  const button = byId('pause')
  button.addEventListener('click', () => {
    isPaused = !isPaused
    button.setAttribute('aria-pressed', String(isPaused))
    button.textContent = isPaused ? 'Go on' : 'Pause'
    showLive()
  })
}

/** Listens while the live view is shown and not paused. */
export function showLive ({ anew = false } = {}) {
  const wanted = here().view === 'live' && !isPaused
  if (anew || !wanted) {
    listening?.abort()
    listening = undefined
  }
  if (here().view === 'live' && isPaused) say('Paused. What comes in meanwhile is not shown here.')
  if (!wanted || listening !== undefined) return
  listening = new AbortController()
  listen(listening.signal)
}

/** @param {AbortSignal} signal */
async function listen (signal) {
  let after = 'latest'
  // Whether the last question was answered: the first answer is not waited for, so that it is soon known that there is one.
  let isAnswered = false
  while (!signal.aborted) {
    try {
      const { data, position } = await /** @type {Promise<FeedPage>} */ (askJson('/feed', { after, wait: isAnswered ? WAIT : 0, limit: LIMIT }, signal))
      if (signal.aborted) return
      isAnswered = true
      after = position
      say('Listening: messages are shown as they come in, the latest on top.')
      show(data)
      if (data.length < LIMIT) await pause(PAUSE, signal)
    } catch (error) {
      if (signal.aborted) return
      isAnswered = false
      if (error instanceof Refused && error.status === 404) return say('This service has no feed to listen to.')
      const trouble = sayOf(error)
      if (trouble === undefined) return say('')
      say(`${trouble} It is tried again.`)
      await pause(error instanceof Refused ? error.retryAfter * 1000 : 2000, signal)
    }
  }
}

/** Shows what came in; of more than anybody can read at once, the latest, and that there was more. @param {import('./api.js').Message[]} messages the latest last */
function show (messages) {
  const tail = byId('tail')
  const left = messages.length - SHOWN
  if (left > 0) tail.prepend(element('li', { className: 'gap quiet' }, `${number(left)} more came in here, too many at once to be shown.`))
  for (const message of messages.slice(-SHOWN)) {
    const row = rowOf(message)
    row.classList.add('new')
    tail.prepend(row)
  }
  while (tail.children.length > KEPT) tail.lastElementChild?.remove()
}

/** @param {string} text */
function say (text) {
  const state = byId('live-state')
  if (state.textContent !== text) state.textContent = text
}

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause (milliseconds, signal) {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
