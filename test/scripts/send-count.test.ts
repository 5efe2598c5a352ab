import { once } from 'node:events'
import t from 'tap'
import { SECRET } from '../helper.ts'
import { COVERED, SEND, allMessages, start } from '../process.ts'
import { sender } from './sender.ts'

t.test('--count delivers so many messages', async t => {
  const { service, send } = await sender(t, {}, COVERED)
  t.match(await send('--count', '100', '--text', 'bulk', '--id', 'first'), { code: 0, stdout: '100 × 200\n' })
  const rows = await allMessages(service.url)
  t.equal(rows.length, 100)
  t.ok(rows.every(row => row['text'] === 'bulk'))
  t.equal(rows.filter(row => row['message_id'] === 'first').length, 1)

  t.equal((await send('--text', 'alone')).code, 0)
  t.match(await send('--count', '20', '--repeat'), { code: 0, stdout: '40 × 200\n' }, 'the last message is none of them')
  t.equal((await allMessages(service.url)).length, 121)
})

t.test('--count tells its progress when it takes long', async t => {
  const { service, cwd } = await sender(t)
  // A stopped process still has its connections taken by the system: nothing is answered until it goes on.
  service.child.kill('SIGSTOP')
  const child = start(t, SEND, cwd, { args: ['--url', service.url, '--count', '30'], env: { WEBHOOK_SECRET: SECRET }, execArgv: COVERED })
  const [progress] = await once(child.stderr, 'data')
  t.equal(String(progress), '0 of 30\n')
  service.child.kill('SIGCONT')
  t.equal((await once(child, 'exit'))[0], 0)
  t.equal((await allMessages(service.url)).length, 30)
})
