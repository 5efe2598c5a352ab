import t from 'tap'
import { dashboard, shown, textOf, yamlOf, type Panel } from './files.ts'
import { read } from './promql.ts'

const { panels } = dashboard
const charts = panels.filter(({ type }) => type !== 'row')

const uids = new Set(yamlOf('grafana/datasources/prometheus.yml').datasources.map(({ uid }: { uid: string }) => uid))

/** https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts, of which these are used */
const UNITS = ['none', 'short', 'cps', 'reqps', 's', 'ms', 'bytes']

function overlap ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

t.test("an operator's questions, in the order in which they come", async t => {
  t.strictSame(panels.filter(({ type }) => type === 'row').map(({ title }) => title), [
    'Is it taking messages?', 'Is it fast?', 'Is it safe?', 'Is it healthy?'
  ])
  const places = panels.map(({ gridPos: { x, y } }) => y * 24 + x)
  t.strictSame(places, places.toSorted((a, b) => a - b), 'the file reads as the page does')
})

t.test('no panel is another, hides another, or leaves the page', async t => {
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length)
  for (const [index, panel] of panels.entries()) {
    const { x, w, h } = panel.gridPos
    t.ok(x >= 0 && x + w <= 24 && w > 0 && h > 0, `${panel.title} is on the grid`)
    t.notOk(panels.slice(0, index).some(other => overlap(panel, other)), `${panel.title} hides none of those before`)
  }
  for (const { gridPos: { y } } of charts) {
    const line = charts.filter(({ gridPos }) => gridPos.y === y)
    t.equal(line.reduce((width, { gridPos: { w } }) => width + w, 0), 24, `the line at ${y} is full`)
  }
})

t.test('every panel asks the data source that is provisioned, says what it means, in which unit, and what is what', async t => {
  for (const { title, type, description, datasource, fieldConfig, targets = [] } of charts) {
    t.ok(['stat', 'timeseries'].includes(type), `${title} is of a kind that Grafana brings along`)
    t.ok((description ?? '').length > 20, `${title} says what it means`)
    t.ok(uids.has(datasource?.uid), `${title} has a data source`)
    t.ok(UNITS.includes(fieldConfig?.defaults.unit ?? ''), `${title} has a unit`)
    t.ok(targets.length > 0 && new Set(targets.map(({ refId }) => refId)).size === targets.length, `${title} asks for something, once each`)
    for (const target of targets) {
      t.ok(uids.has(target.datasource.uid), `${title}: so does ${target.refId}`)
      t.ok(target.legendFormat, `${title}: ${target.refId} has a legend`)
    }
  }
  for (const { datasource } of dashboard.annotations.list) t.ok(uids.has(datasource.uid))
})

t.test('series that are drawn apart have legends apart', async t => {
  for (const { title, expr, legend } of shown) {
    for (const label of read(expr).groupedBy.filter(name => name !== 'le')) t.match(legend, `{{${label}}}`, `${title}: ${label}`)
  }
})

t.test('rates are taken over a window that fits the interval of the scrapes', async t => {
  t.equal(yamlOf('grafana/datasources/prometheus.yml').datasources[0].jsonData.timeInterval, yamlOf('prometheus/prometheus.yml').global.scrape_interval)
  for (const [, window] of textOf('grafana/dashboards/letterbox.json').matchAll(/rate\([^[]*\[([^\]]+)\]/g)) t.equal(window, '$__rate_interval')
})
