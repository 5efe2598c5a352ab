/**
 * Letterbox beside any other server that speaks the same POST /webhook, GET /messages and GET /stats, and runs on this machine: how many
 * deliveries each takes in, and how long each takes to answer, in turn.
 *
 * `npm run bench:peer -- --peer http://127.0.0.1:9000 --secret SECRET [--pid PID] [--key KEY] [--rounds 5] [--seconds 5]
 * [--connections 64] [--messages 20000] [--json]`. The secret is the one under which the peer verifies `X-Signature`, the key one by which it
 * lets read, the process the one whose CPU is counted. Both should be empty: what is delivered stays there.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sign } from '../src/signature/hmac.ts'
import { Client } from './client.ts'
import { CONDITIONS, measure as load, ratios, type Measurement } from './measure.ts'
import { numberedMessage } from './messages.ts'
import { cpuSeconds, SECRET, startLetterbox, type Target as LoadTarget } from './processes.ts'
import { failed, measure as ask, STEADY } from './questions.ts'
import { median, print, progress, round } from './report.ts'

const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    secret: { type: 'string' },
    pid: { type: 'string' },
    key: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    messages: { type: 'string', default: '20000' },
    json: { type: 'boolean', default: false }
  }
})
const { peer, secret, pid, key } = values
if (peer === undefined || secret === undefined) throw new Error('--peer and --secret are needed: where the other server is, and what it verifies by')
const [rounds, seconds, connections, messages] = [values.rounds, values.seconds, values.connections, values.messages].map(Number) as [number, number, number, number]

/** Messages that are delivered at once before questions are asked. */
const WAVE = 64

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const letterbox = await startLetterbox(folder, join(folder, 'app.db'))
const other: LoadTarget = { port: Number(new URL(peer).port), cpu: () => pid === undefined ? NaN : cpuSeconds(Number(pid)) }
const theirs: Measurement[] = []
const ours: Measurement[] = []
const reads: [name: string, theirs: number, ours: number][] = []
try {
  for (let number = 0; number < rounds; number++) {
    theirs.push(await load('the peer', [other], connections, seconds, secret))
    ours.push(await load('Letterbox', [letterbox], connections, seconds))
  }

  const targets = [{ rows: messages, client: new Client(peer, key) }, { rows: messages, client: new Client(letterbox.url) }]
  await fill(peer, secret)
  await fill(letterbox.url, SECRET)
  // What a cursor is, each server knows for itself.
  for (const [name, question] of Object.entries(STEADY).filter(([name]) => !name.startsWith('cursor'))) {
    const [their = NaN, our = NaN] = await ask(name, question, targets)
    reads.push([name, their, our])
    progress(`${name}: ${round(their, 2)} and ${round(our, 2)} ms`)
  }
  for (const { client } of targets) client.close()
} finally {
  await letterbox.stop()
  rmSync(folder, { recursive: true })
}

const middle = (of: keyof Measurement): [number, number] => [median(theirs.map(each => each[of])), median(ours.map(each => each[of]))]
const line = (name: string, [their, our]: readonly [number, number], digits = 0, ratio = our / their): (string | number)[] =>
  [name, round(their, digits), round(our, digits), Number.isFinite(ratio) ? round(ratio, 2) : '']

print({
  title: 'Beside a peer',
  method: `${peer}; ${connections} connections; ${rounds} rounds of ${seconds} s, ${CONDITIONS} Then one client, one question at a time, with ` +
    `the ${messages.toLocaleString('en')} messages that are asked for and all that were delivered before. Medians.`,
  columns: ['', 'peer', 'Letterbox', 'Letterbox / peer'],
  rows: [
    line('deliveries/s', middle('rate'), 0, median(ratios(ours, theirs, 'rate'))),
    ...pid === undefined ? [] : [line('CPU of a delivery, µs', middle('cpu'), 0, median(ratios(ours, theirs, 'cpu')))],
    line('delivery p50, ms', middle('p50'), 1),
    line('delivery p99, ms', middle('p99'), 1),
    line('not answered 200', [sum(theirs), sum(ours)]),
    ...reads.map(([name, their, our]) => line(`${name}, ms`, [their, our], 2))
  ],
  findings: failed()
})

function sum (measured: readonly Measurement[]): number {
  return measured.reduce((total, { others }) => total + others, 0)
}

async function fill (url: string, secret: string): Promise<void> {
  progress(`${messages} messages to ${url}`)
  for (let next = 0; next < messages; next += WAVE) {
    await Promise.all(Array.from({ length: Math.min(WAVE, messages - next) }, async (_, number) => {
      const body = JSON.stringify(numberedMessage(next + number))
      const headers = { 'content-type': 'application/json', 'x-signature': sign(Buffer.from(body), secret) }
      const { status } = await fetch(`${url}/webhook`, { method: 'POST', headers, body })
      if (status !== 200) throw new Error(`${url} answered a delivery with ${status}`)
    }))
  }
}
