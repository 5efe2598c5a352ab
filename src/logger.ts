import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.ts'
import { LogOutput } from './log-output.ts'

/** Where log lines go: standard output, unless a test wants to read them. */
export interface LogDestination {
  write (line: string): void
  /** Calls `done` when everything is written, or when that takes too long. */
  flush? (done: () => void): void
}

/** Standard output; what still waits when the process exits is written then, by whatever way it exits but SIGKILL. */
function standardOutput (): LogDestination {
  // By being looked at, it becomes a pipe that never blocks, where it is one.
  const output = new LogOutput(process.stdout.fd)
  process.once('exit', () => output.end())
  return output
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
