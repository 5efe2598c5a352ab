/**
 * Letterbox on PostgreSQL: the intake of one process and of two on one database, against bare Fastify, and reads at a
 * million rows. The server is a real one, on this machine: that of npm, or an installed one (POSTGRES_BIN=/usr/lib/postgresql/18/bin).
 *
 * `npm run bench:postgres -- [--rounds 5] [--seconds 5] [--connections 64] [--rows 1000000] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openMessageStore } from '../src/storage/open.ts'
import { launchPostgres } from '../test/postgres.ts'
import { Client } from './client.ts'
import { COLUMNS, finding, measure, METHOD, row, type Measurement } from './measure.ts'
import { numberedMessage } from './messages.ts'
import { start, startLetterbox, type Server } from './processes.ts'
import { failed, measure as ask, STEADY } from './questions.ts'
import { print, progress, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    rows: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false }
  }
})
const rows = Number(values.rows)
/** Messages that are saved at once while the database is filled. */
const WAVE = 5000

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const postgres = await launchPostgres(['shared_buffers=1GB', 'max_wal_size=4GB'])
const product = await describe()
const bare: Measurement[] = []
const one: Measurement[] = []
const two: Measurement[] = []
const reads: string[] = []
try {
  const letterbox = async (url: string) => startLetterbox(folder, url)
  for (let number = 0; number < Number(values.rounds); number++) {
    const [connections, seconds] = [Number(values.connections), Number(values.seconds)]
    const measured = async (name: string, servers: readonly Server[]): Promise<Measurement> => {
      const measurement = await measure(name, servers, connections, seconds)
      for (const server of servers) await server.stop()
      return measurement
    }
    bare.push(await measured('bare Fastify', [await start('bare.ts', folder)]))
    one.push(await measured('one process', [await letterbox(await postgres.createDatabase())]))
    const shared = await postgres.createDatabase()
    two.push(await measured('two processes', [await letterbox(shared), await letterbox(shared)]))
  }

  const full = await postgres.createDatabase()
  await fill(full)
  const server = await letterbox(full)
  const client = new Client(server.url)
  for (const [name, question] of Object.entries(STEADY)) {
    const [time = NaN] = await ask(name, question, [{ rows, client }])
    reads.push(`${name} ${round(time, 2)}`)
    progress(reads.at(-1) ?? '')
  }
  client.close()
  await server.stop()
} finally {
  await postgres.remove()
  rmSync(folder, { recursive: true })
}

print({
  title: 'PostgreSQL',
  method: `${product}, on the same machine, \`fsync\` and \`synchronous_commit\` on, each server on a database of its own; ` +
    `${values.connections} connections; ${values.rounds} rounds of ${values.seconds} s, ${METHOD} The CPU is that of Letterbox alone.`,
  columns: ['server', ...COLUMNS],
  rows: [row('bare Fastify', bare, bare), row('one process', one, bare), row('two processes on one database', two, bare)],
  findings: [
    finding('Rate of one process against bare Fastify', one, bare, 'rate', 'at least 0.33'),
    finding('Rate of two processes against one', two, one, 'rate', 'above 1 where there are processors for them'),
    `p50 of reads at ${rows.toLocaleString('en')} rows over HTTP, in ms (the aim is under 10): ${reads.join(', ')}.`,
    ...failed()
  ]
})

/** Which PostgreSQL it is, and how it was compiled: npm's is made to be small, with -Os, those of distributions to be fast. */
async function describe (): Promise<string> {
  const [row] = await postgres.query<{ version: string, flags: string }>(await postgres.createDatabase(), `
    SELECT current_setting('server_version') AS version, setting AS flags FROM pg_config WHERE name = 'CFLAGS'`)
  return `PostgreSQL ${row?.version}, compiled with ${row?.flags.match(/-O\w/g)?.at(-1)}`
}

async function fill (url: string): Promise<void> {
  const store = await openMessageStore(url, { committed () {}, notice: progress })
  for (let next = 0; next < rows; next += WAVE) {
    await Promise.all(Array.from({ length: WAVE }, (_, number) => store.save(numberedMessage(next + number))))
    if (next % 100_000 === 0) progress(`filling: ${next} of ${rows}`)
  }
  await store.close()
}
