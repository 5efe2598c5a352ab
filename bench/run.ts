/**
 * `npm run bench`: every script of the bench, one after the other, into docs/benchmarks.md. It takes about half an hour, and
 * another half to make the databases at the first time. `npm run bench -- reads mixed` repeats only these; the rest of the
 * page stays as it was.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { madeNow, type Made } from './made.ts'
import { toMarkdown, type Report } from './report.ts'

const SCRIPTS = ['ingest', 'reads', 'mixed', 'memory', 'export', 'retention', 'feed', 'batches', 'postgres']
const ROOT = join(import.meta.dirname, '..')
/** The last report of each script, and how it was made. */
interface Kept { readonly report: Report, readonly made: Omit<Made, 'load'> & Partial<Made> }
const REPORTS = join(ROOT, 'data', 'bench')

const asked = process.argv.slice(2)
mkdirSync(REPORTS, { recursive: true })
for (const script of asked.length > 0 ? asked : SCRIPTS) {
  const child = promisify(execFile)(process.execPath, [join(import.meta.dirname, `${script}.ts`), '--json'])
  child.child.stderr?.pipe(process.stderr)
  const { stdout } = await child
  const kept: Kept = { report: JSON.parse(stdout) as Report, made: madeNow() }
  writeFileSync(join(REPORTS, `${script}.json`), JSON.stringify(kept))
}

const sections = SCRIPTS.map(script => {
  const { report, made: { date, machine, versions, load } } = JSON.parse(readFileSync(join(REPORTS, `${script}.json`), 'utf8')) as Kept
  return `${toMarkdown(report)}- Made on ${date} on ${machine}, with ${versions.join(', ')}${load === undefined ? '' : `; begun at a load of ${load}`}.\n`
})
writeFileSync(join(ROOT, 'docs', 'benchmarks.md'), `# Benchmarks

Written by \`npm run bench\`. Each section is a script of \`bench/\` that can be run alone, and says in its head what it takes
(\`npm run bench:ingest -- --rounds 3\`); with \`--json\` it prints the figures for programs. The load generator runs beside the server, on the same
machine. SQLite has \`synchronous=FULL\`; every other setting is the default.

Shared machines are noisy: compare ratios of one run, never rates of two.

${sections.join('\n')}`)
