/** docs/reliability.md has a place for whatever is done to the service, and what came of it is put there and nowhere else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FAULTS } from '../../faults/faults.ts'
import { withTables } from '../../faults/page.ts'
import type { Made, Result, SoakResult } from '../../faults/result.ts'
import { TABLES } from '../../faults/tables.ts'
import { ROOT } from '../documents.ts'

const PAGE = readFileSync(join(ROOT, 'docs', 'reliability.md'), 'utf8')
const MARKED = /(<!-- (\w+) -->\n)([^]*?)(<!-- \/\2 -->)/g

const MADE: Made = { date: '2026-11-23', machine: '2 × Z80, 1 GiB', versions: ['Fastify 5.0.0'], load: 0.5 }
const TIMES = { p50: 4.4, p99: 1212.6, max: 2000 }
const NONE = { p50: null, p99: null, max: null }

function result (fault: string, more: Partial<Result> = {}): Result {
  return {
    fault, backend: 'sqlite', sent: 12_345, acknowledged: 12_344, found: 12_346, lost: 1, twice: 3, measured: {}, notes: [], broken: [], made: MADE, ...more
  }
}

const SOAK: SoakResult = {
  backend: 'postgres',
  minutes: 10,
  rate: 4405,
  held: 0.926,
  sent: 2_000_001,
  acknowledged: 2_000_001,
  found: 2_000_001,
  lost: 0,
  twice: 0,
  refused: 17,
  cutOff: 128,
  p50: 14,
  p99: 92,
  faults: { crash: 3, lock: 5 },
  memoryMiB: { early: 249, late: 250, highest: 312 },
  broken: [],
  made: { ...MADE, postgres: '18.1' }
}

/** What is between markers, by their name. */
function tablesIn (page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(MARKED)].map(([, , name = '', table = '']) => [name, table]))
}

/** The cells of each row of a table; a fault and a backend are told once for all rows below. */
function rowsOf (table = ''): string[][] {
  let [fault, backend] = ['', '']
  return table.split('\n').filter(line => line.startsWith('|')).map(line => {
    const [first = '', second = '', ...cells] = line.slice(1, -1).split('|').map(cell => cell.trim())
    fault = first || fault
    backend = second || backend
    return [fault, backend, ...cells]
  })
}

const render = (...results: Result[]): Record<string, string> => tablesIn(withTables(PAGE, { results, soaks: [] }))

t.test('every fault has a row for each of its databases, on the page and whenever it is written', async t => {
  const anything = FAULTS.map(({ name, backends: [backend = 'sqlite'] }) => result(name, { backend }))
  for (const tables of [tablesIn(PAGE), render(...anything)]) {
    for (const { name, table, backends } of FAULTS) {
      const rows = rowsOf(tables[table]).filter(([fault = '']) => fault.startsWith(`\`${name}\``)).map(([, backend = '']) => backend)
      t.strictSame([...new Set(rows)], backends.map(backend => backend === 'sqlite' ? 'SQLite' : 'PostgreSQL'), name)
    }
  }
  t.match(tablesIn(PAGE)['soak'], /^\| held \|/m)
})

t.test('nothing changes but the tables of which something is kept', async t => {
  t.equal(withTables(PAGE, { results: [], soaks: [] }), PAGE)

  const written = withTables(PAGE, { results: [result('kill')], soaks: [SOAK] })
  t.equal(written.replace(MARKED, '$1$4'), PAGE.replace(MARKED, '$1$4'))
  const [before, after] = [tablesIn(PAGE), tablesIn(written)]
  t.strictSame(Object.keys(after).filter(name => after[name] !== before[name]), ['faults', 'soak'])
  t.equal(withTables(written, { results: [result('kill')], soaks: [SOAK] }), written, 'a second time')

  for (const name of [...Object.keys(TABLES), 'soak']) {
    t.throws(() => withTables(PAGE.replace(`<!-- ${name} -->`, ''), { results: [], soaks: [] }), { message: `the page has no <!-- ${name} --> … <!-- /${name} -->` })
  }
})

t.test('a row has the figures and what was seen, and what was not run says so', async t => {
  const { faults } = render(result('kill', { notes: ['1,280 were | cut off', 'and sent again'] }))
  const kill = rowsOf(faults?.replace('\\|', '/')).filter(([fault]) => fault?.startsWith('`kill`'))
  t.match(kill, [
    [/^`kill`: SIGKILL/, 'SQLite', '12,345', '12,344', '12,346', '1', '3', '1,280 were / cut off; and sent again'],
    [/^`kill`/, 'PostgreSQL', 'not run', '', '', '', '', '']
  ])
})

