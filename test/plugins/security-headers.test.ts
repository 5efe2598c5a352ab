import { createHash } from 'node:crypto'
import t from 'tap'
import { buildApp, delivery, message } from '../helper.ts'

const API = { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }

t.test('every answer of the API is data and nothing else to a browser, and is not kept', async t => {
  const { app } = await buildApp(t, { API_KEYS: 'reader:reader-key-0123456789' })
  for (const request of [
    delivery(message()), delivery(message(), {}, 'wrong'), '/messages', '/stats', { url: '/stats', headers: { authorization: 'Bearer reader-key-0123456789' } },
    '/health/live', '/metrics', '/openapi.json', '/nowhere', '/%', { method: 'OPTIONS', url: '/messages' } as const
  ]) t.match((await app.inject(request)).headers, API)
})

t.test('the pages of Swagger UI may run their own scripts and ask this service, and nothing else', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/docs', '/docs/', '/docs/static/swagger-ui.css', '/docs/static/swagger-initializer.js', '/docs/json']) {
    const { headers } = await app.inject(url)
    const policy = String(headers['content-security-policy']).split(';')
    for (const directive of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) t.ok(policy.includes(directive), `${url} ${directive}`)
    // On a service without TLS, this would ask the browser for scripts over TLS.
    t.notMatch(policy.join(), /unsafe|upgrade-insecure-requests|https?:/)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
    t.notOk('strict-transport-security' in headers)
  }
})

t.test('the page holds nothing that its policy forbids', async t => {
  const { app } = await buildApp(t)
  const { body, headers } = await app.inject('/docs/')
  t.match(body, '<script src=')
  t.notMatch(body, /<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|https?:/i)
  // The style element that its script makes, for the logo.
  const { body: script } = await app.inject('/docs/static/swagger-ui-standalone-preset.js')
  const styles = [...script.matchAll(/createElement\("style",null,"([^"\\]*)"\)/g)].map(([, style = '']) => style)
  t.equal(styles.length, 1)
  for (const style of styles) t.match(headers['content-security-policy'], `'sha256-${createHash('sha256').update(style).digest('base64')}'`)
})

t.test('no answer names what it was made with', async t => {
  const { app } = await buildApp(t)
  for (const request of [delivery(message()), '/messages', '/metrics', '/docs/', '/docs/static/swagger-ui.css', '/docs/static/none', '/nowhere']) {
    const { headers } = await app.inject(request)
    for (const name of ['server', 'x-powered-by', 'via']) t.notOk(name in headers, name)
    t.notMatch(JSON.stringify(headers), /fastify|node\.?js|letterbox\//i)
  }
})
