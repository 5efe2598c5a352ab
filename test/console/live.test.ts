import t from 'tap'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, delivery, listen, message } from '../helper.ts'

t.test('messages are shown as they come in, the latest on top', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message({ text: 'was there before' }))
  const { page, troubles } = await visit(t, `${url}/?view=live`)
  await page.getByText('Listening').waitFor()
  t.equal(await page.locator('#tail li').count(), 0)

  await deliver(t, app, message({ message_id: 'm2', text: 'first <b>' }))
  await page.locator('#tail').getByText('first <b>').waitFor()
  // By the order of their arrival, whatever moment they claim.
  await deliver(t, app, message({ message_id: 'm3', text: 'second', ts: '2001-01-01T00:00:00Z' }))
  await page.locator('#tail').getByText('second').waitFor()
  t.strictSame(await page.locator('#tail .text').allTextContents(), ['second', 'first <b>'])

  await page.locator('#tail .when').first().click()
  await page.locator('#message .whole').getByText('second').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(`${url}/?view=live`)

  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused').waitFor()
  await deliver(t, app, message({ message_id: 'm4', text: 'unseen' }))
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('Listening').waitFor()
  await deliver(t, app, message({ message_id: 'm5', text: 'seen again' }))
  await page.locator('#tail').getByText('seen again').waitFor()
  t.equal(await page.getByText('unseen').count(), 0)
  t.strictSame(troubles, [])
})

t.test('of more than can be read at once the latest are shown, and that there were others is said', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const { page, troubles } = await visit(t, `${url}/?view=live`)
  await page.getByText('Listening').waitFor()
  await Promise.all(Array.from({ length: 2000 }, (_, n) => app.inject(delivery(message({ message_id: `m${n}` })))))
  await page.getByText('more came in here').first().waitFor()
  await deliver(t, app, message({ message_id: 'last', text: 'the last one' }))
  await page.locator('#tail').getByText('the last one').waitFor()
  t.ok(await page.locator('#tail li').count() <= 200)
  t.strictSame(troubles, [])
})

t.test('it says when the service does not answer, and goes on when it does', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const { page } = await visit(t, `${url}/?view=live`)
  await page.getByText('Listening').waitFor()
  await page.context().setOffline(true)
  await page.getByText('The service does not answer. It is tried again.').waitFor()
  await page.context().setOffline(false)
  await page.getByText('Listening').waitFor()
  await deliver(t, app, message({ text: 'back again' }))
  await page.locator('#tail').getByText('back again').waitFor()
})
