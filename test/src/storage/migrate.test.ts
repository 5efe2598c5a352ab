import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { StoreUnusable } from '../../../src/storage/errors.ts'
import { migrate } from '../../../src/storage/migrate.ts'

const MIGRATIONS = {
  '001.do.pets.sql': 'CREATE TABLE pets (name TEXT);\nCREATE TABLE owners (name TEXT);\n',
  '002.do.felix.sql': "INSERT INTO pets VALUES ('Felix');\n"
}

function openDatabase (t: Test): Database.Database {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  return database
}

/** Migrates a real database. */
async function run (database: Database.Database, folder: string): Promise<void> {
  await migrate({
    driver: 'sqlite3',
    folder,
    query: async sql => {
      const statement = database.prepare(sql)
      return { rows: statement.reader ? statement.all() : [statement.run()] }
    },
    script: async sql => { database.exec(sql) },
    transaction: async work => {
      database.exec('BEGIN')
      try {
        await work()
        database.exec('COMMIT')
      } finally {
        if (database.inTransaction) database.exec('ROLLBACK')
      }
    }
  })
}

const pets = (database: Database.Database): unknown[] => database.prepare('SELECT name FROM pets').pluck().all()
const versions = (database: Database.Database): unknown[] =>
  database.prepare('SELECT version FROM schema_version WHERE version > 0 ORDER BY version').pluck().all()

t.test('migrations are applied in order and recorded', async t => {
  const database = openDatabase(t)
  await run(database, t.testdir({ migrations: MIGRATIONS }))
  t.strictSame(pets(database), ['Felix'])
  t.strictSame(versions(database), [1, 2])
})

t.test('a migration is applied once', async t => {
  const database = openDatabase(t)
  const folder = t.testdir({ migrations: MIGRATIONS })
  await run(database, folder)
  await run(database, folder)
  t.strictSame(pets(database), ['Felix'])
  t.strictSame(versions(database), [1, 2])
})

t.test('an older database gets what it lacks, and keeps what it has', async t => {
  const database = openDatabase(t)
  const folder = t.testdir({
    old: { migrations: { '001.do.pets.sql': MIGRATIONS['001.do.pets.sql'] } }, new: { migrations: MIGRATIONS }
  })
  await run(database, join(folder, 'old'))
  database.exec("INSERT INTO pets VALUES ('Rex')")
  await run(database, join(folder, 'new'))
  t.strictSame(pets(database), ['Rex', 'Felix'])
})

t.test('a database of a newer program is refused and left as it is', async t => {
  const database = openDatabase(t)
  const folder = t.testdir({
    old: { migrations: { '001.do.pets.sql': MIGRATIONS['001.do.pets.sql'] } }, new: { migrations: MIGRATIONS }
  })
  await run(database, join(folder, 'new'))
  await t.rejects(run(database, join(folder, 'old')), new StoreUnusable(
    'the database is from a newer Letterbox: its schema is version 2, this program knows 1 at most'
  ))
  t.strictSame(pets(database), ['Felix'])
})

t.test('a migration that fails is told', async t => {
  const database = openDatabase(t)
  await t.rejects(run(database, t.testdir({ migrations: { '001.do.broken.sql': 'CREATE TABLE;' } })), { message: /syntax error/ })
  t.strictSame(database.prepare('SELECT name FROM sqlite_schema').all(), [], 'nothing was left behind')
})

t.test('a program installed in a folder with wildcards in its name finds its migrations', async t => {
  const name = 'a [1] {b} (c) star* what? bang!'
  const database = openDatabase(t)
  await run(database, join(t.testdir({ [name]: { migrations: MIGRATIONS } }), name))
  t.strictSame(pets(database), ['Felix'])
})
