/**
 * Copies the SQLite database into a file while the service runs: `npm run backup -- --help`.
 */
import { existsSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { parseDatabaseUrl } from '../src/storage/database-url.ts'
import { backupSqlite } from '../src/storage/sqlite/backup.ts'

const HELP = `npm run --silent backup -- --to FILE [--from URL]

  --to FILE   the copy, a new file
  --from URL  the database, written as DATABASE_URL is; default: DATABASE_URL

The copy holds every message that was acknowledged when it began. It is checked, and for its owner's eyes only.
Given the copy as --from, and the place of a lost database as --to, it restores.
`

interface Options { readonly from: string, readonly to: string }

// Other people's messages.
process.umask(0o077)
try {
  const options = readOptions()
  if (options === undefined) console.log(HELP)
  else await backup(options)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

async function backup ({ from, to }: Options): Promise<void> {
  const begun = performance.now()
  let told = 0
  const messages = await backupSqlite(from, to, (copied, of) => {
    const tenths = Math.floor(10 * copied / of)
    if (tenths > told) console.error(`${copied} of ${of} pages`)
    told = tenths
  })
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1))
  console.log(JSON.stringify({ to, messages, bytes: statSync(to).size, seconds }))
}

/** @returns undefined when it was asked for help */
function readOptions (): Options | undefined {
  const { from: url, to, help } = readArguments()
  if (help) return undefined
  const location = parseDatabaseUrl(url ?? loadConfig(process.env).databaseUrl)
  if (location === undefined) throw new Error('--from must be the URL of a database: sqlite:///file.db')
  if (location.backend === 'postgres') throw new Error('PostgreSQL has tools of its own for this: pg_dump, or npm run copy-store')
  const { file: from } = location
  if (from === undefined) throw new Error('a database in memory cannot be copied from outside')
  if (!existsSync(from)) throw new Error(`${from} does not exist`)
  if (to === undefined) throw new Error('--to must name a new file')
  for (const suffix of ['', '-wal', '-journal']) {
    if (existsSync(to + suffix)) throw new Error(`${to}${suffix} exists already, and is not written over`)
  }
  return { from, to }
}

function readArguments () {
  try {
    return parseArgs({
      options: { from: { type: 'string' }, to: { type: 'string' }, help: { type: 'boolean', default: false } }
    }).values
  } catch {
    // The error repeats what it did not understand, which may hold a password.
    throw new Error('only --to and --from are understood, each with a value: --help says more')
  }
}
