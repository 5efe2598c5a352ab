/**
 * `npm run faults -- [--only kill,term] [--backend sqlite] [--json]`: does to a running service what happens in bad hours,
 * under load, prints what came of it, a line a fault, and keeps it for `npm run reliability`. It exits 1 when anything was not as
 * promised.
 */
import { parseArgs } from 'node:util'
import { progress } from '../bench/report.ts'
import { launchPostgres, type PostgresServer } from '../test/postgres.ts'
import type { Figures } from './audit.ts'
import type { Fault } from './fault.ts'
import { FAULTS } from './faults.ts'
import { keep, madeIn, type Backend, type Result } from './result.ts'
import { Room } from './room.ts'
import { TABLES } from './tables.ts'

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
    const made = await madeIn(room)
    const figures = await attempt(fault, room)
    const { measured, notes, broken } = room
    const result = { fault: fault.name, backend, ...figures, measured, notes, broken, made }
    failed ||= broken.length > 0
    keep(fault.name, result)
    console.log(values.json ? JSON.stringify(result) : lineOf(fault, result))
  } finally {
    await room.close()
  }
}

async function attempt (fault: Fault, room: Room): Promise<Figures | undefined> {
  try {
    const figures = await fault.run(room)
    room.expect(figures === undefined || figures.lost + figures.twice === 0, 'a message is lost or there twice')
    return figures
  } catch (error) {
    console.error(error)
    room.expect(false, (error as Error).message)
    return undefined
  }
}

function lineOf ({ name, table }: Fault, result: Result): string {
  const { heads, rows } = TABLES[table]
  const told = rows(result).flatMap(cells => cells.flatMap((cell, column) => cell === '' ? [] : [`${heads[column]}: ${cell}`]))
  const { backend, broken } = result
  return `${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${name} (${backend}): ${[...told, ...broken.map(text => `BROKEN: ${text}`)].join('; ')}`
}
