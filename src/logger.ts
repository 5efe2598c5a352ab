import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.ts'

/** Where log lines go: standard output, unless a test wants to read them. */
export interface LogDestination {
  write (line: string): void
}

/** How long a line may wait for others, in ms, and how many characters of them are written at once. */
const WAIT = 20
const ENOUGH = 16_000
/** Lines that wait because nobody reads the output, in bytes. What comes then is dropped. */
const BACKLOG_BYTES = 64 * 1024 * 1024

/**
 * Standard output, written to off the event loop, many lines at a time; what still waits when the process exits is written
 * then, by whatever way it exits but SIGKILL. Who does not read the output holds up nothing.
 *
 * Lines are gathered here: pino's destination could do it, but counts all those that wait with every line that comes, and
 * syncs a file to the disk each time.
 */
function standardOutput (): LogDestination {
  const output = pino.destination({ dest: 1, sync: false, maxLength: BACKLOG_BYTES })
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  const pass = (): void => {
    clearTimeout(timer)
    timer = undefined
    output.write(lines)
    lines = ''
  }
  process.once('exit', () => {
    output.write(lines)
    output.flushSync()
  })
  return {
    write (line) {
      lines += line
      if (lines.length >= ENOUGH) pass()
      else timer ??= setTimeout(pass, WAIT)
    }
  }
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
