/** The chart of messages over time. */
import { addressOf, go } from './address.js'
import { byId, number } from './dom.js'

/** @typedef {import('./overview.js').Volume} Volume */
/** @typedef {import('./address.js').Filter} Filter */

const uPlot = /** @type {typeof import('uplot')} */ (Reflect.get(globalThis, 'uPlot'))

const MINUTE = 60_000
const LENGTHS = { minute: MINUTE, hour: 60 * MINUTE, day: 1440 * MINUTE }
/** Points that the service gives at most. */
const POINTS = 1500
const HEIGHT = 240

/** @type {import('uplot') | undefined} */
let chart
/** @type {Volume | undefined} */
let drawn
/** @type {Filter} */
let drawnFilter = {}

/**
 * What to ask for, so that a range is shown in as many points as the service gives.
 *
 * @param {string} range `hour`, `days`, `month` or `all`; the filter's own moments come before it, those that are any
 * @param {import('./api.js').Stats} stats
 * @param {Filter} filter
 * @returns {import('./api.js').Query}
 */
export function rangeOf (range, { first_message_ts: first, last_message_ts: last }, filter) {
  const [since, until] = [filter.since, filter.until].map(ts => Date.parse(String(ts))).map(ms => Number.isNaN(ms) ? undefined : ms)
  const isOwn = since !== undefined || until !== undefined
  if (!isOwn && range !== 'all') return { interval: range === 'hour' ? 'minute' : range === 'days' ? 'hour' : 'day' }
  const end = until ?? Date.parse(String(last)) + 1
  const begin = Math.min(end - 1, since ?? Date.parse(String(first)))
  // Whole intervals at either end make one point more.
  const interval = (/** @type {const} */ (['minute', 'hour'])).find(name => (end - begin) / LENGTHS[name] < POINTS - 2) ?? 'day'
  const from = Math.max(begin, end - (POINTS - 2) * LENGTHS[interval])
  return { interval, since: new Date(from).toISOString(), until: new Date(end).toISOString() }
}

/**
 * @param {Volume} volume
 * @param {Filter} filter
 */
export function drawVolume (volume, filter) {
  const isSameKind = chart !== undefined && drawn?.interval === volume.interval && chart.width === byId('chart').clientWidth
  drawn = volume
  drawnFilter = filter
  const { data } = volume
  const counts = data.map(({ count }) => count)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const most = Math.max(0, ...counts)
  byId('chart').setAttribute('aria-label', `${number(total)} messages by ${volume.interval} from ${spoken(volume.since)} to ${spoken(volume.until)}, at most ${number(most)} a ${volume.interval}`)
  byId('chart-note').textContent = `By ${volume.interval}, UTC: at most ${number(most)}. ${filter.from === undefined ? '' : `From ${filter.from} only. `}Drag over the chart to list a part of it.`
  /** @type {import('uplot').AlignedData} */
  const series = [data.map(({ ts }) => Date.parse(ts) / 1000), counts]
  if (isSameKind) chart?.setData(series)
  else draw(series)
}

/** @param {import('uplot').AlignedData} data */
function draw (data) {
  chart?.destroy()
  const root = byId('chart')
  const colors = getComputedStyle(root)
  const [ink = '', line = '', accent = ''] = ['--quiet', '--line', '--accent'].map(name => colors.getPropertyValue(name).trim())
  const bars = uPlot.paths.bars?.({ size: [0.9, 40], align: 1 })
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: `12px ${colors.fontFamily}` }
  chart = new uPlot({
    width: root.clientWidth,
    height: HEIGHT,
    ms: 1e-3,
    tzDate: ts => uPlot.tzDate(new Date(ts * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      { ...axis, values: labels, space: 80, size: 36 },
      { ...axis, size: 56, space: 40, values: (_, splits) => splits.map(value => Number.isInteger(value) ? number(value) : '') }
    ],
    series: [{}, { stroke: accent, fill: accent, width: 0, points: { show: false }, ...bars && { paths: bars } }],
    hooks: { setSelect: [selected] }
  }, data, root)
}

/** @param {import('uplot')} _ @param {number[]} splits @param {number} _axis @param {number} _space @param {number} step in s */
function labels (_, splits, _axis, _space, step) {
  return splits.map(second => {
    const ts = new Date(second * 1000).toISOString()
    if (step >= 365 * 86_400) return ts.slice(0, 4)
    if (step >= 86_400) return ts.slice(0, 10)
    return ts.slice(11, 16) === '00:00' ? ts.slice(0, 10) : ts.slice(11, 16)
  })
}

/** Lists what was dragged over. @param {import('uplot')} plot */
function selected (plot) {
  const { left, width } = plot.select
  if (width < 3 || drawn === undefined) return
  const length = LENGTHS[drawn.interval]
  const [since = '', until = ''] = [Math.floor(plot.posToVal(left, 'x') * 1000 / length), Math.ceil(plot.posToVal(left + width, 'x') * 1000 / length)]
    .map(intervals => new Date(intervals * length).toISOString().replace('.000Z', 'Z'))
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
  go(addressOf({ filter: { ...drawnFilter, since, until } }))
}

/** @param {string} ts */
function spoken (ts) {
  return `${ts.slice(0, 10)} ${ts.slice(11, 16)}`
}

/** Draws it anew, in the size and the colours of now. */
function redraw () {
  const data = chart?.data
  chart?.destroy()
  chart = undefined
  if (data !== undefined && byId('chart').clientWidth > 0) draw(data)
}

addEventListener('resize', () => {
  // Out of sight it has no width: it is then drawn anew when it is shown.
  const width = byId('chart').clientWidth
  if (width > 0) chart?.setSize({ width, height: HEIGHT })
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
