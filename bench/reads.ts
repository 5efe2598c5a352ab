/**
 * How long questions take, by how many messages there are: the same questions to databases of every size in turn.
 *
 * `npm run bench:reads -- [--rows 10000,100000,1000000,10000000] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from './client.ts'
import { copyOfInbox } from './inbox.ts'
import { startLetterbox, type Server } from './processes.ts'
import { failed, GROWING, measure, METHOD, STEADY, type Target } from './questions.ts'
import { print, progress, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000,100000,1000000,10000000' },
    json: { type: 'boolean', default: false }
  }
})
const sizes = values.rows.split(',').map(Number)

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const targets: (Target & { readonly server: Server })[] = []
const table: (string | number)[][] = []
try {
  for (const rows of sizes) {
    const server = await startLetterbox(folder, await copyOfInbox(rows, folder))
    targets.push({ rows, server, client: new Client(server.url) })
  }
  for (const [name, question] of Object.entries({ ...STEADY, ...GROWING })) {
    const medians = await measure(name, question, targets)
    table.push([name, ...medians.map(time => round(time, 2)), growth(medians)])
    progress(table.at(-1)?.join('  ') ?? '')
  }
  for (const { client, server } of targets) {
    client.close()
    await server.stop()
  }
} finally {
  rmSync(folder, { recursive: true })
}

print({
  title: 'Reads',
  method: `${METHOD} Databases of every size in turn. The last column is the growth of p50 from the size before the last to the last.`,
  columns: ['question', ...sizes.map(rows => `${rows.toLocaleString('en')} rows`), 'growth'],
  rows: table,
  findings: [
    'Aims: at 1 M rows under 5 ms, a rare search under 10 ms; from 1 M to 10 M rows growth under 1.5 for the first seven lines. ' +
    'The others look at every hit, or at every row, by their nature.',
    ...failed()
  ]
})

function growth (medians: readonly number[]): number | string {
  const [before, last] = medians.slice(-2)
  return before === undefined || last === undefined ? '' : round(last / before, 2)
}
