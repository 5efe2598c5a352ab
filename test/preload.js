/**
 * Loaded by `npm test` before each file. What is run is what was written, since types are stripped in place: traces are right without
 * maps, and reading those of all libraries takes a quarter of the time of a test.
 *
 * Threads that a test starts begin as in production, without what tap loads into each: that is for coverage, and takes as long as
 * the rest of the start of a thread. Processes likewise: test/process.ts.
 */
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'

process.setSourceMapsEnabled(false)
delete process.env.NODE_OPTIONS
threads.Worker = class extends threads.Worker {
  constructor (file, options = {}) {
    super(file, { ...options, execArgv: options.execArgv ?? [] })
  }
}
syncBuiltinESMExports()
