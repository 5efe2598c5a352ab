import t, { type Test } from 'tap'
import { freePort } from '../free-port.ts'
import { COVERED, SEND, allMessages, ask, run, serve, type Env, type Finished, type Service } from '../process.ts'

const SECRETS: Env = {
  STANDARD_WEBHOOKS_SECRET: 'whsec_b25l whsec_dHdvIQ==',
  TWILIO_AUTH_TOKEN: 'token older',
  PUBLIC_URL: 'https://hooks.example.com/in/',
  WHATSAPP_APP_SECRET: 'app, older'
}
const GIVEN = ['--text', 'Hi & bye 😀', '--from', '+11', '--to', '+22', '--ts', '2025-01-15T10:00:00Z']
const SENT = { from: '+11', to: '+22', text: 'Hi & bye 😀' }

interface Provider { readonly service: Service, readonly send: (...args: string[]) => Promise<Finished>, readonly sendBare: (...args: string[]) => Promise<Finished> }

/** A service that every provider may deliver to, `send` with their secrets, and without any. */
async function providers (t: Test): Promise<Provider> {
  const cwd = t.testdir()
  const service = await serve(t, cwd, SECRETS)
  t.teardown(() => service.end('SIGTERM'))
  const sender = (env: Env) => (...args: string[]) => run(t, SEND, cwd, { args: ['--url', service.url, ...args], env, execArgv: COVERED })
  return { service, send: sender(SECRETS), sendBare: sender({}) }
}

t.test('a message is delivered as each provider does it, again by --repeat, and stored once', async t => {
  const { service, send } = await providers(t)
  for (const [as, id, signature, answer] of [
    ['whatsapp', /^wamid\.[A-Za-z0-9+/]{56}$/, /^X-Hub-Signature-256: sha256=[0-9a-f]{64}$/, '{"status":"ok"}'],
    ['twilio', /^SM[0-9a-f]{32}$/, /^X-Twilio-Signature: [A-Za-z0-9+/]{27}=$/, '<?xml version="1.0" encoding="UTF-8"?><Response/>'],
    ['standard', /^msg_[0-9a-f]{32}$/, /^Webhook-Signature: v1,[A-Za-z0-9+/]{43}=$/, '{"status":"ok"}']
  ] as const) {
    for (const args of [GIVEN, [...GIVEN, '--repeat']]) {
      const { code, stdout, stderr } = await send('--as', as, ...args)
      const [header, status] = stdout.split('\n')
      t.strictSame([code, status, stderr], [0, `200 ${answer}`, ''], as)
      t.match(header, signature)
    }
    const { body } = await ask(`${service.url}/messages?source=${as}`)
    const { data } = JSON.parse(body)
    t.match(data, [{ ...SENT, message_id: id }], as)
    t.equal(data.length, 1)
    if (as !== 'twilio') t.equal(data[0].ts, '2025-01-15T10:00:00Z')
  }
})

t.test('whatsapp delivers many messages at once', async t => {
  const { service, send } = await providers(t)
  t.match(await send('--as', 'whatsapp', '--count', '105', '--batch', '10', '--id', 'wamid.first', '--repeat'), { code: 0, stdout: '22 × 200\n' })
  const rows = await allMessages(service.url)
  t.equal(rows.length, 105)
  t.equal(rows.filter(row => row['message_id'] === 'wamid.first').length, 1)
  t.strictSame(service.stdout.map(line => JSON.parse(line)['messages']).filter(messages => messages !== undefined).sort(), [...Array.from({ length: 20 }, () => 10), 5, 5])
})

t.test('--secret stands in for what the environment does not have', async t => {
  const { service, sendBare } = await providers(t)
  for (const [as, secret, code] of [['whatsapp', 'older', 0], ['whatsapp', 'other', 1], ['standard', 'whsec_dHdvIQ==', 0], ['standard', 'whsec_b3RoZXI=', 1], ['twilio', 'token', 1]] as const) {
    t.equal((await sendBare('--as', as, '--secret', secret)).code, code, `${as} ${secret}`)
  }
  t.equal((await allMessages(service.url)).length, 2, 'Twilio signed another URL than the public one')
})

t.test('without PUBLIC_URL, the URL that Twilio signs is the one that it sends to', async t => {
  const port = await freePort()

  const cwd = t.testdir()
  const url = `http://127.0.0.1:${port}`
  const service = await serve(t, cwd, { TWILIO_AUTH_TOKEN: 'token', PUBLIC_URL: url, PORT: String(port) })
  t.teardown(() => service.end('SIGTERM'))
  t.match(await run(t, SEND, cwd, { args: ['--as', 'twilio', '--url', url, '--secret', 'token'], execArgv: COVERED }), { code: 0, stdout: /\n200 / })
})

t.test('what cannot be sent is told in one line', async t => {
  const cwd = t.testdir()
  for (const [args, env, reason] of [
    [['--as', 'pigeon'], SECRETS, '--as must be webhook, standard, twilio, whatsapp'],
    [['--as', 'constructor'], SECRETS, '--as must be webhook, standard, twilio, whatsapp'],
    [['--as', 'whatsapp'], {}, 'no secret: give --secret, or set WHATSAPP_APP_SECRET in the environment or in .env'],
    [['--as', 'standard'], {}, 'no secret: give --secret, or set STANDARD_WEBHOOKS_SECRET in the environment or in .env'],
    [['--as', 'twilio'], {}, 'no secret: give --secret, or set TWILIO_AUTH_TOKEN in the environment or in .env'],
    [['--as', 'standard', '--secret', 'hunter2'], {}, '--secret must be whsec_ and base64, several of them separated by spaces or commas'],
    [['--as', 'whatsapp', '--ts', 'never'], SECRETS, '--ts must be a time'],
    [['--as', 'whatsapp', '--batch', '0'], SECRETS, '--batch must be a positive integer'],
    [['--as', 'twilio', '--batch', '2'], SECRETS, '--batch needs --as whatsapp']
  ] as const) {
    t.strictSame(await run(t, SEND, cwd, { args: [...args], env, execArgv: COVERED }), { code: 1, signal: null, stdout: '', stderr: `${reason}\n` }, args.join(' '))
  }
})
