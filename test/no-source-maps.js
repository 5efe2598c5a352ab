/**
 * Loaded by `npm test` before each file and each thread of it. What is run is what was written, since types are stripped in place:
 * traces are right without maps, and reading those of all libraries takes a quarter of the time of a test.
 */
process.setSourceMapsEnabled(false)
