import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.ts'

/** Where log lines go: standard output, unless a test wants to read them. */
export interface LogDestination {
  write (line: string): void
}

/** How long a line may wait for others, in ms, and how many bytes of them are written at once. */
const FLUSH_AFTER = 20
const FLUSH_BYTES = 16_000
/** Lines that wait because nobody reads the output, in bytes. What comes then is dropped. */
const BACKLOG_BYTES = 64 * 1024 * 1024

/**
 * Standard output, written to off the event loop, many lines at a time. pino writes what still waits when the process
 * exits, by whatever way but SIGKILL. Who does not read the output holds up nothing.
 */
function standardOutput (): LogDestination {
  const output = pino.destination({ dest: 1, sync: false, minLength: FLUSH_BYTES, maxLength: BACKLOG_BYTES })
  let flush: NodeJS.Timeout | undefined
  return {
    write (line) {
      output.write(line)
      // pino's own timer would write nothing, fifty times a second, while there is nothing to write.
      flush ??= setTimeout(() => {
        flush = undefined
        output.flush()
      }, FLUSH_AFTER).unref()
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
