import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/** A process that saves `m1`, `m2` and so on in a file, one at a time, and prints how its writer's connection syncs. */
const MODULES = {
  'told.js': `
    import { writeSync } from 'node:fs'
    import Database from 'better-sqlite3'
    const { close } = Database.prototype
    Database.prototype.close = function () {
      if (!this.readonly) writeSync(1, JSON.stringify([this.pragma('journal_mode', { simple: true }), this.pragma('synchronous', { simple: true })]))
      return close.call(this)
    }`,
  'save.js': `
    import { openMessageStore } from '${join(import.meta.dirname, '../../../../src/storage/open.ts')}'
    const [url, saves] = process.argv.slice(2)
    const store = await openMessageStore(url, { committed () {}, notice () {} })
    for (let n = 1; n <= Number(saves); n++) {
      await store.save({ message_id: 'm' + n, from: '+1', to: '+2', ts: '2025-01-15T10:00:00Z', text: null })
    }
    await store.close()`
}

const SAVES = 10

const STRACE = ['strace', '-f', '--seccomp-bpf', '-y', '-e', 'trace=fsync,fdatasync']
/** It may be missing, or not be allowed to watch. */
const noStrace = spawnSync('strace', [...STRACE.slice(1), '-o', '/dev/null', 'true']).status === 0 ? false : 'no strace that may trace here: install it to have the syncs counted'

// A kill -9 leaves what the system has in its memory: no test with one can tell a commit that waits for the disk.
t.test('each message is synced to the disk before its save resolves', async t => {
  const folder = t.testdir(MODULES)
  const trace = join(folder, 'trace')
  const [command = '', ...args] = [
    ...noStrace === false ? [...STRACE, '-o', trace] : [],
    process.execPath, '--import', join(folder, 'told.js'), join(folder, 'save.js'), `sqlite:///${join(folder, 'app.db')}`, String(SAVES)
  ]
  // Without tap's own loaders, which every thread would load.
  const { NODE_OPTIONS: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.strictSame(JSON.parse(stdout), ['wal', 2], 'synchronous is FULL')
  t.test('as the system saw it', { skip: noStrace }, async t => {
    const syncs = readFileSync(trace, 'utf8').split('\n').filter(line => /sync\(\d+<.*app\.db-wal>/.test(line)).length
    t.ok(syncs >= SAVES, `${syncs} syncs of the log for ${SAVES} messages that were saved one after the other`)
  })
})
