/**
 * How long questions take, by how many messages there are: the same questions to databases of every size in turn.
 *
 * `npm run bench:reads -- [--rows 10000,100000,1000000,10000000] [--requests 300] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encodeCursor } from '../src/storage/cursor.ts'
import { Client } from './client.ts'
import { copyOfInbox } from './inbox.ts'
import { numberedMessage, rareWord } from './messages.ts'
import { startLetterbox, type Server } from './processes.ts'
import { median, print, progress, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000,100000,1000000,10000000' },
    requests: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false }
  }
})
const sizes = values.rows.split(',').map(Number)

/** How often a question is asked: so often, or for so many ms in all databases together, but `least` times. */
interface Repetition { readonly requests: number, readonly patience: number, readonly least: number }
const WARM_UP: Repetition = { requests: 20, patience: 2000, least: 1 }
const MEASURED: Repetition = { requests: Number(values.requests), patience: 20_000, least: 3 }

/** Paths by question; `pick` gives a different message of the database each time. */
type Question = (pick: () => number, rows: number) => string
const query = (parameters: Record<string, string>): string => `/messages?${new URLSearchParams(parameters)}`

/** What must not grow with the table, */
const STEADY: Record<string, Question> = {
  page: () => '/messages',
  'cursor page, anywhere': pick => query({ cursor: encodeCursor(numberedMessage(pick())) }),
  from: pick => query({ from: numberedMessage(pick()).from }),
  since: pick => query({ since: numberedMessage(pick()).ts }),
  stats: () => '/stats',
  'one message': pick => `/messages/${encodeURIComponent(numberedMessage(pick()).message_id)}`,
  'search, a rare word': pick => query({ q: rareWord(pick()) })
}
/** and what may. */
const GROWING: Record<string, Question> = {
  'search, a number': pick => query({ q: `#${pick()}` }),
  'search, a word of every fourth message': () => query({ q: 'ORDER' }),
  'search, two characters that are nowhere': () => query({ q: 'zq' }),
  'last page by offset': (_pick, rows) => query({ offset: String(rows - 50) })
}

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const targets: { rows: number, server: Server, client: Client }[] = []
const table: (string | number)[][] = []
const failures = new Map<string, number>()
try {
  for (const rows of sizes) {
    const server = await startLetterbox(folder, await copyOfInbox(rows, folder))
    targets.push({ rows, server, client: new Client(server.url) })
  }
  for (const [name, question] of Object.entries({ ...STEADY, ...GROWING })) {
    const medians = (await measure(name, question)).map(times => median(times))
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
  method: `One client, one question at a time, over HTTP; each question up to ${MEASURED.requests} times, with other values each time, to ` +
    'databases of every size in turn. p50 in ms. The last column is the growth of p50 from the size before the last to the last.',
  columns: ['question', ...sizes.map(rows => `${rows.toLocaleString('en')} rows`), 'growth'],
  rows: table,
  findings: [
    'Aims: at 1 M rows under 5 ms, a rare search under 10 ms; from 1 M to 10 M rows growth under 1.5 for the first seven lines. ' +
    'The others look at every hit, or at every row, by their nature.',
    ...failures.size === 0
      ? ['Every answer was a 200.']
      : [...failures].map(([what, times]) => `Not answered 200, ${what}: ${times} times.`)
  ]
})

/** Times in ms, for each database. */
async function measure (name: string, question: Question): Promise<number[][]> {
  await askAll(name, question, WARM_UP)
  return askAll(name, question, MEASURED)
}

async function askAll (name: string, question: Question, { requests, patience, least }: Repetition): Promise<number[][]> {
  const times: number[][] = targets.map(() => [])
  const end = performance.now() + patience
  for (let number = 0; number < requests && (number < least || performance.now() < end); number++) {
    for (const [index, { rows, client }] of targets.entries()) {
      // An even walk through all messages that starts elsewhere with each question.
      const pick = (): number => (number * 7_919 + name.length * 104_729) % rows
      const { status, milliseconds } = await client.ask(question(pick, rows))
      if (status !== 200) count(`${name} at ${rows.toLocaleString('en')} rows (${status})`)
      times[index]?.push(milliseconds)
    }
  }
  return times
}

function count (what: string): void {
  failures.set(what, (failures.get(what) ?? 0) + 1)
}

function growth (medians: readonly number[]): number | string {
  const [before, last] = medians.slice(-2)
  return before === undefined || last === undefined ? '' : round(last / before, 2)
}
