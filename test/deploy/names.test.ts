import t, { type Test } from 'tap'
import { parse } from '../exposition.ts'
import { buildApp, delivery, message } from '../helper.ts'
import { alerts, dashboard, shown } from './files.ts'
import { read } from './promql.ts'
import { traffic } from './traffic.ts'

/** What Prometheus itself adds to every series of a target, and the series that it makes itself. */
const OF_TARGETS = ['job', 'instance']
const OF_PROMETHEUS: Readonly<Record<string, readonly string[]>> = { up: OF_TARGETS, ALERTS: ['alertname', 'alertstate', 'severity'] }

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="([^"]*)"/g

/** The labels of each metric of a live /metrics, and the values that each of them has. */
async function liveLabels (t: Test): Promise<ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>> {
  const { app } = await buildApp(t)
  await traffic(app, 1)
  await app.inject('/metrics')
  await app.messages.close()
  await app.inject(delivery(message()))
  const metrics = new Map<string, Map<string, Set<string>>>()
  for (const sample of parse(t, (await app.inject('/metrics')).body).keys()) {
    const [name = '', labels = ''] = sample.split(/(?=\{)/)
    const known = metrics.get(name) ?? new Map<string, Set<string>>()
    for (const [, label = '', value = ''] of labels.matchAll(LABEL)) known.set(label, (known.get(label) ?? new Set()).add(value))
    metrics.set(name, known)
  }
  return metrics
}

const expressions = [
  ...alerts.map(({ alert, expr, annotations }) => ({ of: alert, expr, texts: Object.values(annotations), pattern: /\$labels\.([a-z_]+)/g })),
  ...shown.map(({ title, expr, legend }) => ({ of: title, expr, texts: [legend], pattern: /\{\{([a-z_]+)\}\}/g })),
  ...dashboard.annotations.list.map(({ expr }) => ({ of: 'the starts', expr, texts: [], pattern: /-/g }))
]

/** A status that this traffic does not bring about, which is why somebody is called when there is one. */
const NEVER_SEEN = ['500']

t.test('every metric and label that an alert or a panel names is in a live /metrics', async t => {
  const live = await liveLabels(t)
  for (const { of, expr, texts, pattern } of expressions) {
    const { selectors, groupedBy } = read(expr)
    t.ok(selectors.length > 0, `${of} asks for something`)
    const labels = new Set<string>()
    for (const { metric, matchers } of selectors) {
      const synthetic = OF_PROMETHEUS[metric]
      const known = live.get(metric)
      if (synthetic === undefined && known === undefined) t.fail(`${of}: there is no ${metric}`)
      const own = [...synthetic ?? [...known?.keys() ?? [], ...OF_TARGETS]]
      for (const label of own) labels.add(label)
      for (const [label, operator, value] of matchers) {
        t.ok(own.includes(label), `${of}: ${metric} has the label ${label}`)
        const values = known?.get(label)
        if (values === undefined || NEVER_SEEN.includes(value)) continue
        const wanted = operator.includes('~') ? new RegExp(`^(?:${value})$`) : undefined
        t.ok(wanted === undefined ? values.has(value) : [...values].some(each => wanted.test(each)), `${of}: ${metric} has ${label}="${value}"`)
        // Of a choice of words every word counts: one that is misspelt would be missed by nobody.
        if (/^[a-z_]+(?:\|[a-z_]+)+$/.test(value)) for (const word of value.split('|')) t.ok(values.has(word), `${of}: ${metric} has ${label}="${word}"`)
      }
    }
    for (const label of groupedBy) t.ok(labels.has(label), `${of}: there is a label ${label} to group by`)
    const kept = groupedBy.length > 0 ? groupedBy : [...labels]
    for (const label of texts.flatMap(text => [...text.matchAll(pattern)].map(([, name = '']) => name))) t.ok(kept.includes(label), `${of}: ${label} is left to be written`)
  }
})

t.test("every series is asked for by Letterbox's job: other services have metrics of the same names", async t => {
  for (const { of, expr } of expressions) {
    for (const { metric, matchers } of read(expr).selectors) {
      if (metric !== 'ALERTS') t.ok(matchers.some(matcher => matcher.join('') === 'job=letterbox'), `${of}: ${metric}`)
    }
  }
})

t.test('what is no PromQL is told', async t => {
  for (const broken of ['sum(', 'a{b=}', 'rate(x[5m)']) t.throws(() => read(broken), /no PromQL/, broken)
})
