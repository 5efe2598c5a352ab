import t from 'tap'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, deliver, listen, message } from '../helper.ts'
import { indented, rawOf } from '../../console/payload.js'
import { parseStandardSecrets, signStandard } from '../../src/signature/standard.ts'

const STANDARD = 'whsec_c2VjcmV0'

t.test('one message is opened, with how it came in and the payload as it was sent', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t, { STANDARD_WEBHOOKS_SECRET: STANDARD })
  const { url } = await listen(app)
  const payload = `{"type":"message.received", "data": ${JSON.stringify(message({ text: 'from \u202e afar' }))},"big":12345678901234567890, "raw":"\\",\\"raw\\":", "none":[],"dup":1,"dup":1.0}`
  const timestamp = String(Math.floor(Date.now() / 1000))
  const [secret] = parseStandardSecrets(STANDARD) ?? []
  if (secret === undefined) return t.fail('there is no secret')
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/webhook/standard',
    headers: { 'content-type': 'application/json', 'webhook-id': 's1', 'webhook-timestamp': timestamp, 'webhook-signature': signStandard(secret, 's1', timestamp, Buffer.from(payload)) },
    payload
  })
  t.equal(statusCode, 200)
  const { raw } = (await app.inject('/messages/m1')).json<{ raw: unknown }>()
  t.ok(raw)

  const { page, troubles } = await visit(t, `${url}/?from=%2B919876543210`)
  await page.locator('#rows .when').click()
  await page.waitForURL(/id=m1/)
  const facts = await page.locator('#message .facts').innerText()
  for (const fact of ['m1', '+919876543210', '+14155550100', '2025-01-15 10:00:00 UTC', 'standard', 'message.received']) t.match(facts, fact)
  const shown = await page.locator('#message pre').innerText()
  t.strictSame(JSON.parse(shown), raw)
  t.match(shown, '12345678901234567890')
  await page.getByText('characters that are not seen: U+202E').waitFor()

  // The browser's own button closes it, and its address opens it.
  await page.goBack()
  await page.locator('#message').waitFor({ state: 'hidden' })
  t.equal(page.url(), `${url}/?from=%2B919876543210`)
  await page.goForward()
  await page.locator('#message pre').waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.waitForURL(`${url}/?from=%2B919876543210`)
  await page.goto(`${url}/?id=m1`)
  await page.locator('#message pre').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(`${url}/`)

  await page.goto(`${url}/?id=nobody`)
  await page.getByText('no message has this id').waitFor()
  t.strictSame(troubles, [])
})

t.test('a message that was the delivery itself says so', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  await deliver(t, app, message({ text: null }))
  const { page, troubles } = await visit(t, `${url}/?id=m1`)
  await page.getByText('What was sent was the message itself').waitFor()
  t.equal(await page.locator('#message').getByText('no text').count(), 1)
  t.strictSame(troubles, [])
})

t.test('the payload is taken from an answer to the character', t => {
  for (const raw of ['null', '{"a":1.0,"b":[1e400, 12345678901234567890]}', '"x"', '{"raw":{"raw":"}"}}', '[]']) {
    t.equal(rawOf(`{"text":"\\",\\"raw\\":{}","source":"x","raw":${raw}}`), raw)
  }
  t.equal(rawOf('{"text":"from a service without payloads"}'), 'null')
  t.end()
})

t.test('an indented payload is the same JSON, token by token', t => {
  const raw = '{"a":[1.0,-2e5,{}],"b":{"c":[],"d":"x: {, \\" \\\\"},"e":null,"\u202eevil\u200d":"\u2066é😀\ufeff"}'
  const text = indented(raw)
  t.strictSame(JSON.parse(text), JSON.parse(raw))
  t.equal(text, '{\n  "a": [\n    1.0,\n    -2e5,\n    {}\n  ],\n  "b": {\n    "c": [],\n    "d": "x: {, \\" \\\\"\n  },\n  "e": null,\n  "\\u202eevil\u200d": "\\u2066é😀\\ufeff"\n}')
  for (const same of ['null', '1.50', '""', '{}', '[]']) t.equal(indented(same), same)
  t.end()
})
