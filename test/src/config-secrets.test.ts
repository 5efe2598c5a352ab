import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { SECRETS } from '../../src/secret-files.ts'
import { STANDARD_SECRETS_RULE } from '../../src/signature/standard.ts'
import { PUBLIC_URL_RULE } from '../../src/signature/twilio.ts'

/** A value for each secret. */
const VALUES: Readonly<Record<typeof SECRETS[number], string>> = {
  WEBHOOK_SECRET: 'new',
  WEBHOOK_SECRET_PREVIOUS: 'old',
  STANDARD_WEBHOOKS_SECRET: 'whsec_b25l',
  TWILIO_AUTH_TOKEN: 't1',
  WHATSAPP_APP_SECRET: 'a1',
  WHATSAPP_VERIFY_TOKEN: 'v1',
  API_KEYS: 'reader:k1',
  DATABASE_URL: 'postgres://u@primary/x',
  DATABASE_READ_URL: 'postgres://u@replica/x'
}

t.test('the current secret comes first, the previous one after it', async t => {
  t.strictSame(loadConfig({ WEBHOOK_SECRET: 'new' }).webhookSecrets, ['new'])
  t.strictSame(loadConfig({ WEBHOOK_SECRET: 'new', WEBHOOK_SECRET_PREVIOUS: 'old' }).webhookSecrets, ['new', 'old'])
})

t.test('a previous secret without a current one accepts nothing', async t => {
  t.strictSame(loadConfig({ WEBHOOK_SECRET_PREVIOUS: 'old' }).webhookSecrets, [])
  t.strictSame(loadConfig({ WEBHOOK_SECRET: '', WEBHOOK_SECRET_PREVIOUS: 'old' }).webhookSecrets, [])
})

t.test('a secret is taken as it is', async t => {
  for (const secret of [' ', ' a ', '0', 'clé 😀', '$HOME', '"quoted"', 'x'.repeat(10_000)]) {
    t.strictSame(loadConfig({ WEBHOOK_SECRET: secret }).webhookSecrets, [secret])
  }
})

t.test('every secret may come from a file', async t => {
  const folder = t.testdir(Object.fromEntries(SECRETS.map((name, index) => [name, VALUES[name] + ['', '\n', '\r\n'][index % 3]])))
  const files = Object.fromEntries(SECRETS.map(name => [`${name}_FILE`, join(folder, name)]))
  const PUBLIC_URL = 'https://hooks.example.com'
  const read = ({ standardSecrets, ...config }: ReturnType<typeof loadConfig>): unknown => ({ ...config, standard: standardSecrets.map(key => key.export().toString()) })
  t.strictSame(read(loadConfig({ ...files, PUBLIC_URL })), read(loadConfig({ ...VALUES, PUBLIC_URL })))
  for (const name of SECRETS.filter(name => name !== 'DATABASE_URL')) {
    t.notSame(read(loadConfig({ ...VALUES, [name]: '', PUBLIC_URL })), read(loadConfig({ ...VALUES, PUBLIC_URL })), `${name} is in the configuration`)
  }
})

t.test('one line end behind the secret is not part of it, and nothing else is dropped', async t => {
  const folder = t.testdir({ unix: 'key\n', windows: 'key\r\n', two: 'key\n\n', spaces: ' key \n', lines: 'a\nb' })
  const read = (name: string): readonly string[] => loadConfig({ WEBHOOK_SECRET_FILE: join(folder, name) }).webhookSecrets
  t.strictSame(read('unix'), ['key'])
  t.strictSame(read('windows'), ['key'])
  t.strictSame(read('two'), ['key\n'])
  t.strictSame(read('spaces'), [' key '])
  t.strictSame(read('lines'), ['a\nb'])
})

t.test('an empty file is an unset secret', async t => {
  const folder = t.testdir({ empty: '', line: '\n', previous: 'old' })
  for (const name of ['empty', 'line']) {
    t.strictSame(loadConfig({ WEBHOOK_SECRET_FILE: join(folder, name) }).webhookSecrets, [])
    t.strictSame(loadConfig({
      WEBHOOK_SECRET_FILE: join(folder, name), WEBHOOK_SECRET_PREVIOUS_FILE: join(folder, 'previous')
    }).webhookSecrets, [])
  }
})

t.test('a variable and its file must not both be set, and neither is told', async t => {
  const folder = t.testdir({ secret: 'hunter2' })
  const file = join(folder, 'secret')
  for (const [name, value] of Object.entries(VALUES)) {
    t.throws(() => loadConfig({ [name]: value, [`${name}_FILE`]: file }), new ConfigError(`${name} and ${name}_FILE must not both be set`))
  }
  t.strictSame(loadConfig({ WEBHOOK_SECRET: '', WEBHOOK_SECRET_FILE: file }).webhookSecrets, ['hunter2'], 'empty is unset')
})

t.test('a file that cannot be read is refused by the name of its variable', async t => {
  const folder = t.testdir({ secret: 'hunter2' })
  for (const file of [join(folder, 'missing'), folder, join(folder, 'secret', 'below'), 'hunter2', 'a\u0000b']) {
    for (const name of SECRETS) {
      t.throws(() => loadConfig({ [`${name}_FILE`]: file }), new ConfigError(`${name}_FILE must be the path of a readable file`))
    }
  }
})

