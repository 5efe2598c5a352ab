/**
 * How many deliveries Letterbox takes in, against bare Fastify, and into a full database against an empty one: in turn,
 * in one run, since machines are noisy.
 *
 * `npm run bench:ingest -- [--rounds 5] [--seconds 5] [--connections 64] [--rows 5000000] [--json]`; `--rows 0` leaves out
 * the full database.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyOfInbox } from './inbox.ts'
import { COLUMNS, finding, measure, METHOD, row, type Measurement } from './measure.ts'
import { start, startLetterbox, type Server } from './processes.ts'
import { print } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    rows: { type: 'string', default: '5000000' },
    json: { type: 'boolean', default: false }
  }
})
const rows = Number(values.rows)

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const bare: Measurement[] = []
const empty: Measurement[] = []
const full: Measurement[] = []
try {
  const inbox = rows > 0 ? await copyOfInbox(rows, folder) : undefined
  const measured = async (name: string, server: Server): Promise<Measurement> => {
    const measurement = await measure(name, [server], Number(values.connections), Number(values.seconds))
    await server.stop()
    return measurement
  }
  for (let number = 0; number < Number(values.rounds); number++) {
    bare.push(await measured('bare Fastify', await start('bare.ts', folder)))
    empty.push(await measured('an empty database', await startLetterbox(folder, join(folder, `empty-${number}.db`))))
    if (inbox !== undefined) full.push(await measured(`${rows} rows`, await startLetterbox(folder, inbox)))
  }
} finally {
  rmSync(folder, { recursive: true })
}

print({
  title: 'Ingest',
  method: `${values.connections} connections; ${values.rounds} rounds of ${values.seconds} s, ${METHOD}`,
  columns: ['server', ...COLUMNS],
  rows: [
    row('bare Fastify', bare, bare),
    row('Letterbox, empty database', empty, bare),
    ...full.length > 0 ? [row(`Letterbox, ${rows.toLocaleString('en')} rows`, full, bare)] : []
  ],
  findings: [
    finding('Rate against bare Fastify', empty, bare, 'rate', 'at least 0.33'),
    finding('CPU for a delivery against bare Fastify', empty, bare, 'cpu', 'at most 3.5'),
    ...full.length > 0 ? [finding('Rate into the full database against the empty one', full, empty, 'rate', 'at least 0.7')] : []
  ]
})
