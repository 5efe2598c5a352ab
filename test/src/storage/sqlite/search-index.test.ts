import { join } from 'node:path'
import t from 'tap'
import { openForWriting } from '../../../../src/storage/sqlite/database.ts'
import { migrateSqlite } from '../../../../src/storage/sqlite/migrate.ts'
import { SqliteSearchIndex } from '../../../../src/storage/sqlite/search-index.ts'

t.test('where the last messages were removed nothing is left, and not less', async t => {
  const database = openForWriting(join(t.testdir(), 'app.db'), false)
  t.teardown(() => database.close())
  await migrateSqlite(database)
  database.exec("UPDATE totals SET count = 3000 WHERE name = 'indexed'")
  t.equal(new SqliteSearchIndex(database).step(512), 0)
})
