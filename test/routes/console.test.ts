import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildApp, get, listen } from '../helper.ts'
import { exchange } from '../wire.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'console')
const FILES = [...readdirSync(FOLDER), 'uPlot.iife.min.js', 'uPlot.min.css'].map(name => `/console/${name}`)
const TYPES: Readonly<Record<string, string>> = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'application/javascript; charset=utf-8', svg: 'image/svg+xml' }

t.test('the console is a page at /, and its files under /console/', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/', '/?view=live&q=%3Cb%3E', ...FILES]) {
    const { statusCode, headers, body } = await app.inject(url)
    t.equal(statusCode, 200, url)
    t.equal(headers['content-type'], TYPES[url.startsWith('/console/') ? url.split('.').at(-1) ?? '' : 'html'], url)
    t.equal(headers['content-length'], String(Buffer.byteLength(body)))
  }
  t.equal((await app.inject('/')).body, (await app.inject('/console/index.html')).body)
})

t.test('a browser keeps it, and asks each time whether it is still the same', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/', '/console/main.js', '/console/uPlot.min.css']) {
    const { headers } = await app.inject(url)
    t.equal(headers['cache-control'], 'no-cache')
    const again = await app.inject({ url, headers: { 'if-none-match': String(headers['etag']) } })
    t.equal(again.statusCode, 304)
    t.equal(again.body, '')
    const other = await app.inject({ url, headers: { 'if-none-match': 'W/"other"' } })
    t.equal(other.statusCode, 200)
  }
})

t.test('HEAD has the headers of GET, and no body', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/', '/console/main.js']) {
    const [whole, head] = [await app.inject(url), await app.inject({ method: 'HEAD', url })]
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    for (const name of ['content-type', 'content-length', 'etag', 'cache-control', 'content-security-policy']) t.equal(head.headers[name], whole.headers[name], name)
  }
})

t.test('nothing else is served, by any spelling of a path', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  // Over a socket, since a client library tidies paths up.
  for (const path of [
    '', '/', '/nothing', '/uPlot.esm.js', '/uPlot.cjs.js', '/uPlot.d.ts', '/../app.ts', '/../package.json', '/%2e%2e/app.ts', '/..%2fapp.ts', '/..%5capp.ts', '//main.js',
    '/./main.js', '/main.js/', '/main.js%00', '/MAIN.JS', '/../console/main.js', '/..', '/%2e', '/main.js/../../app.ts', '/node_modules', '/../node_modules/uplot/package.json'
  ]) {
    const [answer] = await exchange(port, `GET /console${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    t.match(answer, { status: 404, body: '{"detail":"not found"}' }, path)
  }
})

t.test('the page may do nothing but run its own scripts and ask this service, and no string becomes HTML', async t => {
  const { app } = await buildApp(t)
  for (const url of ['/', '/console/main.js', '/console/nothing']) {
    const { headers } = await app.inject(url)
    t.strictSame(String(headers['content-security-policy']).split(';').sort(), [
      "base-uri 'none'", "connect-src 'self'", "default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "img-src 'self' data:",
      "require-trusted-types-for 'script'", "script-src 'self'", "style-src 'self'", "trusted-types 'none'"
    ])
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
  }
  const { body } = await app.inject('/')
  t.notMatch(body, /<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|https?:/i)
  for (const file of FILES) t.notMatch((await app.inject(file)).body, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, file)
})

t.test('the page needs no key, and its settings say whether the rest does, and how deliveries are signed', async t => {
  const open = await buildApp(t)
  t.strictSame((await get(open.app, '/console/settings.json')).body, {
    scheme: { header: 'x-signature', prefix: '', encoding: 'hex', algorithm: 'sha256' }, needsKey: false
  })
  t.test('with keys', async t => {
    const { app } = await buildApp(t, { API_KEYS: 'reader:reader-key-0123456789', WEBHOOK_SIGNATURE_HEADER: 'X-Hub-Signature-256', WEBHOOK_SIGNATURE_PREFIX: 'sha256=' })
    for (const url of ['/', ...FILES]) t.equal((await app.inject(url)).statusCode, 200, url)
    const { body } = await app.inject('/console/settings.json')
    t.strictSame(JSON.parse(body), { scheme: { header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'hex', algorithm: 'sha256' }, needsKey: true })
    t.notMatch(body, 'reader')
  })
})

t.test('it is no part of the API: the OpenAPI document does not have it', async t => {
  const { app } = await buildApp(t)
  const { body } = await get<{ paths: Record<string, unknown> }>(app, '/openapi.json')
  t.strictSame(Object.keys(body.paths).filter(path => path === '/' || path.startsWith('/console')), [])
})
