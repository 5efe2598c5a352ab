import t from 'tap'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { alerts, DEPLOY, program, textOf, yamlOf } from './files.ts'

const PROMETHEUS = join(DEPLOY, 'prometheus')
const promtool = program('promtool') ?? ''
const skip = promtool === '' ? "there is no promtool: install Debian's prometheus to have the alert rules tested" : false

/** It makes a database for each case and syncs it to disk, which takes a busy one minutes: in memory it need not wait. */
const TMPDIR = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

function check (...args: string[]): string {
  return execFileSync(promtool, args, { encoding: 'utf8', env: { ...process.env, TMPDIR }, stdio: ['ignore', 'pipe', 'pipe'] })
}

t.test('Prometheus takes its configuration and the rules', { skip }, async t => {
  t.match(check('check', 'config', join(PROMETHEUS, 'prometheus.yml')), `${alerts.length} rules found`)
})

t.test('every alert fires when it should, and no other with it', { skip }, async t => {
  t.match(check('test', 'rules', join(PROMETHEUS, 'rules.test.yml')), 'SUCCESS')
})

t.test('a rule that was broken fails the test of the rules', { skip }, async t => {
  const rules = textOf('prometheus/rules.yml')
  const broken = rules.replace('> 500\n', '> 5000\n')
  t.not(broken, rules)
  const cases = yamlOf('prometheus/rules.test.yml')
  const tests = cases.tests.filter((each: unknown) => JSON.stringify(each).includes('LetterboxQueue'))
  t.equal(tests.length, 1)
  const folder = t.testdir({ 'rules.yml': broken, 'rules.test.yml': stringify({ ...cases, tests }, { aliasDuplicateObjects: false }) })
  t.throws(() => check('test', 'rules', join(folder, 'rules.test.yml')), { message: /LetterboxQueue/ })
})

t.test('every alert has its case, is of a severity, and says what to do', async t => {
  const cases: { promql_expr_test: { exp_samples: { labels: string }[] }[] }[] = yamlOf('prometheus/rules.test.yml').tests
  const fired = new Set(cases.flatMap(({ promql_expr_test: checks }) =>
    checks.flatMap(({ exp_samples: samples }) => samples.map(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1]))))
  t.strictSame([...fired].toSorted(), alerts.map(({ alert }) => alert).toSorted())
  for (const { alert, labels, annotations } of alerts) {
    t.ok(['page', 'ticket'].includes(labels.severity), `${alert} is for now or for later`)
    t.ok(annotations.summary.length > 10 && annotations.runbook.length > 40, `${alert} says what it means`)
  }
})

t.test('docs/operations.md has the runbook of every alert, in the words of the rules', async t => {
  const docs = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8')
  const rows = alerts.map(({ alert, labels, annotations: { summary, runbook } }) => {
    const said = summary.replace(/\{\{ \$labels\.(\w+) \}\}/g, '`$1`')
    return `| \`${alert}\` | ${labels.severity === 'page' ? '**page**' : 'ticket'} | ${said} | ${runbook} |`
  })
  t.strictSame(docs.split('\n').filter(line => line.startsWith('| `Letterbox')), rows)
})
