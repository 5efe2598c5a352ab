import t from 'tap'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, listen, message } from '../helper.ts'

/** Addresses, and what is there once they are shown. */
const VIEWS = {
  '/': '#chart canvas', '/?q=e': '#rows mark', '/?q=nowhere': '#nothing:not([hidden])', '/?id=m1': '#message .whole', '/?view=live': '#live-state:not(:empty)', '/?view=signature': '#secret'
}

// Colours do not depend on the width, nor the layout on the colours.
for (const [colorScheme, width] of [['light', 1280], ['dark', 360]] as const) {
  t.test(`axe finds no serious fault, and nothing is wider than the page: ${colorScheme}, ${width} px`, { skip: noBrowser }, async t => {
    const { app } = await buildApp(t)
    const { url } = await listen(app)
    await deliver(t, app, message({ ts: new Date().toISOString() }), message({ message_id: 'm2', from: `+${'9'.repeat(32)}`, to: `+${'8'.repeat(32)}`, text: 'e'.repeat(300) }))
    const { page, faults } = await visit(t, url, { colorScheme, viewport: { width, height: 800 } })
    for (const [view, shown] of Object.entries(VIEWS)) {
      await page.goto(url + view)
      await page.evaluate('for (const part of document.querySelectorAll("details")) part.open = true')
      await page.locator(shown).first().waitFor()
      if (view.includes('signature')) for (const id of ['body', 'secret', 'sent']) await page.locator(`#${id}`).fill('x'.repeat(200))
      t.strictSame(await faults(), [], view)
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, view)
    }
  })
}

t.test('everything can be reached by keyboard, and the focus is seen', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page, troubles } = await visit(t, url)
  await page.locator('#rows li').waitFor()
  await page.locator('#chart canvas').waitFor()
  const reached: string[] = []
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press('Tab')
    const name = await page.evaluate<string>('document.activeElement === document.body ? "" : document.activeElement.id || document.activeElement.textContent.trim()')
    if (name === '' || (reached.length > 0 && name === reached[0])) break
    if (name !== reached.at(-1)) reached.push(name)
    t.not(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none', name)
  }
  t.strictSame(reached, [
    'Skip to the content', 'Letterbox', 'Messages', 'Live', 'Signature', 'API', 'range', '+919876543210', 'q', 'Search', 'clear', 'from', 'to', 'since', 'until', 'source',
    '2025-01-15 10:00:00', '+919876543210', 'newest', 'newer', 'older', 'oldest'
  ])

  await page.reload()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  t.equal(await page.evaluate('document.activeElement.id'), 'main', 'the skip link leads past the header')
  await page.locator('#rows .when').focus()
  await page.keyboard.press('Enter')
  await page.locator('#message .whole').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('#message').waitFor({ state: 'hidden' })
  t.equal(await page.evaluate('document.activeElement.className'), 'when', 'the focus is back where it was')
  t.strictSame(troubles, [])
})

t.test('the documentation is a link away', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const { page } = await visit(t, url)
  await page.getByRole('link', { name: 'API', exact: true }).click()
  await page.waitForURL(/\/docs/)
})

t.test('a service that is not ready says so', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET: '' })
  const { url } = await listen(app)
  const { page } = await visit(t, url)
  await page.getByText('not ready: WEBHOOK_SECRET is not set').waitFor()
})
