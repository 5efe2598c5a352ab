import { loadavg } from 'node:os'
import sqlite from 'better-sqlite3/package.json' with { type: 'json' }
import fastify from 'fastify/package.json' with { type: 'json' }
import { machine, round } from './report.ts'

/** When figures were made, on what, and with which versions. */
export interface Made {
  /** `2026-11-23`, in UTC */
  readonly date: string
  /** With the version of Node.js. */
  readonly machine: string
  readonly versions: readonly string[]
  /** What else the machine did: its load average over the minute before the command began. */
  readonly load: number
}

const LOAD = round(loadavg()[0] ?? NaN, 1)

export function madeNow (): Made {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: [`Fastify ${fastify.version}`, `better-sqlite3 ${sqlite.version}`],
    load: LOAD
  }
}
