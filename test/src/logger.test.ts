import t from 'tap'
import { createLogger } from '../../src/logger.ts'
import type { LogLevel } from '../../src/config.ts'

function linesAt (level: LogLevel): string[] {
  const lines: string[] = []
  const logger = createLogger(level, { write: line => { lines.push(line) } })
  logger.trace('trace')
  logger.debug('debug')
  logger.info('info')
  logger.warn('warn')
  logger.error('error')
  logger.fatal('fatal')
  return lines
}

t.test('a line is one JSON object with ts, level and its fields', async t => {
  const lines: string[] = []
  const logger = createLogger('info', { write: line => { lines.push(line) } })
  const before = new Date().toISOString()
  logger.info({ status: 200, path: '/a\nb "c"' }, 'answered')
  const after = new Date().toISOString()

  t.equal(lines.length, 1)
  const [line = ''] = lines
  t.equal(line.indexOf('\n'), line.length - 1, 'one line')
  const { ts, ...rest } = JSON.parse(line)
  t.strictSame(rest, { level: 'info', status: 200, path: '/a\nb "c"', msg: 'answered' })
  t.match(ts, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  t.ok(before <= ts && ts <= after, 'ts is now')
})

t.test('a level lets through what is at least as grave', async t => {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
  for (const [rank, level] of levels.entries()) {
    t.strictSame(linesAt(level).map(line => JSON.parse(line).level), levels.slice(rank), level)
  }
  t.strictSame(linesAt('silent'), [])
})
