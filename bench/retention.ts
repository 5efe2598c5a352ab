/**
 * Whether the intake feels that old messages are removed: deliveries with and without RETENTION_DAYS, in turn, until every message that was
 * there is gone. The one that removes is stopped while the other is measured.
 *
 * `npm run bench:retention -- [--rows 1000000] [--connections 64] [--pause 50] [--seconds 10] [--json]`
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Database from 'better-sqlite3'
import { inspect, untilIndexed, wrongCounters } from '../test/src/storage/inspect.ts'
import { copyOfInbox } from './inbox.ts'
import { load, SECRET, startLetterbox, type Server } from './processes.ts'
import { median, print, progress, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    connections: { type: 'string', default: '64' },
    pause: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false }
  }
})
const rows = Number(values.rows)
const [connections, pause, seconds] = [values.connections, values.pause, values.seconds].map(Number) as [number, number, number]

const MIB = 2 ** 20

/** When the messages were received that are too old. */
const LONG_AGO = '2025-01-01T00:00:00.000Z'

/** What of a file ids of removed messages take, and what waits to be used again, in MiB. */
interface Room {
  readonly ids: number
  readonly free: number
}

/** So many portions at most: by then all is removed, or something is wrong. */
const MOST = 500

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const p99: { alone: number[], removing: number[] } = { alone: [], removing: [] }
const p50: { alone: number[], removing: number[] } = { alone: [], removing: [] }
let [delivered, size, largest, log, took] = [0, 0, 0, 0, 0]
let room: Room = { ids: 0, free: 0 }
let [wrong, old] = [0, 0]
try {
  const file = await copyOfInbox(rows, folder)
  const alone = await startLetterbox(folder, await aged(file, join(folder, 'alone.db')))
  const watched = await aged(file, join(folder, 'removing.db'))
  size = statSync(watched).size / MIB
  const removing = await startLetterbox(folder, watched, { RETENTION_DAYS: '30' })
  // What is old is looked for at first.
  while (await stored(removing) === rows) await delay(100)
  // The first portion of a process is slower.
  await portion(alone)
  for (let number = 0; number < MOST; number++) {
    const begun = performance.now()
    const measured = await portion(removing)
    took += (performance.now() - begun) / 1000
    delivered += measured.ok
    largest = Math.max(largest, statSync(watched).size / MIB)
    log = Math.max(log, statSync(`${watched}-wal`).size / MIB)
    const left = await stored(removing) - delivered
    progress(`${left} of ${rows} are left, p50 ${round(measured.p50, 2)} ms, p99 ${round(measured.p99, 2)} ms`)
    // Only portions during all of which there was something to remove.
    if (left === 0) break
    p50.removing.push(measured.p50)
    p99.removing.push(measured.p99)
    if (number % 3 > 0) continue
    removing.kill('SIGSTOP')
    const quiet = await portion(alone)
    removing.kill('SIGCONT')
    p50.alone.push(quiet.p50)
    p99.alone.push(quiet.p99)
    progress(`alone p50 ${round(quiet.p50, 2)} ms, p99 ${round(quiet.p99, 2)} ms`)
  }
  await untilIndexed(watched)
  await Promise.all([alone.stop(), removing.stop()])
  wrong = wrongCounters(watched).length
  old = inspect(watched, database => database.prepare<[before: string], number>('SELECT count(*) FROM messages WHERE created_at <= ?').pluck().get(LONG_AGO) ?? 0)
  room = roomOf(watched)
} finally {
  rmSync(folder, { recursive: true })
}

const ratio = median(p99.removing) / median(p99.alone)
print({
  title: 'Retention',
  method: `${rows.toLocaleString('en')} messages that are too old, in SQLite, and meanwhile ${connections} connections, each of which rests for ${pause} ms after each answer; ` +
    `portions of ${seconds} s in turn with another service that keeps everything, during which the first one is stopped. Medians over the portions.`,
  columns: ['deliveries', 'p50 ms', 'p99 ms'],
  rows: [
    ['alone', round(median(p50.alone), 2), round(median(p99.alone), 2)],
    ['while messages are removed', round(median(p50.removing), 2), round(median(p99.removing), 2)]
  ],
  findings: [
    `p99 was **${round(ratio, 2)}** times that of alone (the aim is under 2), over ${p99.removing.length} portions.`,
    `All ${rows.toLocaleString('en')} were gone after ${round(took)} s of such portions, in which ${delivered.toLocaleString('en')} came in.`,
    `The file had ${round(size)} MiB before and ${round(largest)} MiB at most; at the end ids of removed messages took ${round(room.ids)} MiB of it, and ${round(room.free)} MiB were free. The log had ${round(log)} MiB.`,
    wrong === 0 ? 'Every counter equals `COUNT(*)`.' : `**${wrong} of the counters are wrong.**`,
    ...old === 0 ? [] : [`**${old} messages that are too old are still there.**`]
  ]
})

async function portion (server: Server): Promise<{ p50: number, p99: number, ok: number }> {
  const requests = Math.ceil(connections * seconds * 1000 / pause)
  const { ok, others, latency } = await load({ port: server.port, connections, requests, secret: SECRET, seconds, pause })
  if (Object.keys(others).length > 0) throw new Error(`deliveries were refused: ${JSON.stringify(others)}`)
  return { ...latency, ok }
}

/** A copy whose messages were received long ago. */
async function aged (from: string, to: string): Promise<string> {
  const database = new Database(from)
  database.prepare('UPDATE messages SET created_at = ?').run(LONG_AGO)
  database.pragma('wal_checkpoint(TRUNCATE)')
  await database.backup(to)
  database.close()
  return to
}

async function stored ({ url }: Server): Promise<number> {
  return ((await (await fetch(`${url}/stats`)).json()) as { total_messages: number }).total_messages
}

function roomOf (file: string): Room {
  return inspect(file, database => {
    const bytes = (sql: string): number => database.prepare<[], number>(sql).pluck().get() ?? 0
    return {
      ids: bytes("SELECT sum(pgsize) FROM dbstat WHERE name = 'removed_ids'") / MIB,
      free: bytes('SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size') / MIB
    }
  })
}
