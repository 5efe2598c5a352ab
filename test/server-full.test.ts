/** A disk that is full, as a process sees it: by a limit on the size of its files, which is lifted again. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { message } from './helper.ts'
import { COVERED, allMessages, ask, deliverTo, serve } from './process.ts'
import { untilResolved } from './src/storage/inspect.ts'

const run = promisify(execFile)
/** https://man7.org/linux/man-pages/man1/prlimit.1.html */
const prlimit = (pid: number | undefined, bytes: number | 'unlimited'): Promise<unknown> => run('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`])
/** What is larger is told by a signal, which ends a process that does not handle it, and by an error. */
const TOLD = "data:text/javascript,process.on('SIGXFSZ', () => {})"
const available = await run('prlimit', ['--version']).then(() => true, () => false)

t.test('while the disk is full deliveries are refused, it is live and not ready, and it recovers by itself', {
  skip: available ? false : 'there is no prlimit'
}, async t => {
  const service = await serve(t, t.testdir(), {}, [...COVERED, '--import', TOLD])
  const deliver = (id: string): ReturnType<typeof deliverTo> => deliverTo(service.url, message({ message_id: id }))
  t.equal((await deliver('before')).status, 200)

  await prlimit(service.child.pid, 4096)
  for (const id of ['m1', 'm2', 'm3']) {
    t.match(await deliver(id), { status: 503, headers: { 'retry-after': '1' }, body: '{"detail":"the service cannot do this now, try again"}' })
    t.equal((await ask(`${service.url}/health/live`)).status, 200)
    t.match(await ask(`${service.url}/health/ready`), { status: 503, body: '{"detail":"not ready: the store does not answer"}' })
    t.equal((await ask(`${service.url}/messages/before`)).status, 200, 'what is there can be read')
  }

  await prlimit(service.child.pid, 'unlimited')
  await untilResolved(async () => { if ((await ask(`${service.url}/health/ready`)).status !== 200) throw new Error('not yet') })
  for (const id of ['m1', 'm2', 'm3']) t.equal((await deliver(id)).status, 200)
  t.strictSame((await allMessages(service.url)).map(row => row['message_id']), ['before', 'm1', 'm2', 'm3'])
  t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
})
