/** Signatures that are written otherwise than by default. */
import t from 'tap'
import { createHmac } from 'node:crypto'
import { buildApp, delivery, get, message, rowsStored, SECRET } from '../helper.ts'

const body = JSON.stringify(message())
const GITHUB = { WEBHOOK_SIGNATURE_HEADER: 'X-Hub-Signature-256', WEBHOOK_SIGNATURE_PREFIX: 'sha256=' }
const SHOPIFY = { WEBHOOK_SIGNATURE_HEADER: 'X-Shopify-Hmac-Sha256', WEBHOOK_SIGNATURE_ENCODING: 'base64' }
const LONG = { WEBHOOK_SIGNATURE_HEADER: 'Authorization', WEBHOOK_SIGNATURE_PREFIX: 'HMAC ', WEBHOOK_SIGNATURE_ENCODING: 'base64', WEBHOOK_SIGNATURE_ALGORITHM: 'sha512' }

const digest = (algorithm: string, encoding: 'hex' | 'base64', secret = SECRET): string => createHmac(algorithm, secret).update(body).digest(encoding)

/** POSTs the message with these headers beside its type. */
const post = (headers: Record<string, string>) => ({ ...delivery(body), headers: { 'content-type': 'application/json', ...headers } })

t.test('a delivery is let in by the signature that is configured, and by no other', async t => {
  for (const [env, header, right, wrong] of [
    [GITHUB, 'x-hub-signature-256', `sha256=${digest('sha256', 'hex')}`, digest('sha256', 'hex')],
    [SHOPIFY, 'x-shopify-hmac-sha256', digest('sha256', 'base64'), digest('sha256', 'hex')],
    [LONG, 'authorization', `HMAC ${digest('sha512', 'base64')}`, `HMAC ${digest('sha256', 'base64')}`]
  ] as const) {
    const { app, requestLines } = await buildApp(t, env)
    for (const refused of [{}, { 'x-signature': digest('sha256', 'hex') }, { [header]: wrong }]) {
      const response = await app.inject(post(refused))
      t.strictSame([response.statusCode, response.body], [401, '{"detail":"invalid signature"}'])
    }
    t.equal((await app.inject(post({ [header.toUpperCase()]: right }))).statusCode, 200, right)
    t.strictSame(requestLines().map(({ refusal }) => refusal), ['missing', 'missing', 'malformed', undefined])
    t.notMatch(JSON.stringify(requestLines()), right.slice(-20))
    t.equal(await rowsStored(t), 1)
    await app.close()
  }
})

t.test('while a secret is rotated, both are let in, as ever', async t => {
  const { app } = await buildApp(t, { ...GITHUB, WEBHOOK_SECRET_PREVIOUS: 'old' })
  for (const secret of [SECRET, 'old']) {
    t.equal((await app.inject(post({ 'x-hub-signature-256': `sha256=${digest('sha256', 'hex', secret)}` }))).statusCode, 200)
  }
})

t.test('the header is documented as it is configured', async t => {
  interface Documented { paths: { '/webhook': { post: { parameters: { name: string, in: string, required: boolean, description: string, example: string, schema: { pattern: string } }[] } } } }
  for (const [env, name, right] of [
    [{}, 'x-signature', digest('sha256', 'hex')],
    [GITHUB, 'x-hub-signature-256', `sha256=${digest('sha256', 'hex')}`],
    [{ ...LONG, WEBHOOK_SIGNATURE_HEADER: 'X-Seal' }, 'x-seal', `HMAC ${digest('sha512', 'base64')}`]
  ] as const) {
    const { app } = await buildApp(t, { ...env, DATABASE_URL: 'sqlite:///:memory:' })
    const [parameter] = (await get<Documented>(app, '/openapi.json')).body.paths['/webhook'].post.parameters
    t.match(parameter, { name, in: 'header', required: true })
    const pattern = new RegExp(parameter?.schema.pattern ?? '', 'u')
    t.match(right, pattern)
    t.match(parameter?.example, pattern)
    t.match(parameter?.description, right.startsWith('HMAC ') ? '`HMAC ` and the HMAC-SHA512 of the raw body bytes under WEBHOOK_SECRET, in base64' : /HMAC-SHA256 of .+, in hex$/)
    await app.close()
  }
})
