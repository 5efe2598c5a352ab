import { readdirSync } from 'node:fs'
import t from 'tap'
import { readOptions } from '../../scripts/copy-store-options.ts'
import { BEGINNING } from '../../src/storage/snapshot.ts'
import { encodeCursor } from '../../src/storage/cursor.ts'

const cwd = t.testdir({ 'there.db': '' })
const [from, to] = [`sqlite:///${cwd}/there.db`, `sqlite:///${cwd}/new.db`] as const

t.test('arguments that cannot be meant are refused with the rule, without any password', async t => {
  for (const [args, rule] of [
    [[], /--from must be the URL of a database/],
    [['--from', from], /--to must be the URL of a database/],
    [['--from', 'mysql://user:s3cret@db/x', '--to', to], /--from must be the URL of a database/],
    [['--from', from, '--to', 'postgres://user:s3cret@db:port/x'], /--to must be the URL of a database/],
    [['--from', from, '--to', 'sqlite:///'], /--to must be the URL of a database/],
    [['--from', `sqlite:///${cwd}/missing.db`, '--to', to], /--from names .*missing\.db, which does not exist/],
    [['--from', 'sqlite:///:memory:', '--to', to], /--from must not be a database in memory/],
    [['--from', from, '--to', 'sqlite:///:memory:'], /--to must not be a database in memory/],
    [['--from', from, '--to', from], /must not be the same database/],
    [['--from', from, '--to', to, '--resume-after', 'banana'], /--resume-after must be/],
    [['--from', from, '--to', to, '--patience', 'long'], /--patience must be a number of seconds/],
    [['--from', from, '--to', to, '--patience=-1'], /--patience must be a number of seconds/],
    [['--from', from, 'postgres://user:s3cret@db/x'], /only --from/],
    [['--from', from, '--too=postgres://user:s3cret@db/x'], /only --from/],
    [['--from', from, '--to'], /only --from/]
  ] as const) {
    t.throws(() => readOptions(args), { message: rule }, args.join(' '))
    t.throws(() => readOptions(args), { message: /^(?!.*s3cret)[^\n]+$/ })
  }
  t.strictSame(readdirSync(cwd), ['there.db'])
})

t.test('what is left out has its default', async t => {
  t.strictSame(readOptions(['--from', from, '--to', to]), { from, to, after: BEGINNING, seconds: 10 })
  const after = { ts: '2025-01-15T10:00:00Z', message_id: 'm1' }
  t.strictSame(
    readOptions(['--from', from, '--to', 'postgres://db/x', '--resume-after', encodeCursor(after), '--patience', '0.5']),
    { from, to: 'postgres://db/x', after, seconds: 0.5 }
  )
  t.equal(readOptions(['--help']), undefined)
})
