import t from 'tap'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { loadConfig } from '../../src/config.ts'
import { SECRETS } from '../../src/secret-files.ts'
import { buildApp } from '../helper.ts'
import { alerts, DEPLOY, program, textOf, yamlOf } from './files.ts'
import { faults, type Manifest } from './manifests.ts'

const FOLDER = join(DEPLOY, 'kubernetes')
const ROOT = join(DEPLOY, '..')
const kubectl = program('kubectl') ?? ''
/** Before it said which kustomize it has, it had one that knows no components. */
const skip = kubectl !== '' && execFileSync(kubectl, ['version', '--client', '--output=json'], { encoding: 'utf8' }).includes('kustomizeVersion')
  ? false
  : 'there is no kubectl of today to put the manifests together'

const manifest = (path: string): Manifest => yamlOf(join('kubernetes', path))
const service = manifest('base/service.yaml')
const sqlite = manifest('sqlite/statefulset.yaml')
const postgres = manifest('postgres/deployment.yaml')
const budget = manifest('postgres/poddisruptionbudget.yaml')
const monitor = manifest('monitoring/servicemonitor.yaml')
const all = [service, sqlite, postgres, budget, monitor]
const workloads = [sqlite, postgres]

const podOf = ({ spec }: Manifest): any => spec.template.spec
const containerOf = (workload: Manifest): any => podOf(workload).containers[0]
const environmentOf = (workload: Manifest): Record<string, string> =>
  Object.fromEntries(containerOf(workload).env.map(({ name, value }: { name: string, value: string }) => [name, value]))

/** What the image sets, and the pod need not. */
const ofImage: Record<string, string> = Object.fromEntries([...readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^ENV (.*)$/gm)]
  .flatMap(([, line = '']) => line.split(' ').map(assignment => assignment.split('=', 2))))

t.test('Kubernetes takes every manifest', async t => {
  t.strictSame(faults(all), [])
  const broken = structuredClone([postgres, monitor])
  containerOf(broken[0] as Manifest).securityContext.readOnlyRootFileSystem = true
  ;(broken[0] as Manifest).spec.replicas = 'two'
  ;(broken[1] as Manifest).spec.endpoints[0].port = 8000
  const found = faults(broken).join('\n')
  for (const fault of ['readOnlyRootFileSystem', 'replicas must be integer', 'port must be string']) t.match(found, fault, 'and would not take another')
})

t.test('every file belongs to a kustomization, and every resource of one is there', async t => {
  const folders = readdirSync(FOLDER)
  for (const folder of folders) {
    const { resources, images = [] } = yamlOf(`kubernetes/${folder}/kustomization.yaml`)
    const own = resources.filter((resource: string) => !resource.startsWith('../'))
    t.strictSame([...own, 'kustomization.yaml'].toSorted(), readdirSync(join(FOLDER, folder)).toSorted(), folder)
    for (const other of resources.filter((resource: string) => resource.startsWith('../'))) t.ok(folders.includes(other.slice(3)), `${folder}: ${other}`)
    for (const { name } of images) t.equal(name, containerOf(sqlite).image)
  }
})

t.test('kustomize puts them together, with the monitor and without', { skip }, async t => {
  const folder = t.testdir()
  cpSync(FOLDER, folder, { recursive: true })
  const kinds = (path: string): string[] => parseAllDocuments(execFileSync(kubectl, ['kustomize', join(folder, path)], { encoding: 'utf8' }))
    .map(document => document.toJS().kind)
  t.strictSame(kinds('sqlite').toSorted(), ['Service', 'StatefulSet'])
  t.strictSame(kinds('postgres').toSorted(), ['Deployment', 'PodDisruptionBudget', 'Service'])
  mkdirSync(join(folder, 'own'))
  writeFileSync(join(folder, 'own', 'kustomization.yaml'), stringify({ resources: ['../sqlite'], components: ['../monitoring'] }))
  t.strictSame(kinds('own').toSorted(), ['Service', 'ServiceMonitor', 'StatefulSet'])
})

t.test('the two ways differ where they must, and nowhere else', async t => {
  const common = (workload: Manifest): unknown => {
    const { topologySpreadConstraints, ...pod } = structuredClone(podOf(workload))
    pod.containers[0].env = pod.containers[0].env.filter(({ name }: { name: string }) => !/^(?:DATABASE_URL(?:_FILE)?|SHUTDOWN_DELAY)$/.test(name))
    pod.containers[0].volumeMounts = pod.containers[0].volumeMounts.filter(({ name }: { name: string }) => name !== 'data')
    return pod
  }
  t.strictSame(common(sqlite), common(postgres))
  t.equal(sqlite.spec.replicas, 1, 'one process owns the file')
})

