import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { COVERED, EXPORT, run, start, type Finished } from '../process.ts'
import { fill, messages, withStore } from './copier.ts'

/** Runs the script in a folder with a database of so many messages. */
async function folderWith (t: Test, count: number): Promise<{ cwd: string, exported: (...args: string[]) => Promise<Finished> }> {
  const cwd = t.testdir()
  await fill(`sqlite:///${join(cwd, 'data', 'app.db')}`, ...messages(count))
  return { cwd, exported: (...args) => run(t, EXPORT, cwd, { args, execArgv: COVERED }) }
}

const idsOf = (lines: string): string[] => lines.split('\n').filter(line => line !== '').map(line => JSON.parse(line).message_id)

t.test('every message is in the file, which is for its owner only, and replaces another', async t => {
  const { cwd, exported } = await folderWith(t, 1200)
  const file = join(cwd, 'all.ndjson')
  for (let time = 0; time < 2; time++) {
    const { code, stdout, stderr } = await exported('--out', 'all.ndjson')
    t.equal(code, 0, stderr)
    t.match(stderr, /^(\d+ messages, \d+ a second\n)+$/)
    t.match(JSON.parse(stdout), { out: 'all.ndjson', messages: 1200, seconds: Number })
    t.strictSame(idsOf(readFileSync(file, 'utf8')), messages(1200).map(each => each.message_id))
    t.equal(statSync(file).mode & 0o777, 0o600)
  }
  t.strictSame(readdirSync(cwd).sort(), ['all.ndjson', 'data'])
})

t.test('filters, formats and compression are those of GET /export', async t => {
  const { cwd, exported } = await folderWith(t, 100)
  t.match(await exported('--out', 'some.csv.gz', '--format', 'csv', '--gzip', '--from', '+919876543211', '--q', 'NO. 9'), { code: 0, stderr: /^1 messages, \d+ a second\n$/ })
  const csv = gunzipSync(readFileSync(join(cwd, 'some.csv.gz'))).toString()
  t.equal(csv.split('\r\n').length, 3, 'a header, m91, and the end')
  t.match(csv, /^message_id,from,.*\r\nm91,\+919876543211,/)
  t.match(await exported('--out', 'none', '--database', `sqlite:///${join(cwd, 'data', 'app.db')}`, '--since', '2026-01-01T00:00:00Z'), { code: 0, stdout: /"messages":0/ })
  t.equal(readFileSync(join(cwd, 'none'), 'utf8'), '')
})

t.test('stopped, it leaves nothing behind', async t => {
  const cwd = t.testdir()
  const url = `sqlite:///${join(cwd, 'data', 'app.db')}`
  const raw = JSON.stringify('x'.repeat(20_000))
  await withStore(url, async store => {
    for (let part = 0; part < 40; part++) await store.saveAll(messages(100).map(each => ({ ...each, message_id: `${part} ${each.message_id}`, source: 'x', raw })), [])
  })
  const child = start(t, EXPORT, cwd, { args: ['--out', 'all', '--gzip'], execArgv: COVERED })
  const [exit, stdout, stderr] = [once(child, 'exit'), text(child.stdout), text(child.stderr)]
  while (!existsSync(join(cwd, 'all.part'))) await new Promise(resolve => setTimeout(resolve, 5))
  child.kill('SIGINT')
  t.match(await stderr, /^(?:\d+ messages, \d+ a second\n)*stopped: nothing was written\n$/)
  t.strictSame([(await exit)[0], await stdout], [130, ''])
  t.strictSame(readdirSync(cwd), ['data'])
})

t.test('what it cannot do it says in one line', async t => {
  const { cwd, exported } = await folderWith(t, 1)
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await exported(...args)
    t.strictSame([code, stdout], [1, ''], args.join(' '))
    t.match(stderr, /^[^\n]+\n$/)
    return stderr
  }
  t.match(await refused(), '--out must name a file')
  t.match(await refused('--out', 'x', '--format', 'xml'), '--format must be ndjson or csv')
  t.match(await refused('--out', 'x', '--database', 'mysql://secret'), /^--database must be the URL(?!.*secret)/)
  t.match(await refused('--out', 'x', '--database', 'sqlite:///none.db'), 'none.db does not exist')
  t.match(await refused('--out', 'x', '--since', 'yesterday'), '--since must be an existing moment')
  t.match(await refused('--out', 'x', '--password', 'secret'), /^an option is unknown(?!.*secret)/)
  t.match(await refused('--out', 'no/such/folder/x'), 'ENOENT')
  t.strictSame(readdirSync(cwd), ['data'])
  t.match(await exported('--help'), { code: 0, stdout: /--out FILE/ })
})
