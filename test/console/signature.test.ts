import t from 'tap'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { noBrowser, visit } from '../browser.ts'
import { buildApp, delivery, listen, message, SECRET } from '../helper.ts'
import { sign } from '../../src/signature/hmac.ts'
import { parseStandardSecrets, signStandard } from '../../src/signature/standard.ts'

const BODY = JSON.stringify(message())
const RIGHT = sign(Buffer.from(BODY), SECRET)

async function fill (page: Page, fields: Record<string, string>): Promise<void> {
  for (const [id, value] of Object.entries(fields)) await page.locator(`#${id}`).fill(value)
}

t.test('the signature that the service takes is computed in the browser, and one that was sent is held against it', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const { page, troubles } = await visit(t, `${url}/?view=signature`)
  await page.getByText('this service: x-signature').waitFor({ state: 'attached' })
  const asked: string[] = []
  page.on('request', request => { asked.push(new URL(request.url()).pathname) })
  await fill(page, { body: BODY, secret: SECRET })
  await page.locator('#computed').getByText(RIGHT).waitFor()
  t.equal((await app.inject({ ...delivery(message()), headers: { 'x-signature': String(await page.locator('#computed span').textContent()) } })).statusCode, 200)

  const verdict = page.locator('#verdict')
  await fill(page, { sent: RIGHT })
  await verdict.getByText('They are the same').waitFor()
  await fill(page, { sent: RIGHT.toUpperCase() })
  await verdict.getByText('makes no difference').waitFor()
  for (const [sent, ...sentences] of [
    [`sha256=${RIGHT}`, 'begins with “sha256=”', 'differs from character 1 on'],
    [`${RIGHT} `, 'white space behind it', 'goes on behind character 64'],
    [RIGHT.slice(0, -1), 'ends before character 64', '63 characters long, where 64 belong'],
    [`${RIGHT.slice(0, 10)}g${RIGHT.slice(11)}`, 'differs from character 11 on', '“g” at its character 11 is no hex digit'],
    [Buffer.from(RIGHT, 'hex').toString('base64'), 'It looks like base64', 'only its spelling is wrong'],
    [sign(Buffer.from(`${BODY}\n`), SECRET), 'with a line break at its end'],
    [sign(Buffer.from(BODY), `${SECRET}\n`), 'the secret with a line break at its end'],
    [sign(Buffer.from(BODY), 'quite another'), 'made of another body or with another secret']
  ]) {
    await fill(page, { sent: String(sent) })
    for (const sentence of sentences) await verdict.getByText(sentence).waitFor()
  }
  await fill(page, { sent: `${RIGHT.slice(0, 10)}g${RIGHT.slice(11)}` })
  await page.locator('.diff mark').nth(1).waitFor()
  t.strictSame(await page.locator('.diff mark').allTextContents(), [RIGHT[10], 'g'])

  // Nothing of it went anywhere.
  t.strictSame(asked.filter(path => path !== '/health/ready'), [])
  t.equal(page.url(), `${url}/?view=signature`)
  t.strictSame(await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie]'), [0, 0, ''])
  await page.goto(`${url}/health/live`)
  await page.goBack()
  await page.locator('#secret').waitFor()
  t.strictSame(await page.evaluate('["secret", "body", "sent"].map(id => document.getElementById(id).value)'), ['', '', ''], 'the back button does not bring it back')
  t.strictSame(troubles, [])
})

t.test('it begins with the scheme that the service is configured for, and has the common ones', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t, { WEBHOOK_SIGNATURE_HEADER: 'X-Acme', WEBHOOK_SIGNATURE_PREFIX: 'v9=', WEBHOOK_SIGNATURE_ENCODING: 'base64', WEBHOOK_SIGNATURE_ALGORITHM: 'sha512' })
  const { url } = await listen(app)
  const { page, troubles } = await visit(t, `${url}/?view=signature`)
  await page.getByText('this service: x-acme').waitFor({ state: 'attached' })
  await fill(page, { body: BODY, secret: SECRET })
  const computed = page.locator('#computed span')
  await computed.getByText(sign(Buffer.from(BODY), SECRET, { header: 'x-acme', prefix: 'v9=', encoding: 'base64', algorithm: 'sha512' })).waitFor()
  const scheme = page.getByLabel('Scheme')
  await scheme.selectOption({ index: 2 })
  await computed.getByText(`sha256=${RIGHT}`).waitFor()
  await scheme.selectOption({ index: 3 })
  await computed.getByText(Buffer.from(RIGHT, 'hex').toString('base64')).waitFor()

  await scheme.selectOption({ index: 4 })
  await fill(page, { secret: 'whsec_?' })
  await page.getByText('This secret is no base64').waitFor()
  await fill(page, { secret: 'whsec_c2VjcmV0', 'webhook-id': 's1', 'webhook-timestamp': '1700000000' })
  const [secret] = parseStandardSecrets('whsec_c2VjcmV0') ?? []
  const standard = secret === undefined ? '' : signStandard(secret, 's1', '1700000000', Buffer.from(BODY))
  await computed.getByText(standard).waitFor()
  await fill(page, { sent: `v1,AAAA ${standard}` })
  await page.getByText('They are the same').waitFor()
  t.strictSame(troubles, [])
})

t.test('a body from a file is taken byte for byte', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { url } = await listen(app)
  const body = Buffer.from('{"a":\r\n1}\r\n\xff', 'latin1')
  const folder = t.testdir({ 'body.json': body })
  const { page, troubles } = await visit(t, `${url}/?view=signature`)
  await fill(page, { secret: SECRET })
  await page.getByLabel('or a file').setInputFiles(join(folder, 'body.json'))
  await page.locator('#computed').getByText(sign(body, SECRET)).waitFor()
  await page.getByText(`${body.length} bytes, of the file`).waitFor()
  await page.locator('#body').fill('{}')
  await page.locator('#computed').getByText(sign(Buffer.from('{}'), SECRET)).waitFor()
  await page.getByRole('button', { name: 'Show' }).click()
  t.equal(await page.locator('#secret').getAttribute('type'), 'text')
  t.strictSame(troubles, [])
})

t.test('where the browser computes no signatures, it says why', { skip: noBrowser }, async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  // As by a name in one's own network, without TLS.
  const { page } = await visit(t, `http://letterbox.test:${port}/?view=signature`, { args: ['--host-resolver-rules=MAP letterbox.test 127.0.0.1'] })
  await page.getByText('only on pages that came over HTTPS').waitFor()
})
