import type { Figures } from './audit.ts'
import type { Backend } from './result.ts'
import type { Room } from './room.ts'
import type { TableName } from './tables.ts'

export interface Fault {
  readonly name: string
  /** What is done to the service, in a few words. */
  readonly what: string
  readonly backends: readonly Backend[]
  /** The one of docs/reliability.md in which it has its row. */
  readonly table: TableName
  /** Does it, tells the room what it saw, and closes the books. @returns undefined where nothing was delivered */
  run (room: Room): Promise<Figures | undefined>
}

export const BOTH: readonly Backend[] = ['sqlite', 'postgres']
