/** docs/reliability.md is prose written by hand, with tables between markers, which are written here from what was kept. */
import { FAULTS } from './faults.ts'
import type { Backend, Made, Result, SoakResult } from './result.ts'
import { SOAK, TABLES, type TableName } from './tables.ts'

export interface Kept {
  readonly results: readonly Result[]
  readonly soaks: readonly SoakResult[]
}

const BACKENDS: Readonly<Record<Backend, string>> = { sqlite: 'SQLite', postgres: 'PostgreSQL' }
const TABLE_NAMES = Object.keys(TABLES) as TableName[]

/**
 * Puts the tables into the page. What has not been run says so in its row; a table of which nothing was run stays as it is.
 *
 * @throws where the page lacks the markers of a table
 */
export function withTables (page: string, { results, soaks }: Kept): string {
  const tables = TABLE_NAMES.map((name): [string, string | undefined] => [name, tableOfFaults(name, results)])
  return [...tables, ['soak', tableOfSoaks(soaks)] as const].reduce((page, [name, table]) => put(page, name, table), page)
}

function put (page: string, name: string, table: string | undefined): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`the page has no ${begin.trim()} … ${end}`)
  return table === undefined ? page : page.slice(0, from + begin.length) + `\n${table}\n` + page.slice(to)
}

function tableOfFaults (name: TableName, results: readonly Result[]): string | undefined {
  const { heads, rows } = TABLES[name]
  const faults = FAULTS.filter(({ table }) => table === name)
  const shown = results.filter(({ fault }) => faults.some(({ name }) => name === fault))
  if (shown.length === 0) return undefined
  const body = faults.flatMap(({ name, what, backends }) => {
    const of = backends.flatMap(backend => {
      const result = shown.find(each => each.fault === name && each.backend === backend)
      const cells = result === undefined ? [['not run']] : rows(result)
      return (cells.length > 0 ? cells : [['failed']]).map((row, number) => [number === 0 ? BACKENDS[backend] : '', ...row])
    })
    return of.map((row, number) => [number === 0 ? `\`${name}\`: ${what}` : '', ...row])
  })
  const names = shown.map(result => ({ ...result, name: `\`${result.fault}\` on ${BACKENDS[result.backend]}` }))
  return [...markdown(['fault', 'backend', ...heads], body), '', ...below(names)].join('\n')
}

function tableOfSoaks (soaks: readonly SoakResult[]): string | undefined {
  if (soaks.length === 0) return undefined
  const body = Object.entries(SOAK).map(([what, cell]) => [what, ...soaks.map(cell)])
  const names = soaks.map(soak => ({ ...soak, name: BACKENDS[soak.backend] }))
  return [...markdown(['', ...names.map(({ name }) => name)], body), '', ...below(names)].join('\n')
}

interface Named { readonly name: string, readonly made: Made, readonly broken: readonly string[] }

/** What was not as promised; then when, on what and with which versions, once for all that have this in common. */
function below (all: readonly Named[]): string[] {
  const broken = all.flatMap(({ name, broken }) => broken.map(text => `- **BROKEN**: ${name}: ${escaped(text)}`))
  const groups = Map.groupBy(all, ({ made: { date, machine, versions } }) => `${date} on ${machine}, with ${versions.join(', ')}`)
  const made = [...groups].map(([when, of]) => {
    const postgres = new Set(of.flatMap(({ made }) => made.postgres === undefined ? [] : [`, PostgreSQL ${made.postgres}`]))
    const loads = of.map(({ made }) => made.load).sort((a, b) => a - b)
    const load = [...new Set([loads.at(0), loads.at(-1)])].join(' to ')
    return `- ${groups.size === 1 ? 'Made' : `${of.map(({ name }) => name).join(', ')}: made`} on ${when}${[...postgres].join('')}; begun at a load of ${load}.`
  })
  return [...broken, ...made, '']
}

function markdown (heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${heads.map((_, column) => escaped(cells[column] ?? '')).join(' | ')} |`
  // With units and what makes them bold.
  const isNumber = heads.map((_, column) => rows.every(row => /^(?:(?:[\d,. *()%]|\/s|to)*|none|not run|failed)$/.test(row[column] ?? '')))
  return [line(heads), line(isNumber.map(number => number ? '---:' : '---')), ...rows.map(line)]
}

function escaped (text: string): string {
  return text.replaceAll('\n', ' ').replaceAll('|', '\\|')
}
