import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.ts'

/** Where log lines go: standard output, unless a test wants to read them. */
export interface LogDestination {
  write (line: string): void
}

/** One JSON object a line: `ts` in ISO 8601 UTC, `level` as a word, then the fields of the line. */
export function createLogger (level: LogLevel, destination: LogDestination = pino.destination({ dest: 1, sync: true })): Logger {
  return pino({
    level,
    base: null,
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: label => ({ level: label }) }
  }, destination)
}
