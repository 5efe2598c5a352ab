import t from 'tap'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, delivery, listen, message } from '../helper.ts'

const HOSTILE = [
  '<script>document.title = "gone"</script><img src=x onerror="document.title = \'gone\'">', '</p></li><a href="javascript:alert(1)">x</a>', '{{1+1}} &lt;b&gt; &#0;',
  '\u202Egnorw si siht\u202C \u2067 left open', 'Z̷̡̢̛a̵l̶g̷o̵', '\u0001\u001b[31m\u007f\ufeff\ufffd', '😀'.repeat(4096), 'a'.repeat(4096), 'العربية ← עברית → English'
]

t.test('texts are shown as text, whatever is in them', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  for (const [n, text] of HOSTILE.entries()) await deliver(t, app, message({ message_id: `<i>${n}</i>"&?#/`, ts: `2025-01-15T10:00:0${n}Z`, text }))
  const { page, troubles } = await visit(t, url)
  const rows = page.locator('#rows li')
  await rows.nth(HOSTILE.length - 1).waitFor()
  const shown = (await page.locator('#rows .text').allTextContents()).reverse()
  for (const [n, text] of HOSTILE.entries()) t.ok(text.startsWith(shown[n]?.replace(/…$/, '') ?? 'none'), `${n}: ${shown[n]?.slice(0, 60)}`)
  t.equal(await page.locator('main script, main img, #rows [href^=javascript]').count(), 0)

  for (const [n, text] of HOSTILE.entries()) {
    await rows.nth(HOSTILE.length - 1 - n).locator('.when').click()
    await page.locator('#message .whole').waitFor()
    t.equal(await page.locator('#message .whole').textContent(), text)
    t.equal(await page.locator('#message code').textContent(), `<i>${n}</i>"&?#/`)
    await page.keyboard.press('Escape')
    await page.locator('#message[open]').waitFor({ state: 'detached' })
  }
  t.equal(await page.title(), 'Letterbox')
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the page')
  t.strictSame(troubles, [])
})

t.test('totals, the chart and the busiest senders', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const { page, troubles } = await visit(t, url)
  await page.getByText('No message has come in yet').waitFor()
  await deliver(t, app, ...[1, 2, 3].map(n => message({ message_id: `m${n}`, from: n === 3 ? '+2' : '+1', ts: new Date().toISOString() })))
  await page.reload()
  await page.locator('#chart canvas').waitFor()
  t.match(await page.locator('#totals').innerText(), /Messages\s+3\s+Senders\s+2\s+In the last hour\s+3/)
  t.match(await page.locator('#chart').getAttribute('aria-label'), /^3 messages by minute/)
  t.strictSame(await page.locator('#senders li').allInnerTexts(), ['+1\n2', '+2\n1'])
  await page.locator('#range').selectOption('month')
  await page.locator('#chart[aria-label*="by day"]').waitFor()

  await page.locator('#senders a', { hasText: '+2' }).click()
  await page.waitForURL(`${url}/?from=%2B2`)
  await page.getByText('1 message', { exact: true }).waitFor()
  await page.locator('#chart[aria-label^="1 messages"]').waitFor()
  t.strictSame(troubles, [])
})

t.test('a part of the chart is dragged over, and listed', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  for (const day of ['10', '20', '30']) await deliver(t, app, message({ message_id: day, ts: `2025-01-${day}T10:30:00Z` }))
  const { page, troubles } = await visit(t, url)
  const box = await page.locator('#chart .u-over').boundingBox()
  if (box === null) return t.fail('there is no chart')
  // By hour, over the whole time from the first to the last: the second lies in the middle.
  const y = box.y + box.height / 2
  await page.mouse.move(box.x + box.width * 0.3, y)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 5 })
  await page.mouse.up()
  await page.waitForURL(/since=.*until=/)
  await page.getByText('1 message', { exact: true }).waitFor()
  t.match(new URL(page.url()).searchParams.get('since'), /^2025-01-1\dT\d\d:00:00Z$/)
  t.strictSame(troubles, [])
})