t.test('who selects by labels and ports finds what is meant', async t => {
  for (const workload of workloads) {
    const { labels } = workload.spec.template.metadata
    t.match(labels, workload.spec.selector.matchLabels)
    t.match(labels, service.spec.selector)
    t.match(labels, budget.spec.selector.matchLabels)
    for (const { labelSelector } of podOf(workload).topologySpreadConstraints ?? []) t.match(labels, labelSelector.matchLabels)
    const ports = containerOf(workload).ports.map(({ name }: { name: string }) => name)
    for (const { targetPort } of service.spec.ports) t.ok(ports.includes(targetPort))
    t.match(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'), new RegExp(`^ENV .* PORT=${containerOf(workload).ports[0].containerPort}$`, 'm'))
  }
  t.equal(sqlite.spec.serviceName, service.metadata.name)
  t.match((service.metadata as Record<string, unknown>)['labels'], monitor.spec.selector.matchLabels)
  for (const { port } of monitor.spec.endpoints) t.ok(service.spec.ports.some(({ name }: { name: string }) => name === port))
  t.equal(service.metadata.name, yamlOf('prometheus/prometheus.yml').scrape_configs[0].job_name, 'the job that rules and dashboard ask for')
})

t.test('probes and scrapes go to routes that there are', async t => {
  const { app } = await buildApp(t)
  const paths = [...monitor.spec.endpoints, ...workloads.flatMap(workload =>
    ['startupProbe', 'livenessProbe', 'readinessProbe'].map(probe => containerOf(workload)[probe].httpGet))].map(({ path }) => path)
  for (const path of paths) t.equal((await app.inject(path)).statusCode, 200, path)
})

t.test('every variable is one that Letterbox knows, and every secret a file', async t => {
  for (const workload of workloads) {
    const environment = environmentOf(workload)
    const secrets = containerOf(workload).volumeMounts.find(({ name }: { name: string }) => name === 'secrets').mountPath
    const docs = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8')
    for (const [name, value] of Object.entries(environment)) {
      t.throws(() => loadConfig({ [name]: '/none' }), { message: new RegExp(`^${name} must be`) }, name)
      if (!name.endsWith('_FILE')) continue
      t.ok(value.startsWith(`${secrets}/`), `${name} is in the secret`)
      t.match(docs, `--from-file=${value.slice(secrets.length + 1)}=`, 'which is made with it')
    }
    const folder = t.testdir({ 'webhook-secret': 'secret', 'api-keys': 'grafana:0123456789abcdef', 'database-url': 'postgres://h/db' })
    const config = loadConfig({ ...ofImage, ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.replace(secrets, folder)])) })
    t.match(config, { webhookSecrets: ['secret'], databaseUrl: workload === sqlite ? 'sqlite:////data/app.db' : 'postgres://h/db' })
    const [, shutdown = ''] = /^const SHUTDOWN_TIMEOUT = (\d+)$/m.exec(readFileSync(join(ROOT, 'server.ts'), 'utf8')) ?? []
    t.ok(podOf(workload).terminationGracePeriodSeconds * 1000 > config.shutdownDelay + Number(shutdown), 'a shutdown has the time that it may take')
  }
})

t.test('the image leaves it to whoever runs it whether a secret is a variable or a file', async t => {
  t.match(ofImage, { NODE_ENV: 'production', HOST: '0.0.0.0' })
  t.strictSame(SECRETS.filter(name => name in ofImage), [])
  // So the volume is where the default leads to, from the folder that the service runs in.
  t.equal(loadConfig(ofImage).databaseUrl, 'sqlite:///data/app.db')
  t.match(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'), /^WORKDIR \/app$[^]*^RUN ln -s \/data data$[^]*^VOLUME \/data$/m)
})

t.test('a pod may have the memory of which the alert tells', async t => {
  const { expr = '' } = alerts.find(({ alert }) => alert === 'LetterboxMemory') ?? {}
  const [, alarming] = /> (\d+) \* 1024 \* 1024$/.exec(expr) ?? []
  for (const workload of workloads) {
    const [, limit] = /^(\d+)Mi$/.exec(containerOf(workload).resources.limits.memory) ?? []
    t.ok(Number(limit) >= 1.5 * Number(alarming), `${limit} MiB, and the alert comes at ${alarming}`)
  }
})

t.test('no pod may do what Letterbox need not', async t => {
  for (const workload of workloads) {
    t.match(podOf(workload), {
      automountServiceAccountToken: false, enableServiceLinks: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
    })
    t.match(containerOf(workload), {
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      resources: { requests: { memory: String }, limits: { memory: String } }
    })
  }
})

t.test('the alert rules become a PrometheusRule as docs/operations.md says', async t => {
  const spec = yamlOf('prometheus/rules.yml')
  t.strictSame(faults([{ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'letterbox' }, spec }]), [])
  const command = /^\(printf '(.*)'; sed 's\/\^\/( {2})\/' deploy\/prometheus\/rules.yml\) \| kubectl apply/m.exec(readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8'))
  const [, head = '', indent = ''] = command ?? []
  const [made] = parseAllDocuments(head.replaceAll('\\n', '\n') + textOf('prometheus/rules.yml').replace(/^/gm, indent)).map(document => document.toJS())
  t.strictSame(made, { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'letterbox' }, spec })
})
