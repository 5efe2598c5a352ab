/** Questions to the service, with the API key that this tab has. */

const KEY = 'letterbox-key'

/** What GET /messages has of each. @typedef {{ message_id: string, from: string, to: string, ts: string, text: string | null }} Message */
/** @typedef {{ total_messages: number, senders_count: number, messages_per_sender: { from: string, count: number }[], first_message_ts: string | null, last_message_ts: string | null }} Stats */
/** @typedef {Record<string, string | number | undefined>} Query */
/** @typedef {{ needsKey?: boolean, scheme?: import('./signature.js').Scheme }} Settings */

/** An answer that is not 200. */
export class Refused extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} detail one sentence
   * @param {number} retryAfter seconds
   */
  constructor (status, detail, retryAfter) {
    super(detail)
    this.status = status
    this.retryAfter = retryAfter
  }
}

export function hasKey () {
  return sessionStorage.getItem(KEY) !== null
}

/** @param {string | undefined} key undefined forgets it */
export function setKey (key) {
  if (key === undefined) sessionStorage.removeItem(KEY)
  else sessionStorage.setItem(KEY, key)
}

/**
 * GETs a path of this service.
 *
 * @param {string} path
 * @param {Query} [query] what is undefined or empty is left out
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ text: string, headers: Headers }>}
 * @throws {Refused}
 */
export async function ask (path, query = {}, signal) {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') parameters.set(name, String(value))
  const key = sessionStorage.getItem(KEY)
  const headers = { accept: 'application/json', ...key !== null && { authorization: `Bearer ${key}` } }
  const url = parameters.size === 0 ? path : `${path}?${parameters}`

  const response = await fetch(url, { headers, cache: 'no-store', credentials: 'omit', ...signal && { signal } }).catch(error => {
    throw error.name === 'AbortError' ? error : new Refused(0, 'The service does not answer.', 2)
  })
  const text = await response.text()
  if (response.ok) return { text, headers: response.headers }
  // The event tells the page to ask for a key, unless there is another one meanwhile.
  if (response.status === 401 && key === sessionStorage.getItem(KEY)) dispatchEvent(new Event('unauthorized'))
  throw new Refused(response.status, detailOf(text) ?? `The service answered ${response.status}.`, Number(response.headers.get('retry-after') ?? 2))
}

/**
 * GETs JSON.
 *
 * @template Body
 * @param {string} path
 * @param {Query} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<Body>}
 */
export async function askJson (path, query, signal) {
  const { text } = await ask(path, query, signal)
  return JSON.parse(text)
}

/** @type {Promise<Settings> | undefined} */
let settled

/** How the service is set up. */
export function settings () {
  settled ??= askJson('/console/settings.json').catch(() => ({}))
  return /** @type {Promise<Settings>} */ (settled)
}

/** @param {string} text @returns {string | undefined} */
function detailOf (text) {
  try {
    return JSON.parse(text).detail
  } catch {
    return undefined
  }
}

/**
 * What to say of an error: undefined for what is no news, a question that was given up or asks for a key.
 *
 * @param {unknown} error
 */
export function sayOf (error) {
  if (error instanceof Error && error.name === 'AbortError') return undefined
  if (!(error instanceof Refused)) return String(error)
  return error.status === 401 ? undefined : error.message
}
