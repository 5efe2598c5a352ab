/** A browser for tests: the system's Chromium, without a window. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import t, { type Test } from 'tap'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Why tests in a browser cannot be run here; false where they can. */
export const noBrowser = existsSync(CHROMIUM) ? false : `there is no browser at ${CHROMIUM}: install Debian's chromium to have the console tested`

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync'
]

export interface Visitor {
  readonly page: Page
  /**
   * What went wrong so far: errors on the console, errors that nobody caught, what the page's policy forbade, requests to other
   * hosts. Chromium's own line about an answer that is no 200 is none.
   */
  readonly troubles: string[]
  /** The faults that axe finds in what is shown, and calls serious or critical. */
  faults (): Promise<string[]>
}

export interface VisitOptions extends BrowserContextOptions {
  /** Further arguments of Chromium. */
  readonly args?: readonly string[]
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** One browser for a file of tests, by its arguments: to start it takes longer than most tests do. */
const browsers = new Map<string, Promise<Browser>>()
t.teardown(async () => { for (const browser of browsers.values()) await (await browser).close() })

function launch (args: readonly string[]): Promise<Browser> {
  const known = browsers.get(args.join()) ?? chromium.launch({ executablePath: CHROMIUM, args: [...ARGUMENTS, ...args] })
  browsers.set(args.join(), known)
  return known
}

/** Opens an address in a profile of its own (https://playwright.dev/docs/browser-contexts), whose data is gone with the test. */
export async function visit (t: Test, address: string, { args = [], ...options }: VisitOptions = {}): Promise<Visitor> {
  const browser = await launch(args)
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options })
  t.teardown(() => context.close())
  await context.addInitScript('addEventListener("securitypolicyviolation", event => console.error("policy:", event.violatedDirective, event.blockedURI, event.sample))')
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)

  const troubles: string[] = []
  const host = new URL(address).host
  page.on('console', line => {
    if (['error', 'warning'].includes(line.type()) && !/status of (?:401|404|422|429|503)/.test(line.text())) troubles.push(line.text())
  })
  page.on('pageerror', error => troubles.push(String(error)))
  page.on('request', request => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.host !== host) troubles.push(`a request to ${url.host}`)
  })
  await page.goto(address)
  return { page, troubles, faults: () => faultsIn(page) }
}

/** https://github.com/dequelabs/axe-core/blob/develop/doc/API.md */
interface Axe { violations: { id: string, impact: string, nodes: { html: string, failureSummary: string }[] }[] }

async function faultsIn (page: Page): Promise<string[]> {
  if (await page.evaluate('typeof axe') === 'undefined') await page.evaluate(readFileSync(AXE, 'utf8'))
  const { violations } = await page.evaluate<Axe>('axe.run()')
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}
