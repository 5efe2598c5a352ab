/** Whatever the documents name is there: other documents, files, scripts, targets, variables and metrics. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { SECRETS } from '../src/secret-files.ts'
import { Environment } from '../src/environment.ts'
import { codeIn, readDocuments, ROOT, tableOf, type Document } from './documents.ts'
import { buildApp, delivery, message, PROVIDERS } from './helper.ts'

const documents = readDocuments()
const byPath = new Map(documents.map(document => [document.path, document]))
const README = byPath.get('README.md') as Document

/** Every document with what `find` finds in it. */
function * named<Found> (find: (document: Document) => Iterable<Found>): Generator<[string, Found]> {
  for (const document of documents) for (const found of find(document)) yield [document.path, found]
}

/** Where a link leads, from the root of the project. Undefined: out of it, to another host. */
function targetOf (path: string, link: string): { file: string, anchor: string | undefined } | undefined {
  if (/^[a-z]+:/i.test(link)) return undefined
  const [to = '', anchor] = link.split('#')
  return { file: to === '' ? path : relative(ROOT, join(ROOT, dirname(path), to)), anchor }
}

t.test('every link leads to a file, or a heading, of the project', async t => {
  let count = 0
  for (const [path, link] of named(({ links }) => links)) {
    const target = targetOf(path, link)
    if (target === undefined) continue
    count++
    t.ok(!target.file.startsWith('..') && existsSync(join(ROOT, target.file)), `${path}: ${link}`)
    if (target.anchor !== undefined) t.ok(byPath.get(target.file)?.anchors.has(target.anchor), `${path}: ${link}`)
  }
  t.ok(count > 40, `${count} links`)
})

t.test('every document is reached from the README', async t => {
  const reached = new Set([README.path])
  for (const path of reached) {
    for (const link of byPath.get(path)?.links ?? []) {
      const target = targetOf(path, link)?.file
      if (target !== undefined && byPath.has(target)) reached.add(target)
    }
  }
  t.strictSame([...reached].sort(), [...byPath.keys()])
})

