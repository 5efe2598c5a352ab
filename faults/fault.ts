import type { Figures } from './audit.ts'
import type { Backend, Room } from './room.ts'

export interface Fault {
  readonly name: string
  /** What is done to the service, in a few words. */
  readonly what: string
  readonly backends: readonly Backend[]
  /** Does it, tells the room what it saw, and closes the books. @returns undefined where nothing was delivered */
  run (room: Room): Promise<Figures | undefined>
}

export const BOTH: readonly Backend[] = ['sqlite', 'postgres']
