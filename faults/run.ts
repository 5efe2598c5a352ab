/**
 * `npm run faults -- [--only kill,term] [--backend sqlite] [--json]`: does to a running service what happens in bad hours,
 * under load, and prints what came of it, a line a fault. It exits 1 when anything was not as promised.
 */
import { parseArgs } from 'node:util'
import { progress } from '../bench/report.ts'
import { launchPostgres, type PostgresServer } from '../test/postgres.ts'
import type { Fault } from './fault.ts'
import { Room, type Backend } from './room.ts'
import { FAULTS } from './faults.ts'

const { values } = parseArgs({
  options: { only: { type: 'string' }, backend: { type: 'string' }, json: { type: 'boolean', default: false } }
})
const only = values.only?.split(',')
const faults = FAULTS.filter(({ name }) => only?.includes(name) ?? true)
const backends = (['sqlite', 'postgres'] as const).filter(backend => backend === (values.backend ?? backend))

let postgres: PostgresServer | undefined
let failed = false
try {
  for (const backend of backends) {
    for (const fault of faults.filter(each => each.backends.includes(backend))) {
      if (backend === 'postgres') postgres ??= await launchPostgres([])
      await inject(fault, backend)
    }
  }
} finally {
  await postgres?.remove()
}
process.exitCode = failed ? 1 : 0

async function inject (fault: Fault, backend: Backend): Promise<void> {
  progress(`${fault.name} (${backend}): ${fault.what}`)
  const room = await Room.open(backend === 'postgres' ? postgres : undefined)
  try {
    const figures = await fault.run(room)
    if (figures !== undefined && figures.lost + figures.twice > 0) room.broken.push('a message is lost or there twice')
    failed ||= room.broken.length > 0
    if (values.json) console.log(JSON.stringify({ fault: fault.name, backend, ...figures, notes: room.notes, broken: room.broken }))
    else console.log(lineOf(fault, backend, figures, room))
  } catch (error) {
    failed = true
    console.log(`BROKEN ${fault.name} (${backend}): ${[...room.notes, ...room.broken, (error as Error).stack].join('; ')}`)
  } finally {
    await room.close()
  }
}

function lineOf ({ name }: Fault, backend: Backend, figures: object | undefined, { notes, broken }: Room): string {
  const counts = Object.entries(figures ?? {}).map(([what, count]) => `${what} ${count}`)
  const told = [...counts.length > 0 ? [counts.join(', ')] : [], ...notes, ...broken.map(text => `BROKEN: ${text}`)]
  return `${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${name} (${backend}): ${told.join('; ')}`
}
