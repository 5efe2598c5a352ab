/**
 * How many deliveries Letterbox takes in, against bare Fastify: in turn, in one run, since these machines are noisy.
 * `npm run bench:ingest -- [--rounds 5] [--seconds 4] [--connections 64] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { load, SECRET, start, startLetterbox, type Server } from './processes.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.seconds)
const connections = Number(values.connections)

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const rounds = []
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    const bare = await measure(await start('bare.ts', folder))
    const letterbox = await measure(await startLetterbox(folder, join(folder, `${round}.db`)))
    rounds.push({ bare, letterbox, rate: letterbox.rate / bare.rate, cpu: letterbox.cpu / bare.cpu })
    if (!values.json) console.error(rounds.at(-1))
  }
} finally {
  rmSync(folder, { recursive: true })
}
console.log(JSON.stringify({ ratio: median(rounds.map(({ rate }) => rate)), cpu: median(rounds.map(({ cpu }) => cpu)) }))

async function measure (server: Server) {
  // The first second is for the compiler.
  await load({ port: server.port, connections, requests: 30_000, secret: SECRET, seconds: 1 })
  const before = server.cpu()
  const result = await load({ port: server.port, connections, requests: 40_000 * seconds, secret: SECRET, seconds })
  const cpu = (server.cpu() - before) / result.ok * 1e6
  await server.stop()
  return { rate: Math.round(result.ok / result.seconds), cpu: Math.round(cpu * 10) / 10, ...result.latency, others: result.others }
}

function median (numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? NaN
}
