import { badClients } from './clients.ts'
import { clock } from './clock.ts'
import { crowd } from './crowd.ts'
import type { Fault } from './fault.ts'
import { file } from './file.ts'
import { full } from './full.ts'
import { kill } from './kill.ts'
import { lock } from './lock.ts'
import { outages } from './outage.ts'
import { overload, overloadedStore } from './overload.ts'
import { reads } from './reads.ts'
import { term } from './term.ts'
import { threads } from './threads.ts'

/** In the order in which they are run. */
export const FAULTS: readonly Fault[] = [kill, term, full, lock, file, threads, ...outages, overload, overloadedStore, reads, ...badClients, crowd, clock]
