import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.ts'

/** Where log lines go: standard output, unless a test wants to read them. */
export interface LogDestination {
  write (line: string): void
}

/**
 * Standard output, written to off the event loop, many lines at a time: a line waits for 16,000 bytes or 20 ms. pino writes what
 * still waits when the process exits, by whatever way but SIGKILL. Who does not read the output holds up nothing: beyond
 * 64 MiB, lines are dropped.
 */
function standardOutput (): LogDestination {
  return pino.destination({ dest: 1, sync: false, minLength: 16_000, maxLength: 64 * 1024 * 1024, periodicFlush: 20 })
}

/** One JSON object a line: `ts` in ISO 8601 UTC, `level` as a word, then the fields of the line. */
export function createLogger (level: LogLevel, destination: LogDestination = standardOutput()): Logger {
  return pino({
    level,
    base: null,
    timestamp: timestampField(),
    formatters: { level: label => ({ level: label }) }
  }, destination)
}

/** The `ts` of a line, written anew once a millisecond: under load many lines share one. */
function timestampField (): () => string {
  let moment = 0
  let field = ''
  return () => {
    const now = Date.now()
    if (now !== moment) {
      moment = now
      field = `,"ts":"${new Date(now).toISOString()}"`
    }
    return field
  }
}
