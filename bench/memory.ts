/**
 * Memory and files over a long run: a million deliveries with a reader beside them, then ten thousand questions.
 *
 * `npm run bench:memory -- [--messages 1000000] [--questions 10000] [--json]`
 */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from './client.ts'
import { load, SECRET, startLetterbox } from './processes.ts'
import { print, progress, round } from './report.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    questions: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false }
  }
})
const messages = Number(values.messages)
const questions = Number(values.questions)

/** So many rows of the report for the deliveries, and for the questions. */
const PARTS = 5
/** How often the sizes are looked at, in ms. */
const SAMPLING = 100
/** Deliveries that the load generator makes beforehand and holds. */
const PORTION = 50_000
/** The log is given back when nothing was written for a while. */
const REST = 5000

const QUESTIONS = ['/messages', '/stats', '/messages?q=order', '/messages?q=%23123', '/messages?since=2026-01-01T00:00:00Z', '/messages?offset=5000']

const MIB = 2 ** 20
const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const table: (string | number)[][] = []
let rss = 0
let log = 0
let peaks = { rss: 0, log: 0 }
try {
  const database = join(folder, 'app.db')
  const server = await startLetterbox(folder, database)
  const client = new Client(server.url)
  const sampling = setInterval(() => {
    rss = Math.max(rss, server.rss() / MIB)
    log = Math.max(log, sizeOf(`${database}-wal`))
  }, SAMPLING)

  const reading = new AbortController()
  const reader = (async () => {
    for (let next = 0; !reading.signal.aborted; next++) await client.ask(QUESTIONS[next % QUESTIONS.length] as string)
  })()
  for (let part = 1; part <= PARTS; part++) {
    for (let sent = 0; sent < messages / PARTS; sent += PORTION) {
      const requests = Math.min(PORTION, messages / PARTS - sent)
      const { ok } = await load({ port: server.port, connections: 64, requests, secret: SECRET, seconds: 3600 })
      if (ok !== requests) throw new Error(`${requests - ok} of ${requests} deliveries were not answered 200`)
    }
    note(`${(messages / PARTS * part).toLocaleString('en')} messages in, a reader beside them`)
  }
  reading.abort()
  await reader

  for (let part = 1; part <= PARTS; part++) {
    for (let next = 0; next < questions / PARTS; next++) await client.ask(QUESTIONS[next % QUESTIONS.length] as string)
    note(`${(questions / PARTS * part).toLocaleString('en')} questions`)
  }
  await delay(REST)
  log = sizeOf(`${database}-wal`)
  note(`${REST / 1000} s of rest`)
  clearInterval(sampling)
  client.close()
  await server.stop()

  function note (name: string): void {
    table.push([name, round(rss), round(log), round(sizeOf(database))])
    progress(table.at(-1)?.join('  ') ?? '')
    peaks = { rss: Math.max(peaks.rss, rss), log: Math.max(peaks.log, log) }
    rss = 0
    log = 0
  }
} finally {
  rmSync(folder, { recursive: true })
}

const [settled, end] = [table[0]?.[1], table.at(-2)?.[1]].map(Number)
print({
  title: 'Memory and files',
  method: `${messages.toLocaleString('en')} deliveries over 64 connections into an empty database, one client asking all the while; then ` +
    `${questions.toLocaleString('en')} questions. The largest resident set and write-ahead log of each part, seen ten times a second; MiB.`,
  columns: ['after', 'RSS', 'log', 'database'],
  rows: table,
  findings: [
    `The resident set was **${round(peaks.rss)} MiB** at most (the aim is under 350 MB, ${round(350e6 / MIB)} MiB), ` +
    `${settled} MiB in the first part and ${end} MiB in the last.`,
    `The log was **${round(peaks.log)} MiB** at most (the aim is under 128 MB, ${round(128e6 / MIB)} MiB), and ${table.at(-1)?.[2]} MiB after a rest.`
  ]
})

/** In MiB. */
function sizeOf (file: string): number {
  return existsSync(file) ? statSync(file).size / MIB : 0
}
