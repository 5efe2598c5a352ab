/**
 * Whatever the documents tell you to type runs, and prints what they say, as far as it can be run here: in the order of each document, in
 * a folder that looks like the project and has no data yet, against a service as it comes.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { readDocuments, ROOT, type Document } from './documents.ts'
import { message, PROVIDERS, SECRET } from './helper.ts'
import { deliverTo, serve, type Env, type Service } from './process.ts'

interface Command {
  readonly line: string
  /** What the document says that it prints, where it says so. */
  readonly prints: readonly string[]
}

/**
 * What is run: questions to the service, its own scripts, and what shells do by themselves. Of anything else, which would install, serve, take minutes, or
 * change the machine of whoever runs the tests, the syntax is checked, and test/docs.test.ts looks for scripts and targets by their names.
 */
const RUN = /^(?:curl .*localhost:8000|npm run (?:--silent )?(?:send|backup|export|copy-store)\b|[a-z]+=|[A-Z_]+=\$\(|API_KEYS=.* npm start\b|export )/
/** What starts a service with keys, which then holds the terminal. */
const START = /^(API_KEYS=.*) npm start\b.*\n/m
const isRun = (line: string): boolean => RUN.test(line) && !/\b(?:sudo|docker|kubectl)\b/.test(line)

/** A script with what it names as it is here; whoever sends the key asks the service that wants one. */
function here (script: string, port: number, portWithKeys: number): string {
  return script.split('\n').map(line => line
    .replaceAll('localhost:8000', `localhost:${line.includes('$KEY') ? portWithKeys : port}`)
    .replaceAll('postgres://letterbox@db/letterbox', 'sqlite:///copy.db')
    // head ends before curl has written everything, which counts as a failure.
    .replace(/\| head$/, '| cat')
  ).join('\n')
}

/** Blocks of sh are one script each, blocks of console one a `$`, and a command in the middle of a sentence stands alone. */
function scriptsOf ({ blocks, code }: Document): Command[][] {
  const inSentences = code.filter(each => /^(?:curl -|npm run (?:--silent )?(?:send|export) -- )/.test(each) && !/[…<]|\b[A-Z]{4,}\b/.test(each))
  return [
    ...blocks.flatMap(({ language, text }) => {
      const whole = text.replaceAll('\\\n', '').trimEnd()
      if (language === 'sh') return [whole.split('\n').map(line => ({ line: line.trim(), prints: [] }))]
      if (language !== 'console') return []
      return whole.split(/^\$ /m).slice(1).map(each => {
        const [line = '', ...prints] = each.trimEnd().split('\n')
        return [{ line, prints }]
      })
    }),
    ...inSentences.map(line => [{ line, prints: [] }])
  ]
}

const textOf = (script: readonly Command[]): string => script.map(({ line }) => line).join('\n')

/** Whether a line is one of the document's: every … stands for anything, and every number for any other. */
function isLike (line: string, documented: string): boolean {
  const escaped = documented.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*').replace(/\d+(?:\\\.\d+)?/g, '\\d+(?:\\.\\d+)?')
  return new RegExp(`^${escaped}$`).test(line)
}

async function bash (cwd: string, env: Env, ...args: string[]): Promise<{ code: number, stdout: string, stderr: string }> {
  const child = spawn('bash', args, { cwd, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

/** Runs scripts in a folder with everything of the project but data, beside a service with so many messages. The secret is in .env, as `make run` leaves it. */
async function newcomer (t: Test, cwd: string, messages: number): Promise<(script: string) => ReturnType<typeof bash>> {
  for (const entry of readdirSync(ROOT)) if (!/^(?:\.env|\.git|\.tap|data|test)$/.test(entry)) symlinkSync(join(ROOT, entry), join(cwd, entry))
  writeFileSync(join(cwd, '.env'), `WEBHOOK_SECRET=${SECRET}\n`)
  // An answer of 400 and above is a failure.
  writeFileSync(join(cwd, '.curlrc'), 'fail\nmax-time = 20\n')
  const service = await serve(t, cwd, PROVIDERS)
  for (let number = 1; number <= messages; number++) await deliverTo(service.url, message({ message_id: `m${number}` }))
  const { position } = await (await fetch(`${service.url}/feed?limit=1`)).json() as { position: string }
  const env: Record<string, string> = { ...PROVIDERS, POSITION: position, HOME: cwd, CURL_HOME: cwd, PORT: String(service.port), NODE_COMPILE_CACHE: join(cwd, 'cache') }
  let keyed: Service | undefined
  const type = async (script: string): ReturnType<typeof bash> => bash(cwd, env, '-euo', 'pipefail', '-c', here(script, service.port, keyed?.port ?? 0))
  return async script => {
    const [before = '', start, after = ''] = script.split(START)
    if (start === undefined) return type(script)
    const started = await type(`${before}${start} printenv API_KEYS`)
    if (started.code !== 0) return started
    // On the same data. What the first terminal showed is all that the other one has.
    const shown = started.stdout.trimEnd().split('\n')
    keyed = await serve(t, cwd, { ...PROVIDERS, API_KEYS: shown.at(-1) ?? '' })
    env['KEY'] = shown[0] ?? ''
    return type(after)
  }
}

const folder = t.testdir({ empty: {}, filled: {} })
// What the README expects of a machine, and some images do without.
const skip = ['bash', 'curl', 'openssl', 'npm'].some(command => spawnSync(command, ['--version']).error !== undefined) && 'there is no bash, curl, openssl or npm'
// Who reads the README begins with nothing.
const [first, later] = await Promise.all([newcomer(t, join(folder, 'empty'), 0), newcomer(t, join(folder, 'filled'), 3)])

// The changelog tells of versions that were.
for (const document of readDocuments().filter(({ path }) => path !== 'CHANGELOG.md')) {
  const scripts = scriptsOf(document)
  if (scripts.length === 0) continue

  t.test(document.path, { skip }, async t => {
    for (const script of scripts) {
      const { code, stderr } = await bash(ROOT, {}, '-nc', textOf(script))
      t.equal(code, 0, `bash reads ${textOf(script)}`, { stderr })
      for (const { line } of script) if (!isRun(line)) t.comment(`not run: ${line}`)
    }

    for (const script of scripts.map(script => script.filter(({ line }) => isRun(line))).filter(script => script.length > 0)) {
      const { code, stdout, stderr } = await (document.path === 'README.md' ? first : later)(textOf(script))
      t.equal(code, 0, textOf(script), { stdout, stderr })

      const [{ prints } = { prints: [] }] = script
      if (prints.length === 0) continue
      const printed = stdout.trimEnd().split('\n')
      for (const line of printed) t.ok(prints.some(each => isLike(line, each)), `the document has: ${line}`)
      t.ok(isLike(printed.at(-1) ?? '', prints.at(-1) ?? ''), `it ends as in the document: ${printed.at(-1)}`)
    }
  })
}