t.test('each table says what was not as promised, when it was made, on what and with which versions', async t => {
  const broken = result('kill', { broken: ['an answer\nwas wrong'] })
  t.match(render(broken, result('term'))['faults'], '- **BROKEN**: `kill` on SQLite: an answer was wrong\n- Made on 2026-11-23 on 2 × Z80, 1 GiB, with Fastify 5.0.0; begun at a load of 0.5.\n')
  const other = result('stop', { backend: 'postgres', made: { ...MADE, date: '2026-11-24', postgres: '18.1' } })
  t.match(render(result('kill', { made: { ...MADE, load: 1.5 } }), result('term'), other)['faults'],
    '- `kill` on SQLite, `term` on SQLite: made on 2026-11-23 on 2 × Z80, 1 GiB, with Fastify 5.0.0; begun at a load of 0.5 to 1.5.\n' +
    '- `stop` on PostgreSQL: made on 2026-11-24 on 2 × Z80, 1 GiB, with Fastify 5.0.0, PostgreSQL 18.1; begun at a load of 0.5.\n')
})

t.test('an overload shows in bold what misses its aim', async t => {
  const overload = { best: 1000, offered: 10_000, sent: 5000, taken: 801, refused: 0, ok: { ...TIMES, p99: 999 }, refusals: NONE, after: TIMES, rss: [2 ** 20, 2 ** 21] } as const
  const cells = (more: object): string[] | undefined => rowsOf(render(result('overload', { measured: { overload: { ...overload, ...more } } }))['overload'])
    .find(([fault, backend]) => fault?.startsWith('`overload`') && backend === 'SQLite')?.slice(2)
  t.strictSame(cells({}), ['1,000/s', '10,000/s', '5,000/s', '801/s (80 %)', '999', 'none', '', '**1,213**', '1 to 2', '1', '3'])
  t.strictSame(cells({ taken: 700, refused: 4000, ok: TIMES, refusals: { ...TIMES, p99: 50 }, after: { ...TIMES, p99: 26 } }),
    ['1,000/s', '10,000/s', '5,000/s', '**700/s (70 %)**', '**1,213**', '4,000/s', '4, **50**', '26', '1 to 2', '1', '3'])
})

t.test('files, clients and a soak have columns of their own', async t => {
  const files = render(result('file', { measured: { files: [{ file: 'a folder', outcome: 'does not start' }, { file: 'a text', outcome: 'nor does it' }] } }))['files']
  t.strictSame(rowsOf(files).slice(2).map(cells => cells.slice(1)), [['SQLite', 'a folder', 'does not start'], ['SQLite', 'a text', 'nor does it']])

  const clients = render(result('deaf', { notes: ['cut off'], measured: { others: { usual: NONE, beside: TIMES, rss: [2 ** 20, 2 ** 21] } } }), result('half'))['clients']
  t.match(rowsOf(clients).filter(([fault]) => /`deaf|`half/.test(fault ?? '')), [
    [/`half/, 'SQLite', 'failed'], [/`half/, 'PostgreSQL', 'not run'],
    [/`deaf/, 'SQLite', 'cut off', '1,213', 'none', '1 to 2', '12,345', '12,346', '1', '3'], [/`deaf/, 'PostgreSQL', 'not run']
  ])

  const { soak = '' } = tablesIn(withTables(PAGE, { results: [], soaks: [{ ...SOAK, backend: 'sqlite', held: 1, made: MADE }, SOAK] }))
  t.match(rowsOf(soak), [['', 'SQLite', 'PostgreSQL'], [], ['minutes', '10', '10'], ['offered, a second', '4,405', '4,405'], ['held', '100 %', '93 %'], ['sent', '2,000,001', '2,000,001']])
  t.match(rowsOf(soak).slice(-2), [['faults', 'crash 3, lock 5', 'crash 3, lock 5'], ['memory, MiB', '249 to 250; 312 at most', '249 to 250; 312 at most']])
  t.match(soak, '- Made on 2026-11-23 on 2 × Z80, 1 GiB, with Fastify 5.0.0, PostgreSQL 18.1; begun at a load of 0.5.\n')
})
