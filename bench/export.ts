/**
 * How fast everything gets out, and what it takes: GET /export from a database that is full.
 *
 * `npm run bench:export -- [--rows 1000000] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { copyOfInbox } from './inbox.ts'
import { startLetterbox, type Server } from './processes.ts'
import { print, progress, round } from './report.ts'

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } } })
const rows = Number(values.rows)

const MIB = 2 ** 20
/** How often the resident set is looked at, in ms. */
const SAMPLING = 100
/** How long the slow client waits after each part that it has read, in ms, and how long in all. */
const PAUSE = 20
const PATIENCE = 20_000

const EXPORTS: readonly (readonly [name: string, path: string, encoding: string])[] = [
  ['warming up', '/export', 'identity'],
  ['NDJSON', '/export', 'identity'],
  ['NDJSON, gzip', '/export', 'gzip'],
  ['CSV', '/export?format=csv', 'identity'],
  ['CSV, gzip', '/export?format=csv', 'gzip'],
  ['a search that hits a quarter of them', '/export?q=order', 'identity']
]

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const table: (string | number)[][] = []
let largest = 0
let before = 0
try {
  const server = await startLetterbox(folder, await copyOfInbox(rows, folder))
  await delay(1000)
  before = server.rss() / MIB
  const sampling = setInterval(() => { largest = Math.max(largest, server.rss() / MIB) }, SAMPLING)
  let done = 0
  for (const [name, path, encoding] of EXPORTS) {
    largest = 0
    const [begun, cpu] = [performance.now(), server.cpu()]
    let bytes = 0
    for await (const part of await open(server.url + path, encoding)) bytes += part.length
    const seconds = (performance.now() - begun) / 1000
    const exported = await exportedBy(server, ++done)
    if (name !== 'warming up') table.push([name, exported, round(exported / seconds), round(bytes / seconds / MIB, 1), round((server.cpu() - cpu) / exported * 1e6, 1), round(largest)])
    progress(table.at(-1)?.join('  ') ?? '')
  }
  largest = 0
  const slow = await open(`${server.url}/export`, 'identity')
  for (const end = performance.now() + PATIENCE; performance.now() < end; await delay(PAUSE)) slow.read()
  slow.destroy()
  table.push([`a client that reads slowly, for ${PATIENCE / 1000} s`, '', '', '', '', round(largest)])
  clearInterval(sampling)
  await server.stop()
} finally {
  rmSync(folder, { recursive: true })
}

print({
  title: 'Export',
  method: `\`GET /export\` of ${rows.toLocaleString('en')} messages in SQLite, one client on the same machine that throws away what it reads. CPU is user and ` +
    'system time of the whole process a message; RSS the largest resident set seen, ten times a second.',
  columns: ['export', 'messages', 'messages/s', 'MiB/s', 'CPU µs each', 'RSS MiB'],
  rows: table,
  findings: [`The resident set was ${round(before)} MiB before the first of them.`]
})

/** How many messages the export with this number, from 1 on, has given; its log line may be written a moment after its end. */
async function exportedBy (server: Server, number: number): Promise<number> {
  for (;;) {
    const line = [...server.log().matchAll(/"exported":(\d+)/g)][number - 1]
    if (line !== undefined) return Number(line[1])
    await delay(20)
  }
}

async function open (url: string, encoding: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers: { 'accept-encoding': encoding } }, resolve).on('error', reject)
  })
}
