import t from 'tap'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import { DEPLOY, program, textOf } from './files.ts'

const ROOT = join(DEPLOY, '..')
const UNIT = textOf('systemd/letterbox.service')
const analyze = program('systemd-analyze') ?? ''
const skip = analyze === '' && 'there is no systemd-analyze'

/** Every value of a setting. */
const settings = (name: string): string[] => [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

t.test('systemd takes the unit, and calls it hardened', { skip }, async t => {
  // Where this machine has Node.js, and the project.
  const unit = UNIT.replace('/usr/bin/node', process.execPath).replace('/opt/letterbox', ROOT)
  const file = join(t.testdir({ 'letterbox.service': unit, 'broken.service': unit.replace('DynamicUser', 'DynamikUser') }), 'letterbox.service')
  const verify = (path: string): string => execFileSync('/bin/sh', ['-c', '"$0" verify "$1" 2>&1', analyze, path], { encoding: 'utf8' })
  t.equal(verify(file), '')
  t.match(verify(file.replace('letterbox.service', 'broken.service')), /DynamikUser/, 'it would have said so')
  // Of 10, and what is left is for the network, and for code that is compiled while it runs.
  const { overall } = JSON.parse(`{"overall":${/exposure level for \S+ ([\d.]+)/.exec(execFileSync(analyze, ['security', '--offline=true', '--no-pager', file], { encoding: 'utf8' }))?.[1]}}`)
  t.ok(overall <= 2, `exposure ${overall}`)
})

t.test('it starts what npm start starts, but for the file .env', async t => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.strictSame(settings('ExecStart'), [`/usr/bin/${scripts.start.replace(' --import ./scripts/load-env.ts', '')}`])
  for (const [file = ''] of String(scripts.start).matchAll(/[\w./-]+\.[jt]s/g)) t.ok(existsSync(join(ROOT, file)), file)
})

t.test('its variables are known, its secret is a credential, and a shutdown has the time that it may take', async t => {
  const credentials = t.testdir({ 'webhook-secret': 'secret\n' })
  for (const credential of settings('LoadCredential')) t.match(credential, /^webhook-secret:\/etc\/letterbox\//)
  const environment = Object.fromEntries(settings('Environment').map(assignment => assignment.split('=', 2))
    .map(([name = '', value = '']) => [name, value.replace('%d', credentials).replace('%S', '/var/lib')]))
  const config = loadConfig(environment)
  t.match(config, { webhookSecrets: ['secret'], databaseUrl: 'sqlite:////var/lib/letterbox/app.db' })
  t.strictSame(settings('StateDirectory'), ['letterbox'])
  const [, shutdown = ''] = /^const SHUTDOWN_TIMEOUT = (\d+)$/m.exec(readFileSync(join(ROOT, 'server.ts'), 'utf8')) ?? []
  t.ok(Number(settings('TimeoutStopSec')[0]) * 1000 > config.shutdownDelay + Number(shutdown))
  t.ok(Number(settings('LimitNOFILE')[0]) > config.maxConnections + 500, 'as many files as connections, and those of the database')
})
