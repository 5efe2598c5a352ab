/**
 * `npm run soak -- [--minutes 10] [--backend sqlite] [--seed 1] [--json]`: 70 % of what the service can take, measured for a
 * twentieth of the time at the start, for so long, with a fault every few seconds, and at the end the books. What falls due while
 * the service is away waits at the provider. For the last two fifths the process is not ended any more, so that its memory
 * can be seen to stay: what it is at the end of them is compared with the beginning. What came of it is kept for `npm run reliability`.
 */
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { median, progress, quantile } from '../bench/report.ts'
import { launchPostgres } from '../test/postgres.ts'
import { auditMany } from './audit.ts'
import { DISTURBANCES, type Soaked } from './disturbances.ts'
import { keep, madeIn, type SoakResult } from './result.ts'
import { Room } from './room.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    backend: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.minutes) * 60
const MIB = 2 ** 20
const SHARE = 0.7
/** The part of the time for which it is measured what the service can take. */
const MEASURED = 0.05
const CONNECTIONS = 128
/** What a provider waits, as Retry-After says, in ms. */
const AGAIN = 1000
/** The part of the time after which the process is left alive. */
const CALM = 0.6
/** How much the memory may differ between the beginning and the end of the calm. */
const FLAT = 0.1
/** How much of what is offered must have been taken at the end of the time, what was offered while the process was down included. */
const HELD = 0.9

let seed = Number(values.seed)
/** https://en.wikipedia.org/wiki/Linear_congruential_generator: the same faults for the same seed. */
const random = (bound: number): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor(seed / 2 ** 32 * bound)
}

const postgres = values.backend === 'postgres' ? await launchPostgres([]) : undefined
const room = await Room.open(postgres)
try {
  const made = await madeIn(room)
  const soaked: Soaked = { room, server: await room.start() }
  const measuring = await room.provider({ connections: 64 })
  await measuring.deliver(3)
  const { statuses, seconds: measured } = await measuring.deliver(Math.max(5, seconds * MEASURED))
  const rate = (statuses['200'] ?? 0) / measured * SHARE
  await measuring.end()
  progress(`soak (${room.backend}): ${Math.round(rate)}/s for ${seconds} s`)

  const provider = await room.provider({ connections: CONNECTIONS, again: AGAIN })
  const begun = performance.now()
  const elapsed = (): number => (performance.now() - begun) / 1000
  const delivering = provider.deliver(seconds, rate, true)
  const memory: { at: number, rss: number }[] = []
  const sampling = setInterval(() => {
    try {
      const rss = soaked.server.rss() / MIB
      if (Number.isFinite(rss)) memory.push({ at: elapsed(), rss })
    } catch {}
  }, 1000)

  const done: Record<string, number> = {}
  while (elapsed() < seconds - 5) {
    await delay(2000 + random(6000))
    const possible = DISTURBANCES.filter(({ backends, ends }) => backends.includes(room.backend) && (!ends || elapsed() < seconds * CALM))
    const disturbance = possible[random(possible.length)]
    if (disturbance === undefined) continue
    progress(`${Math.round(elapsed())} s: ${disturbance.name}`)
    await disturbance.happen(soaked)
    done[disturbance.name] = (done[disturbance.name] ?? 0) + 1
  }
  const result = await delivering
  clearInterval(sampling)
  const figures = await auditMany(room, soaked.server)

  // The process that lives in the calm has warmed up for a tenth of the time when it is first looked at.
  const part = (from: number, to: number): number => median(memory.filter(({ at }) => at >= seconds * from && at < seconds * to).map(({ rss }) => rss))
  const [early, late] = [part(CALM + 0.1, CALM + 0.2), part(0.9, 1)]
  // Without what was measured with, and without bursts: those come on top.
  const held = (provider.ledger?.acknowledged.filter(Boolean).length ?? 0) / (rate * seconds)
  room.expect(figures.lost + figures.twice === 0, 'a message is lost or there twice')
  room.expect(figures.sent === figures.acknowledged, 'a message was never acknowledged')
  room.expect(result.malformed === 0, 'an answer was not as promised')
  room.expect(held >= HELD, `it took ${Math.round(held * 100)} % of what was offered`)
  room.expect(late <= early * (1 + FLAT), 'its memory grew')
  const report: SoakResult = {
    backend: room.backend,
    minutes: Number(values.minutes),
    rate: Math.round(rate),
    held: Math.round(held * 1000) / 1000,
    ...figures,
    refused: result.statuses['503'] ?? 0,
    cutOff: result.broken,
    p50: Math.round(result.ok.p50),
    p99: Math.round(result.ok.p99),
    faults: done,
    memoryMiB: { early: Math.round(early), late: Math.round(late), highest: Math.round(quantile(memory.map(({ rss }) => rss), 1)) },
    broken: room.broken,
    made
  }
  keep('soak', report)
  console.log(values.json ? JSON.stringify(report) : report)
  process.exitCode = room.broken.length === 0 ? 0 : 1
} finally {
  await room.close()
  await postgres?.remove()
}
