import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BACKUP, COVERED, run } from '../process.ts'
import { inspect } from '../src/storage/inspect.ts'
import { message } from '../src/storage/suite/common.ts'
import { fill, list, messages } from './copier.ts'

const ONE_LINE = /^[^\n]+\n$/

t.test('a copy is one file, for its owner only, that opens where nothing can be written, and restores', async t => {
  const cwd = t.testdir()
  const url = (file: string): string => `sqlite:///${join(cwd, file)}`
  await fill(url('data/app.db'), ...messages(10))
  const { code, stdout } = await run(t, BACKUP, cwd, { args: ['--to', 'new/copy.db'], execArgv: COVERED })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { to: 'new/copy.db', messages: 10, bytes: statSync(join(cwd, 'new', 'copy.db')).size, seconds: Number })
  t.strictSame(readdirSync(join(cwd, 'new')), ['copy.db'])
  t.equal(statSync(join(cwd, 'new', 'copy.db')).mode & 0o777, 0o600)
  // Bytes 18 and 19 say which journal a reader must expect, 1 for none: https://www.sqlite.org/fileformat2.html#the_database_header
  t.strictSame([...readFileSync(join(cwd, 'new', 'copy.db')).subarray(18, 20)], [1, 1])

  t.match(await run(t, BACKUP, cwd, { args: ['--from', url('new/copy.db'), '--to', 'restored.db'] }), { code: 0, stderr: '' })
  t.strictSame(await list(url('restored.db')), messages(10))
  await fill(url('restored.db'), message({ message_id: 'later' }))
  t.equal((await list(url('restored.db'))).length, 11)
})

t.test('what a copy that was cut off left behind is written over', async t => {
  const cwd = t.testdir({ 'copy.db.part': 'half a database', 'copy.db.part-journal': 'and its journal' })
  await fill(`sqlite:///${join(cwd, 'data', 'app.db')}`, message())
  t.match(await run(t, BACKUP, cwd, { args: ['--to', 'copy.db'] }), { code: 0, stderr: '' })
  t.strictSame(readdirSync(cwd).sort(), ['copy.db', 'data'])
})

t.test('a copy of many pages tells how far it is', async t => {
  const cwd = t.testdir()
  const file = join(cwd, 'data', 'app.db')
  await fill(`sqlite:///${file}`, message())
  inspect(file, database => database.exec('CREATE TABLE blobs (bytes BLOB); INSERT INTO blobs VALUES (zeroblob(40000000))'))
  const { code, stderr } = await run(t, BACKUP, cwd, { args: ['--to', 'copy.db'], execArgv: COVERED })
  t.equal(code, 0)
  t.match(stderr, /^4096 of \d+ pages\n8192 of \d+ pages\n$/)
})

/** Pages of the table and its keys are overwritten; the schema is in the first one. */
function overwrite (file: string): void {
  const bytes = readFileSync(file)
  bytes.fill(0xee, bytes.length >> 1)
  writeFileSync(file, bytes)
}

/** A row that its table does not allow, as only a damaged file holds one. */
function smuggle (file: string): void {
  inspect(file, database => database.unsafeMode().exec(`
    CREATE TABLE notes (note TEXT);
    INSERT INTO notes VALUES (NULL);
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = 'CREATE TABLE notes (note TEXT NOT NULL)' WHERE name = 'notes'`))
}

t.test('a database that is damaged gives no copy', async t => {
  for (const [damage, told] of [
    [overwrite, /^(?:database disk image is malformed|the database is damaged: .+)\n$/],
    [smuggle, /^the database is damaged: NULL value in notes\.note\n$/]
  ] as const) {
    const cwd = t.testdir()
    const file = join(cwd, 'data', 'app.db')
    await fill(`sqlite:///${file}`, ...messages(500))
    damage(file)
    t.match(await run(t, BACKUP, cwd, { args: ['--to', 'copy.db'], execArgv: COVERED }), { code: 1, stdout: '', stderr: told })
    t.strictSame(readdirSync(cwd), ['data'])
  }
})

t.test('what cannot be copied is told in one line without any password, and nothing is made', async t => {
  const cwd = t.testdir({ 'there.db': '', 'garbage.db': 'this is no database', 'log.db-wal': '' })
  const told = new Set<string>()
  for (const [args, reason] of [
    [[], /data\/app\.db does not exist/],
    [['--from', 'sqlite:///there.db'], /--to must name a new file/],
    [['--from', 'sqlite:///there.db', '--to', 'there.db'], /there\.db exists already/],
    [['--from', 'sqlite:///there.db', '--to', 'log.db'], /log\.db-wal exists already/],
    [['--from', 'sqlite:///there.db', '--to', 'new.db'], /no such table: messages/],
    [['--from', 'sqlite:///garbage.db', '--to', 'new.db'], /file is not a database/],
    [['--from', 'sqlite:///:memory:', '--to', 'new.db'], /a database in memory cannot be copied/],
    [['--from', 'mysql://user:s3cret@db/x', '--to', 'new.db'], /--from must be the URL of a database/],
    [['--from', 'postgres://user:s3cret@db/x', '--to', 'new.db'], /pg_dump/],
    [['--frm=postgres://user:s3cret@db/x'], /only --to and --from/]
  ] as const) {
    const execArgv = told.has(String(reason)) ? [] : COVERED
    told.add(String(reason))
    const { code, stdout, stderr } = await run(t, BACKUP, cwd, { args, execArgv })
    t.equal(code, 1, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, reason)
    t.match(stderr, ONE_LINE)
    t.notMatch(stderr, /s3cret/)
  }
  t.notOk(existsSync(join(cwd, 'new.db')))
  t.notOk(existsSync(join(cwd, 'new.db.part')))
})

t.test('--help tells the options', async t => {
  const { code, stdout, stderr } = await run(t, BACKUP, t.testdir(), { args: ['--help'], execArgv: COVERED })
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  for (const option of ['--from', '--to']) t.match(stdout, option)
})
