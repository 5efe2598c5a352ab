/** Swagger UI in a browser, as somebody uses it who tries the service out. */
import t from 'tap'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, listen, message } from '../helper.ts'

t.test('“Try it out” asks the service, and shows its answer', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  await deliver(t, app, message())
  const { url } = await listen(app)
  const { page, troubles } = await visit(t, `${url}/docs`)
  const operation = page.locator('.opblock-get', { has: page.getByText('/stats', { exact: true }) })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table .response')
  await answer.getByText('200', { exact: true }).waitFor()
  t.match(await answer.innerText(), '"total_messages": 1')
  t.strictSame(troubles, [])
})
