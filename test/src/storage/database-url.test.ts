import t from 'tap'
import { parseDatabaseUrl } from '../../../src/storage/database-url.ts'

t.test('three slashes and a path name a file', async t => {
  for (const [url, file] of [
    ['sqlite:///data/app.db', 'data/app.db'],
    ['sqlite:////data/app.db', '/data/app.db'],
    ['sqlite:///app.db', 'app.db'],
    ['sqlite:///./app.db', './app.db'],
    ['sqlite:///../app.db', '../app.db'],
    ['sqlite:///a b%20c#d&e.db', 'a b%20c#d&e.db'],
    ['sqlite:///données/ящик.db', 'données/ящик.db'],
    ['sqlite:///C:/app.db', 'C:/app.db'],
    ['sqlite:////:memory:', '/:memory:'],
    ['sqlite:///a\nb.db', 'a\nb.db']
  ] as const) t.strictSame(parseDatabaseUrl(url), { backend: 'sqlite', file }, JSON.stringify(url))
})

t.test(':memory: names no file', async t => {
  t.strictSame(parseDatabaseUrl('sqlite:///:memory:'), { backend: 'sqlite', file: undefined })
})

t.test('a connection URI of PostgreSQL is taken as it is', async t => {
  for (const url of ['postgres://h/db', 'postgresql://user:p%40ss@h:5433/db?sslmode=require']) {
    t.strictSame(parseDatabaseUrl(url), { backend: 'postgres', url })
  }
})

t.test('what names no database is told from what does', async t => {
  for (const url of [
    '', 'sqlite', 'sqlite:', 'sqlite://', 'sqlite:///', 'sqlite:////', 'sqlite:///data/', 'sqlite://data/app.db', 'sqlite:data/app.db',
    'sqlite:///app.db?mode=ro', 'sqlite:///:memory:?cache=shared', 'file:///app.db', '/data/app.db', 'app.db', ' sqlite:///app.db',
    'mysql://user:hunter2@host/db', 'sqlite3:///app.db', 'postgres://', 'postgres://h:port/db', 'xpostgres://h/db'
  ]) t.equal(parseDatabaseUrl(url), undefined, url)
})
