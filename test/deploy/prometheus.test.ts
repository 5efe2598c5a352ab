import t, { type Test } from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import { buildApp, delivery, listen, message } from '../helper.ts'
import { alerts, DEPLOY, program, shown, yamlOf } from './files.ts'
import { traffic } from './traffic.ts'

const prometheus = program('prometheus')
const skip = prometheus === undefined && "there is no Prometheus: install Debian's prometheus to have the dashboard tried on a real one"

/** Runs Prometheus until the test is over. @returns where it listens */
async function runPrometheus (t: Test, configuration: string): Promise<string> {
  const child = spawn(String(prometheus), [
    `--config.file=${configuration}`, `--storage.tsdb.path=${join(t.testdirName, 'data')}`, '--web.listen-address=127.0.0.1:0'
  ], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await exited
  })
  const log: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    log.push(line)
    const [, address] = /"Listening on" address=(\S+)/.exec(line) ?? []
    if (address === undefined) continue
    child.stderr.resume()
    return `http://${address}`
  }
  throw new Error(`Prometheus ended: ${log.join('\n')}`)
}

async function ask (url: string): Promise<any> {
  const response = await fetch(url)
  if (!response.ok) return undefined
  return (await response.json() as { data: unknown }).data
}

/** Asks until the answer is as it should be, for so long that a busy machine has the time. */
async function until<Answer> (question: () => Promise<Answer>, isRight: (answer: Answer) => boolean): Promise<Answer> {
  const end = Date.now() + 60_000
  for (;;) {
    const answer = await question()
    if (isRight(answer) || Date.now() > end) return answer
    await delay(200)
  }
}

/** The configuration as it is, but for the address of the target and how often things happen. */
function configuration (port: number): Record<string, unknown> {
  const { dns_sd_configs: _, ...job } = yamlOf('prometheus/prometheus.yml').scrape_configs[0]
  return {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: [join(DEPLOY, 'prometheus', 'rules.yml')],
    scrape_configs: [{ ...job, static_configs: [{ targets: [`127.0.0.1:${port}`] }] }]
  }
}

t.test('a real Prometheus reads a live Letterbox, takes the rules, and has a series for every line of the dashboard', { skip }, async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  const file = join(t.testdirName, 'prometheus.yml')
  writeFileSync(file, stringify(configuration(port)))
  const url = await runPrometheus(t, file)

  const targets = await until(() => ask(`${url}/api/v1/targets`), answer => answer?.activeTargets[0]?.health === 'up')
  t.match(targets.activeTargets, [{ health: 'up', lastError: '', labels: { job: 'letterbox' } }])
  for (let round = 0; round < 5; round++) {
    await traffic(app, round)
    await delay(300)
  }
  await app.messages.close()

  const query = (expr: string): Promise<any> => ask(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`)
  for (const { title, expr } of shown) {
    const answer = await until(async () => {
      // 503, again and again: an expression that asks how many more there are needs two scrapes that differ.
      await app.inject(delivery(message()))
      return query(expr)
    }, found => found?.result.length > 0)
    t.ok(answer?.result.length > 0, `${title}: ${expr}`)
    for (const { value: [, value] } of answer?.result ?? []) t.match(value, /\d/, 'a number')
  }

  const isPending = ({ name, state }: Record<string, string>): boolean => name === 'LetterboxRefuses' && state === 'pending'
  const { groups: [{ rules }] } = await until(() => ask(`${url}/api/v1/rules`), answer => answer?.groups[0].rules.some(isPending))
  t.ok(rules.some(isPending), 'deliveries are refused, not yet for long')
  t.strictSame(rules.map(({ name, health, lastError }: Record<string, string>) => ({ name, health, lastError })),
    alerts.map(({ alert }) => ({ name: alert, health: 'ok', lastError: undefined })), 'every rule was evaluated')
})
