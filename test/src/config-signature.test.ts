import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { SIGNATURE_HEADER_RULE } from '../../src/signature/hmac.ts'

t.test('how deliveries are signed can be chosen', async t => {
  t.strictSame(loadConfig({
    WEBHOOK_SIGNATURE_HEADER: 'X-Hub-Signature-512', WEBHOOK_SIGNATURE_PREFIX: 'sha512=', WEBHOOK_SIGNATURE_ENCODING: 'base64', WEBHOOK_SIGNATURE_ALGORITHM: 'sha512'
  }).signatureScheme, { header: 'x-hub-signature-512', prefix: 'sha512=', encoding: 'base64', algorithm: 'sha512' })
  t.equal(loadConfig({ WEBHOOK_SIGNATURE_PREFIX: 'HMAC ' }).signatureScheme.prefix, 'HMAC ')
  t.ok(Object.isFrozen(loadConfig({}).signatureScheme))
})

t.test('what cannot be meant is refused with its rule', async t => {
  for (const [name, rule, values] of [
    ['HEADER', SIGNATURE_HEADER_RULE, ['content-type', 'Host', 'x signature', 'x-signature:', 'x-request-id']],
    ['PREFIX', 'at most 64 ASCII characters, of which the first is no space', [' ', ' sha256=', 'é', 'a\tb', 'a\n', 'x'.repeat(65)]],
    ['ENCODING', 'hex or base64', ['HEX', 'base64url', 'base32', ' hex', 'constructor']],
    ['ALGORITHM', 'sha256 or sha512', ['sha1', 'SHA256', 'sha-256', 'md5', 'sha384']]
  ] as const) {
    const variable = `WEBHOOK_SIGNATURE_${name}`
    for (const value of values) t.throws(() => loadConfig({ [variable]: value }), new ConfigError(`${variable} must be ${rule}`), JSON.stringify(value))
  }
})