t.test('every file and folder that is named is there', async t => {
  const folders = 'bench|console|deploy|docs|faults|plugins|routes|scripts|src|test|\\.ci|\\.vscode'
  const files = globSync(['*', '.*', `{${folders.replaceAll('|', ',').replaceAll('\\', '')}}/**/*`], { cwd: ROOT }).map(file => `/${file}`)
  // With its folder or, where that has been told, without; * is any part of a name. NAME and NNN stand for what you choose.
  const like = new RegExp(`^(?:(?:${folders})/[\\w./*-]*|[\\w*-][\\w./*-]*\\.(?:cfg|css|html|js|json|md|sql|ts|ya?ml))$`)
  let count = 0
  for (const [path, name] of named(({ code }) => code)) {
    if (!like.test(name) || /NAME|NNN/.test(name)) continue
    count++
    const end = new RegExp(`/${name.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
    t.ok(files.some(file => end.test(file)), `${path}: ${name}`)
  }
  t.ok(count > 100, `${count} names`)
})

t.test('every script of npm and target of make that is named is there', async t => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  const targets = new Set([...readFileSync(join(ROOT, 'Makefile'), 'utf8').matchAll(/^([\w-]+):/gm)].map(([, target]) => target))
  const commands = ({ code, blocks }: Document): string[] =>
    [...code, ...blocks.filter(({ language }) => ['sh', 'console'].includes(language)).flatMap(({ text }) => text.split('\n'))]
  const { tasks } = JSON.parse(readFileSync(join(ROOT, '.vscode', 'tasks.json'), 'utf8')) as { tasks: { label: string, script?: string }[] }
  for (const { label, script } of tasks) t.ok(script === undefined || script in scripts, `.vscode/tasks.json: ${label}`)
  for (const [path, line] of named(commands)) {
    for (const [, script = ''] of line.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)) t.ok(script in scripts, `${path}: npm run ${script}`)
    for (const [, target = ''] of line.matchAll(/(?:^|or: |&& )make ([\w-]+)/g)) t.ok(targets.has(target), `${path}: make ${target}`)
  }
})

t.test('every endpoint of the API is in a table of the README, and no other', async t => {
  const { app } = await buildApp(t, PROVIDERS)
  const { paths } = (await app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, unknown>> }>()
  const there = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).filter(key => key !== 'parameters').map(method => `${method.toUpperCase()} ${path}`))
  const cells = README.tables.flatMap(rows => rows.map(([cell = '']) => cell))
  const told = cells.flatMap(cell => codeIn(cell).flatMap(code => /^(?:GET|POST|PUT|PATCH|DELETE) \/[^?]*/.exec(code) ?? []))
  // The handshake stands beside the deliveries that it is for, and the document documents itself.
  t.strictSame([...new Set([...told, 'GET /webhook/whatsapp', 'GET /openapi.json'])].sort(), there.sort())
})

t.test("the README's table has every variable of the service with its default, and no other", async t => {
  const rows = tableOf(README, 'variable').flatMap(([names = '', defaults = '']) =>
    // Of several, the defaults stand in the same order; what is in brackets holds elsewhere.
    codeIn(names).map((name, place): [string, string | undefined] => [name, codeIn(defaults.replace(/\(.*?\)/g, ''))[place]]))
  const known = Object.entries(Environment.properties).map(([name, schema]): [string, string | undefined] =>
    [name, schema.default === undefined || schema.default === '' ? undefined : String(schema.default)])
  t.strictSame(Object.fromEntries(rows.sort()), Object.fromEntries(known.sort()))
  t.equal(rows.length, known.length, 'each once')
})

t.test('the README names every variable that may come from a file', async t => {
  const [sentence = ''] = /Each of [^]*?may come from a file/.exec(readFileSync(join(ROOT, README.path), 'utf8')) ?? []
  t.strictSame(codeIn(sentence).sort(), [...SECRETS].sort())
})

t.test('both compose files hand on every variable that is documented, but for HOST and PORT, which are fixed in a container', async t => {
  // `OTEL_…_HEADERS`, `_TIMEOUT` stands for two that begin alike.
  const table = tableOf(byPath.get('docs/operations.md') as Document, 'variable')
  const tracing = table.flatMap(([names = '']) => {
    const [first = '', ...more] = codeIn(names)
    return [first, ...more.map(name => name.startsWith('_') ? first.replace(/_[A-Z]+$/, name) : name)]
  })
  const wanted = new Set([...Object.keys(Environment.properties).filter(name => !['HOST', 'PORT'].includes(name)), ...tracing])
  t.ok(tracing.includes('OTEL_EXPORTER_OTLP_TIMEOUT') && tracing.includes('OTEL_SERVICE_NAME'))
  for (const file of ['compose.yaml', 'compose.scale.yaml']) {
    const { services } = parse(readFileSync(join(ROOT, file), 'utf8')) as { services: { api: { environment: Record<string, unknown> } } }
    const { environment } = services.api
    // libpq's own name: the password is not in the URL.
    t.strictSame(Object.keys(environment).filter(name => name !== 'PGPASSWORD').sort(), [...wanted].sort(), file)
    for (const [name, value] of Object.entries(environment)) {
      // What is no reference is fixed there; what is one has the same name, or it would be another variable's.
      if (String(value).startsWith('${') && name !== 'PGPASSWORD') t.match(value, new RegExp(`^\\$\\{${name}:[-?].*\\}$`), `${file}: ${name}`)
    }
  }
})

t.test('every metric that is named is in /metrics with these labels, and the README names all of the service', async t => {
  const { app } = await buildApp(t, PROVIDERS)
  await app.inject(delivery(message()))
  await app.inject('/stats')
  const { body } = await app.inject('/metrics')
  const families = [...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name)

  // `name{label,label="value"}`, and without labels whatever is in a column of metrics or ends as a counter does.
  const inTables = (document: Document): string[] => document.tables.filter(([head]) => head?.[0] === 'metric').flatMap(rows => rows.slice(1).flatMap(([cell = '']) => codeIn(cell)))
  let count = 0
  for (const [path, code] of named(document => [...inTables(document), ...document.code.filter(each => /^\w+(?:_total$|\{)/.test(each))])) {
    const [, name, labels = ''] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(code) ?? []
    if (name === undefined) continue
    count++
    const samples = body.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    t.ok(families.includes(name), `${path}: ${name}`)
    for (const label of labels.split(',').filter(Boolean)) {
      t.ok(samples.some(sample => sample.includes(label.includes('=') ? label : `${label}="`)), `${path}: ${code}`)
    }
  }
  t.ok(count > 30, `${count} metrics`)
  const own = families.filter(name => !/^(?:process|nodejs)_|^http_request_(?:duration|summary)_seconds$/.test(name))
  t.strictSame([...new Set(inTables(README).map(code => code.replace(/\{.*/, '')))].sort(), own.sort())
})
