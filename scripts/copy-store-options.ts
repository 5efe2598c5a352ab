import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BEGINNING } from '../src/storage/snapshot.ts'
import { decodeCursor } from '../src/storage/cursor.ts'
import { parseDatabaseUrl } from '../src/storage/database-url.ts'
import type { Position } from '../src/storage/message-store.ts'

export const HELP = `npm run --silent copy-store -- --from URL --to URL [options]

  --from URL             the database to read, written as DATABASE_URL is
  --to URL               the database to fill; what it holds already stays as it is
  --resume-after CURSOR  goes on where a copy was stopped, which printed this
  --patience SECONDS     how long a database that is away or busy is waited for; default: 10

It can be run again at any time: what was copied before is skipped. What comes into the source meanwhile may be missed, so
the last run has to be a whole one, without --resume-after, when nothing is delivered there any more.
A password in a URL can be seen by others on the machine: better leave it out, and set PGPASSWORD.
`

export interface Options {
  readonly from: string
  readonly to: string
  readonly after: Position
  readonly seconds: number
}

/**
 * @param args the arguments of the command
 * @returns undefined when it was asked for help
 * @throws {Error} one sentence, without any password
 */
export function readOptions (args: readonly string[]): Options | undefined {
  const { from, to, 'resume-after': cursor, patience, help } = readArguments(args)
  if (help) return undefined
  checkUrl('--from', from)
  checkUrl('--to', to)
  if (from === to) throw new Error('--from and --to must not be the same database')
  const after = cursor === undefined ? BEGINNING : decodeCursor(cursor)
  if (after === undefined) throw new Error('--resume-after must be, to the letter, what a copy printed when it was stopped')
  const seconds = Number(patience)
  if (!(seconds >= 0)) throw new Error('--patience must be a number of seconds')
  return { from, to, after, seconds }
}

function readArguments (args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        from: { type: 'string', default: '' },
        to: { type: 'string', default: '' },
        'resume-after': { type: 'string' },
        patience: { type: 'string', default: '10' },
        help: { type: 'boolean', default: false }
      }
    }).values
  } catch {
    // The error repeats what it did not understand, which may hold a password.
    throw new Error('only --from, --to, --resume-after and --patience are understood, each with a value: --help says more')
  }
}

function checkUrl (option: '--from' | '--to', url: string): void {
  const location = parseDatabaseUrl(url)
  if (location === undefined) throw new Error(`${option} must be the URL of a database: sqlite:///file.db or postgres://…`)
  if (location.backend === 'postgres') return
  if (location.file === undefined) throw new Error(`${option} must not be a database in memory, which ends with the copy`)
  // To open it would make it.
  if (option === '--from' && !existsSync(location.file)) throw new Error(`--from names ${location.file}, which does not exist`)
}
