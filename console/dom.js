/** Elements, made of text. Nothing here, or anywhere in the page, makes HTML out of a string; the page's policy forbids it. */

/**
 * The element of the page with this id.
 *
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
export function byId (id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return /** @type {Kind} */ (found)
}

/**
 * A new element. Strings among its children are text.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element (name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/**
 * What somebody else wrote, kept from reordering what stands around it.
 *
 * @param {string} text
 */
export function foreign (text) {
  return element('bdi', {}, text)
}

/**
 * A button that puts a text into the clipboard and says so. Where there is none (pages without TLS), it is not shown.
 *
 * @param {string} label
 * @param {() => string} text
 */
export function copyButton (label, text) {
  const button = element('button', { type: 'button', hidden: navigator.clipboard === undefined }, label)
  button.addEventListener('click', async () => {
    const copied = await navigator.clipboard.writeText(text()).then(() => true, () => false)
    button.textContent = copied ? 'Copied' : 'Not copied'
    setTimeout(() => { button.textContent = label }, 1500)
  })
  return button
}

/** @param {number} count */
export function number (count) {
  return count.toLocaleString('en', { maximumFractionDigits: 1 })
}

/**
 * A moment as it is read: `2025-01-15 10:00:00.5 UTC`.
 *
 * @param {string} ts
 */
export function moment (ts) {
  return element('time', { dateTime: ts }, `${ts.slice(0, 10)} ${ts.slice(11, -1)}`)
}
