import t from 'tap'
import { SECRET } from '../helper.ts'
import { SEND, allMessages, run, serve } from '../process.ts'

t.test('a message is signed as the service is configured', async t => {
  const cwd = t.testdir()
  const env = {
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_SIGNATURE_HEADER: 'x-hub-signature-512',
    WEBHOOK_SIGNATURE_PREFIX: 'sha512=',
    WEBHOOK_SIGNATURE_ENCODING: 'base64',
    WEBHOOK_SIGNATURE_ALGORITHM: 'sha512'
  }
  const service = await serve(t, cwd, env)
  t.teardown(() => service.end('SIGTERM'))
  const { code, stdout } = await run(t, SEND, cwd, { args: ['--url', service.url], env })
  t.equal(code, 0)
  t.match(stdout, /^X-Hub-Signature-512: sha512=[A-Za-z0-9+/]{86}==\n200 \{"status":"ok"\}\n$/)
  t.equal((await allMessages(service.url)).length, 1)
})

t.test('a scheme that there is not is told in one line', async t => {
  const { code, stderr } = await run(t, SEND, t.testdir(), { env: { WEBHOOK_SECRET: SECRET, WEBHOOK_SIGNATURE_ENCODING: 'base58' } })
  t.equal(code, 1)
  t.match(stderr, /^WEBHOOK_SIGNATURE_ENCODING must be hex or base64[^\n]*\n$/)
})
