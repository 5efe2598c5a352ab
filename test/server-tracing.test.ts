import t from 'tap'
import { message } from './helper.ts'
import { startCollector } from './otlp.ts'
import { deliverTo, serve, type Env } from './process.ts'

/** Runs in the service: prints the files of OpenTelemetry that are loaded, in whichever thread, to standard error. */
const WATCH = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  registerHooks({ load (url, context, next) {
    if (url.includes('/@opentelemetry/')) writeSync(2, url.replace(/.*@opentelemetry./, '') + '\\n')
    return next(url, context)
  } })`)}`

t.test('nothing of it is loaded without OTEL_EXPORTER_OTLP_ENDPOINT', async t => {
  const loaded = async (env: Env): Promise<string[]> => {
    const service = await serve(t, t.testdir(), { SHUTDOWN_DELAY: '0', ...env }, ['--import', WATCH])
    t.equal((await deliverTo(service.url, message())).status, 200)
    const { code, stderr } = await service.end('SIGTERM')
    t.equal(code, 0)
    // The client of Prometheus loads the interface of OpenTelemetry by itself, to no end.
    return stderr.split('\n').filter(file => file !== '' && !/^api\/.*\.cjs$/.test(file))
  }
  t.strictSame(await loaded({ OTEL_TRACES_SAMPLER: 'always_on', OTEL_SERVICE_NAME: 'inbox' }), [])

  const collector = await startCollector(t)
  const files = await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/`, OTEL_SERVICE_NAME: 'inbox', OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=test' })
  t.ok(files.some(file => file.startsWith('sdk-trace/')), 'which this would have seen')
  t.strictSame(collector.spans.map(({ name }) => name), ['verify', 'queue', 'commit', 'POST /webhook'], 'the end waits for the last spans')
  t.match(collector.spans[0]?.resource, { 'service.name': 'inbox', 'deployment.environment.name': 'test' })
  t.equal(collector.requests[0]?.url, '/v1/traces')
})

t.test('a collector that is not there, or does not answer, costs one line, and the end two seconds', async t => {
  const silent = await startCollector(t, 0)
  const folder = t.testdir({ gone: {}, silent: {} })
  const ends = await Promise.all([['gone', 'http://127.0.0.1:1'], ['silent', silent.endpoint]].map(async ([name, endpoint]) => {
    const service = await serve(t, `${folder}/${name}`, { SHUTDOWN_DELAY: '0', OTEL_EXPORTER_OTLP_ENDPOINT: String(endpoint) })
    t.equal((await deliverTo(service.url, message())).status, 200)
    const begin = performance.now()
    t.strictSame(await service.end('SIGTERM'), { code: 0, signal: null, stderr: '' })
    t.ok(performance.now() - begin < 5000)
    return service.stdout.map(line => JSON.parse(line)).filter(({ level }) => level !== 'info').map(({ level, msg }) => ({ level, msg }))
  }))
  const lost = [{ level: 'warn', msg: 'the collector did not take the last spans in time: they are lost' }]
  t.strictSame(ends, [lost, lost])
  t.equal(silent.requests.length, 1)
})
