import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Ajv } from 'ajv'
import { FORMATS, type FormatName } from '../src/export.ts'
import { filterOf, FilterQuery } from '../src/filter.ts'
import { parseDatabaseUrl } from '../src/storage/database-url.ts'
import type { Filter } from '../src/storage/message-store.ts'
import { isTimestamp } from '../src/timestamp.ts'

export const HELP = `npm run --silent export -- --out FILE [options]

  --out FILE         where to; it is there when it is whole
  --format FORMAT    ndjson or csv; default: ndjson
  --gzip             compressed
  --database URL     the database, written as DATABASE_URL is; default: DATABASE_URL
  --from, --to, --since, --until, --source, --q
                     the filters of GET /messages

The file holds what was stored when it began, in the order of GET /messages, and is for its owner's eyes only.
`

export interface Options {
  readonly out: string
  readonly format: FormatName
  readonly isZipped: boolean
  readonly url: string
  readonly filter: Filter
}

/**
 * @param args the arguments of the command
 * @param defaultUrl the database of the service
 * @returns undefined when it was asked for help
 * @throws {Error} one sentence, without any password
 */
export function readOptions (args: readonly string[], defaultUrl: () => string): Options | undefined {
  const { out, format, gzip, database, help, ...query } = readArguments(args)
  if (help) return undefined
  if (out === undefined || out === '') throw new Error('--out must name a file')
  if (!Object.hasOwn(FORMATS, format)) throw new Error(`--format must be ${Object.keys(FORMATS).join(' or ')}`)
  const url = database ?? defaultUrl()
  const location = parseDatabaseUrl(url)
  if (location === undefined) throw new Error('--database must be the URL of a database: sqlite:///file.db or postgres://…')
  // To open it would make it.
  if (location.backend === 'sqlite' && (location.file === undefined || !existsSync(location.file))) throw new Error(`${location.file ?? 'a database in memory'} does not exist`)
  checkFilter(query)
  return { out, format: format as FormatName, isZipped: gzip, url, filter: filterOf(query) }
}

function readArguments (args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        out: { type: 'string' },
        format: { type: 'string', default: 'ndjson' },
        gzip: { type: 'boolean', default: false },
        database: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        since: { type: 'string' },
        until: { type: 'string' },
        source: { type: 'string' },
        q: { type: 'string' },
        help: { type: 'boolean', default: false }
      }
    }).values
  } catch {
    // The error repeats what it did not understand, which may hold a password.
    throw new Error('an option is unknown, or has no value: --help says more')
  }
}

function checkFilter (query: FilterQuery): void {
  const validate = new Ajv({ formats: { 'date-time': isTimestamp } }).compile(FilterQuery)
  if (validate(query)) return
  const [{ instancePath = '' } = {}] = validate.errors ?? []
  throw new Error(`--${instancePath.slice(1)} must be ${FilterQuery.properties[instancePath.slice(1) as keyof FilterQuery].description}`)
}