t.test('the overview goes on, whatever the address asks for, and only the latest question is answered', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message({ ts: new Date().toISOString() }))
  const { page, troubles } = await visit(t, `${url}/?until=foo`)
  const chart = (interval: string): Promise<void> => page.locator(`#chart[aria-label^="1 messages by ${interval}"]`).waitFor({ timeout: 5000 })
  await chart('minute')
  t.strictSame(troubles, [])

  await page.clock.install()
  // An answer that nobody can read, as a proxy in between may give one.
  await page.route(`${url}/stats`, route => route.fulfill({ body: '<html>' }), { times: 1 })
  const broken = page.waitForEvent('pageerror', { timeout: 5000 })
  await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
  t.match(await broken, { name: 'SyntaxError' })
  const again = page.waitForRequest(`${url}/stats`, { timeout: 5000 })
  await page.clock.fastForward(10_000)
  await again

  await page.goto(url)
  await chart('minute')
  await page.route(/interval=day/, () => {})
  const given = page.waitForEvent('requestfailed', { timeout: 5000 })
  const asked = page.waitForRequest(/interval=day/)
  await page.locator('#range').selectOption('month')
  await asked
  await page.locator('#range').selectOption('days')
  t.match((await given).url(), 'interval=day')
  await chart('hour')
  t.equal(troubles.length, 1, 'the answer that nobody can read')
})

t.test('search marks its hits, in every script, and the address has the filters', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const texts = ['Straße, strasse, STRASSE', 'ΟΔΥΣΣΕΥΣ was here', `${'x'.repeat(1000)} needle ${'x'.repeat(1000)}`, 'none of it', '100% _ \\ *']
  for (const [n, text] of texts.entries()) await deliver(t, app, message({ message_id: `m${n}`, from: `+${n}`, ts: `2025-01-15T10:00:0${n}Z`, text }))
  const { page, troubles } = await visit(t, url)
  await page.locator('#rows li').nth(4).waitFor()
  for (const [q, marks] of [['STRASSE', ['Straße', 'strasse', 'STRASSE']], ['σευς', ['ΣΕΥΣ']], ['Needle', ['needle']], ['0% _ \\', ['0% _ \\']]] as const) {
    await page.getByLabel('Text contains').fill(q)
    await page.waitForURL(`${url}/?q=${new URLSearchParams({ q }).toString().slice(2)}`)
    await page.getByText('1 message', { exact: true }).waitFor()
    await page.locator('#rows mark', { hasText: marks[0] }).first().waitFor()
    t.strictSame(await page.locator('#rows mark').allTextContents(), marks, q)
  }
  await page.getByLabel('Text contains').fill('nowhere')
  await page.getByText('No message is like that').waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.locator('#rows li').nth(4).waitFor()
  t.equal(page.url(), `${url}/`)

  await page.getByLabel('Since').fill('2025-01-15T10:00:01')
  await page.getByLabel('Until').fill('2025-01-15T10:00:03')
  await page.getByLabel('To', { exact: true }).fill('+14155550100')
  await page.getByText('2 messages', { exact: true }).waitFor()
  t.strictSame(Object.fromEntries(new URL(page.url()).searchParams), { since: '2025-01-15T10:00:01Z', until: '2025-01-15T10:00:03Z', to: '+14155550100' })
  await page.reload()
  await page.getByText('2 messages', { exact: true }).waitFor()
  t.equal(await page.getByLabel('Since').inputValue(), '2025-01-15T10:00:01')
  await page.locator('#rows .who a').first().click()
  await page.getByText('1 message', { exact: true }).waitFor()
  await page.goBack()
  await page.getByText('2 messages', { exact: true }).waitFor()
  t.strictSame(troubles, [])
})

t.test('what is no filter is said, as the service says it', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message())
  const { page } = await visit(t, `${url}/?since=yesterday`)
  await page.getByText('since must be').first().waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.locator('#rows li').waitFor()
  await app.messages.close()
  await page.getByLabel('Text contains').fill('Hello')
  await page.getByText('the service cannot do this now').first().waitFor()
  t.equal((await app.inject(delivery(message()))).statusCode, 503)
})
