import t from 'tap'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, listen, message } from '../helper.ts'

const KEY = 'reader-key-0123456789'

t.test('with API keys the page asks for one first, keeps it for the tab, and forgets it when told', { skip: noBrowser }, async t => {
  const { app, requestLines } = await buildApp(t, { API_KEYS: `reader:${KEY}` })
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page, troubles } = await visit(t, `${url}/?id=m1`)
  const key = page.getByLabel('API key', { exact: true })
  await key.waitFor()
  t.equal(await page.evaluate('document.activeElement.id'), 'key')
  t.equal(requestLines().filter(({ status }) => status === 401).length, 0, 'nothing is asked for without one')
  t.ok(await page.locator('#messages').isHidden())

  await key.fill('wrong-key')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByText('does not know this key').waitFor()
  await key.fill(KEY)
  await page.keyboard.press('Enter')
  await page.locator('#message .whole').getByText('Hello').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('#rows li').waitFor()
  await page.locator('#chart canvas').waitFor()
  t.ok(await page.locator('#key-form').isHidden())
  t.ok(requestLines().some(({ api_key: name, path }) => name === 'reader' && path === '/messages'))

  await page.getByRole('link', { name: 'Live' }).click()
  await page.getByText('Listening').waitFor()
  await deliver(t, app, message({ message_id: 'm2', text: 'live' }))
  await page.locator('#tail').getByText('live').waitFor()

  // Kept for this tab, and nowhere else.
  await page.reload()
  await page.getByText('Listening').waitFor()
  t.strictSame(await page.evaluate('[Object.values(sessionStorage), localStorage.length, document.cookie]'), [[KEY], 0, ''])
  t.notMatch(JSON.stringify(await page.evaluate('performance.getEntries().map(entry => entry.name)')), KEY)

  await page.getByRole('button', { name: 'Forget the key' }).click()
  await key.waitFor()
  t.equal(await page.evaluate('sessionStorage.length'), 0)
  t.equal(await page.locator('#tail li').count(), 0)
  t.strictSame(troubles, [])
})

t.test('a key that is taken away while the page is open is asked for again', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t, { API_KEYS: `reader:${KEY}` })
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page } = await visit(t, url)
  await page.getByLabel('API key', { exact: true }).fill(KEY)
  await page.keyboard.press('Enter')
  await page.locator('#rows li').waitFor()
  await page.evaluate('sessionStorage.setItem("letterbox-key", "revoked")')
  await page.getByLabel('Text contains').fill('Hello')
  await page.getByText('does not know this key').waitFor()
  t.ok(await page.locator('#messages').isHidden())
})

t.test('without API keys none is asked for', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page, troubles } = await visit(t, url)
  await page.locator('#rows li').waitFor()
  t.ok(await page.locator('#key-form').isHidden())
  t.ok(await page.getByRole('button', { name: 'Forget the key' }).isHidden())
  t.strictSame(troubles, [])
})

t.test('whom the rate limit stops is told so, and not asked for a key', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t, { RATE_LIMIT: '1' })
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page } = await visit(t, url)
  await page.getByText('too many requests, try again later').first().waitFor()
  t.ok(await page.locator('#key-form').isHidden())
})
