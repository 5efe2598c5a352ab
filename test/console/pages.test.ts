import t from 'tap'
import type { Page } from 'playwright-core'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, get, listen, message } from '../helper.ts'
import { justAfter } from '../../console/pages.js'

const SIZE = 50

/** The addresses in the list, the newest first, once it is another one than before. */
async function settled (page: Page, [before = '']: readonly string[] = []): Promise<string[]> {
  await page.locator(`#rows:not([aria-busy]) > li:first-child > .when:not([href="${before}"])`).waitFor()
  return page.locator('#rows .when').evaluateAll(links => links.map(link => String(link.getAttribute('href'))))
}

t.test('older pages have every message once, also where a hundred have the same moment, and newer ones lead back', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  // Some spread over years, more within a second, and many in one moment.
  const moments = [
    ...Array.from({ length: 70 }, (_, n) => new Date(Date.UTC(2015 + n % 7, n % 12, 1 + n % 28, 0, n)).toISOString()),
    ...Array.from({ length: 120 }, () => '2024-05-01T10:00:00Z'),
    ...Array.from({ length: 60 }, (_, n) => `2025-01-15T10:00:00.${String(n).padStart(9, '0')}Z`)
  ]
  await deliver(t, app, ...moments.map((ts, n) => message({ message_id: `m${n}`, from: `+${n % 2}`, ts })))
  const { page, troubles } = await visit(t, url)
  for (const query of ['?', '?from=%2B1', '?q=HELL', '?since=2016-01-01T00:00:00Z&until=2025-01-15T10:00:00.00000001Z']) {
    const { body: { total } } = await get<{ total: number }>(app, `/messages${query}`)
    t.ok(total > SIZE, `${query}: several pages`)
    await page.goto(`${url}/${query}`)
    let shown = await settled(page)
    const walked = [...shown]
    while (await page.locator('#older').getAttribute('aria-disabled') === 'false') {
      await page.locator('#older').click()
      shown = await settled(page, shown)
      walked.push(...shown)
    }
    t.equal(walked.length, total, query)
    t.equal(new Set(walked).size, total, query)
    const stored: string[] = []
    for (let offset = 0; offset < total; offset += SIZE) {
      const { data } = (await get<{ data: { message_id: string }[] }>(app, `/messages${query}&limit=${SIZE}&offset=${offset}`)).body
      stored.push(...data.map(({ message_id: id }) => id))
    }
    t.strictSame(walked.map(address => new URL(address, url).searchParams.get('id')), stored.reverse(), `${query}: in order`)

    // By which way one comes to a page does not depend on the filter: two of them will do for the way back.
    if (/from|q=/.test(query)) continue
    const back = [...shown]
    while (await page.locator('#newer').getAttribute('aria-disabled') === 'false') {
      await page.locator('#newer').click()
      shown = await settled(page, shown)
      back.unshift(...shown)
    }
    t.strictSame(back, walked, `${query}: and back`)
    await page.locator('#older').click()
    shown = await settled(page, shown)
    t.strictSame(shown, walked.slice(walked.indexOf(shown[0] ?? ''), walked.indexOf(shown[0] ?? '') + shown.length), `${query}: and older again`)
  }
  await page.locator('#oldest').click()
  await page.locator('#older[aria-disabled=true]').waitFor()
  t.strictSame(troubles, [])
})

t.test('what comes in meanwhile is announced, and shown when asked for', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page, troubles } = await visit(t, url)
  await page.locator('#rows li').waitFor()
  await deliver(t, app, message({ message_id: 'm2', ts: '2025-01-15T10:00:01Z' }))
  // As when somebody comes back to the page, without the ten seconds of waiting.
  await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
  await page.getByRole('button', { name: 'Show 1 more' }).click()
  await page.locator('#rows li').nth(1).waitFor()
  t.match(await page.locator('#rows .when').first().getAttribute('href'), 'id=m2')
  await page.locator('#news').waitFor({ state: 'hidden' })
  t.strictSame(troubles, [])
})

t.test('the moment after a moment', t => {
  for (const [ts, next] of [
    ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00.000000001Z'], ['2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00.500000001Z'],
    ['2025-12-31T23:59:59.999999999Z', '2026-01-01T00:00:00.000Z'], ['9999-12-31T23:59:59.999999999Z', undefined]
  ] as const) t.equal(justAfter(ts), next)
  t.end()
})
