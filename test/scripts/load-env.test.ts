import { join } from 'node:path'
import t from 'tap'
import { COVERED, SEND, run } from '../process.ts'

const LOAD_ENV = join(import.meta.dirname, '..', '..', 'scripts', 'load-env.ts')
const execArgv = [...COVERED, '--import', LOAD_ENV]

/** What npm run send says when it has a secret, but nobody listens, and when it has none. */
const SENDING = /fetch failed/
const NO_SECRET = /no secret/

t.test('a .env adds to the environment', async t => {
  const cwd = t.testdir({ '.env': 'WEBHOOK_SECRET=from-the-file\nPORT=1\n' })
  t.match(await run(t, SEND, cwd, { execArgv }), { code: 1, stderr: SENDING })
})

t.test('what is set already wins', async t => {
  const cwd = t.testdir({ '.env': 'WEBHOOK_SECRET=from-the-file\nPORT=1\n' })
  t.match(await run(t, SEND, cwd, { execArgv, env: { WEBHOOK_SECRET: '' } }), { code: 1, stderr: NO_SECRET })
})

t.test('where there is none, nothing is said of it', async t => {
  const { stderr } = await run(t, SEND, t.testdir(), { execArgv, args: ['--help'] })
  t.equal(stderr, '')
})