t.test('what a file holds is held to the same rule, and not told', async t => {
  const folder = t.testdir({ url: 'mysql://user:hunter2@host/db' })
  try {
    loadConfig({ DATABASE_URL_FILE: join(folder, 'url') })
    t.fail('accepted')
  } catch (error) {
    t.type(error, ConfigError)
    t.match(String(error), 'DATABASE_URL must be sqlite:///relative.db')
    t.notMatch(String(error), 'hunter2')
  }
})

t.test('the file is only read', async t => {
  const file = join(t.testdir({ secret: 'key\n' }), 'secret')
  chmodSync(file, 0o400)
  loadConfig({ WEBHOOK_SECRET_FILE: file })
  t.equal(readFileSync(file, 'utf8'), 'key\n')
})

t.test('variables that are no secrets have no file', async t => {
  const file = join(t.testdir({ port: '9000' }), 'port')
  t.equal(loadConfig({ PORT_FILE: file }).port, 8000)
})

t.test('secrets of Standard Webhooks are several, separated by spaces or commas', async t => {
  const read = (text: string): string[] => loadConfig({ STANDARD_WEBHOOKS_SECRET: text }).standardSecrets.map(key => key.export().toString())
  t.strictSame(read('whsec_b25l'), ['one'])
  for (const text of ['whsec_b25l whsec_dHdvIQ==', 'whsec_b25l,whsec_dHdvIQ==', ' whsec_b25l , whsec_dHdvIQ==\n', 'whsec_b25l\nwhsec_dHdvIQ==']) t.strictSame(read(text), ['one', 'two!'], text)
  const folder = t.testdir({ secrets: 'whsec_b25l\nwhsec_dHdvIQ==\n' })
  t.equal(loadConfig({ STANDARD_WEBHOOKS_SECRET_FILE: join(folder, 'secrets') }).standardSecrets.length, 2)
  for (const wrong of ['hunter2', 'whsec_', 'b25l', 'whsec_b25', 'whsec_b25l=', 'whsec_dHdvIQ', 'whsec_b2-_', 'WHSEC_b25l', 'whsec_b25l;whsec_b25l', 'whsec_b25l,,', ' ', 'whsk_b25l', 'whsec_b25l,hunter2']) {
    t.throws(() => read(wrong), new ConfigError(`STANDARD_WEBHOOKS_SECRET must be ${STANDARD_SECRETS_RULE}`), wrong)
  }
})

t.test("Twilio's tokens need the address that it signs", async t => {
  const PUBLIC_URL = 'https://hooks.example.com/in'
  const folder = t.testdir({ token: 'hunter2\n' })
  t.match(loadConfig({ TWILIO_AUTH_TOKEN: 'new, old', PUBLIC_URL }), { twilioTokens: ['new', 'old'], publicUrl: PUBLIC_URL })
  t.strictSame(loadConfig({ TWILIO_AUTH_TOKEN_FILE: join(folder, 'token'), PUBLIC_URL }).twilioTokens, ['hunter2'])
  t.strictSame(loadConfig({ PUBLIC_URL }).twilioTokens, [])
  const rule = `PUBLIC_URL must be ${PUBLIC_URL_RULE}`
  for (const env of [{ TWILIO_AUTH_TOKEN: 'hunter2' }, { TWILIO_AUTH_TOKEN_FILE: join(folder, 'token') }]) {
    t.throws(() => loadConfig(env), new ConfigError(`${rule}: TWILIO_AUTH_TOKEN is set, and Twilio signs it`))
  }
  for (const url of ['http://h', 'https://h:8443', 'HTTPS://Hooks.Example.com/', 'https://[::1]:80/a/b']) t.equal(loadConfig({ PUBLIC_URL: url }).publicUrl, url)
  for (const url of ['hooks.example.com', 'ftp://h', 'https://', 'https://u:p@h', 'https://h?x=1', 'https://h/#a', 'https://h/a b', 'https://h:', 'https://h:123456', '//h']) {
    t.throws(() => loadConfig({ PUBLIC_URL: url }), new ConfigError(rule), url)
  }
  t.throws(() => loadConfig({ TWILIO_AUTH_TOKEN: ' , ', PUBLIC_URL }), new ConfigError('TWILIO_AUTH_TOKEN must be an auth token, or several separated by spaces or commas'))
})

t.test("WhatsApp's app secrets are several, separated by spaces or commas; its token is one, as it is", async t => {
  const folder = t.testdir({ secret: 'new old\n', token: 'a, token\n' })
  const read = (env: Record<string, string>) => {
    const { whatsappSecrets, whatsappVerifyToken } = loadConfig(env)
    return [whatsappSecrets, whatsappVerifyToken]
  }
  for (const text of ['new old', 'new,old', ' new , old\n']) t.strictSame(read({ WHATSAPP_APP_SECRET: text }), [['new', 'old'], undefined], text)
  t.strictSame(read({ WHATSAPP_APP_SECRET_FILE: join(folder, 'secret'), WHATSAPP_VERIFY_TOKEN_FILE: join(folder, 'token') }), [['new', 'old'], 'a, token'])
  t.strictSame(read({ WHATSAPP_VERIFY_TOKEN: ' ' }), [[], ' '])
  t.throws(() => read({ WHATSAPP_APP_SECRET: ' , ' }), new ConfigError('WHATSAPP_APP_SECRET must be an app secret, or several separated by spaces or commas'))
})
