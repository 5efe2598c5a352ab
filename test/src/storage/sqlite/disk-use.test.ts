import t from 'tap'
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { diskUse } from '../../../../src/storage/sqlite/disk-use.ts'

t.test('the log by its bytes, the disk by what this user may still write', async t => {
  const folder = t.testdir({ 'app.db': 'x'.repeat(50), 'app.db-wal': 'x'.repeat(1234) })
  const { log, free } = await diskUse(join(folder, 'app.db'))
  t.equal(log, 1234)
  const { bavail, bsize } = statfsSync(folder)
  // Others write to this disk meanwhile.
  t.ok(Math.abs(free - bavail * bsize) < 1e9, `${free} of ${bavail * bsize}`)
})

t.test('without a log there is nothing to tell', async t => {
  await t.rejects(diskUse(join(t.testdir({ 'app.db': '' }), 'app.db')), { code: 'ENOENT' })
})
