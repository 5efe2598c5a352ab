import fp from 'fastify-plugin'
import { descriptorLimit } from '../src/descriptors.ts'

export interface ConnectionLimitOptions {
  /** How many connections may be open at once. */
  readonly max: number
  /** Connections to a database, which take from the same files as those of clients. */
  readonly databaseConnections: number
  /** How many files the process may have open. */
  readonly descriptors?: number | undefined
}

/** Files that the process needs for itself: databases, threads, logs. */
const OWN_DESCRIPTORS = 128
/** How long the log is silent about refused connections after it has told of them, in ms. */
const SILENCE = 60_000

/**
 * MAX_CONNECTIONS: further ones are closed as they come, before anything is read, and those that are open go on. Without a
 * bound the process would run out of files, and then could not open a database either.
 */
export default fp<ConnectionLimitOptions>(async (app, { max, databaseConnections, descriptors = descriptorLimit() ?? Infinity }) => {
  const limit = Math.max(1, Math.min(max, descriptors - OWN_DESCRIPTORS - databaseConnections))
  if (limit < max) app.log.warn({ connections: limit, files: descriptors }, 'fewer connections than MAX_CONNECTIONS are taken: this process may not open more files')

  app.server.maxConnections = limit
  let told = -Infinity
  app.server.on('drop', () => {
    const now = performance.now()
    if (now - told < SILENCE) return
    told = now
    app.log.warn({ connections: limit }, 'no more connections than these are taken: further ones are refused')
  })
}, { name: 'connection-limit' })
