import t from 'tap'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApp, get } from '../helper.ts'
import { DEPLOY, program, textOf } from './files.ts'

const FILE = 'haproxy/haproxy.cfg'
const haproxy = program('haproxy') ?? ''

/** How long HAProxy waits for a server's next byte, in s: of requests in general, and of those of a condition. */
const patience = (condition?: RegExp): number => {
  const lines = textOf(FILE).split('\n').map(line => line.trim())
  const found = lines.find(line => condition === undefined ? line.startsWith('timeout server ') : line.startsWith('http-request set-timeout server ') && condition.test(line))
  const [, time, unit] = / server (\d+)(s|m)\b/.exec(found ?? '') ?? []
  return Number(time) * (unit === 'm' ? 60 : 1)
}

interface Document { paths: Record<string, Record<string, { parameters?: { name: string, schema: { maximum: number } }[] }>> }

t.test('HAProxy takes the file', { skip: haproxy === '' && 'there is no haproxy' }, async t => {
  t.match(execFileSync(haproxy, ['-c', '-f', join(DEPLOY, FILE)], { encoding: 'utf8' }), 'valid')
})

t.test('it waits for as long as Letterbox may be silent', async t => {
  const { app } = await buildApp(t, { API_KEYS: 'clerk:0123456789abcdef' })
  const { paths } = (await get<Document>(app, '/openapi.json')).body
  const wait = paths['/feed']?.['get']?.parameters?.find(({ name }) => name === 'wait')?.schema.maximum ?? Infinity
  const [, heartbeat] = /^const HEARTBEAT = ([\d_]+)$/m.exec(readFileSync(join(DEPLOY, '..', 'src', 'feed', 'feed.ts'), 'utf8')) ?? []
  t.ok(patience(/\{ path [^}]*\/feed\b/) > wait + patience(), 'a page of the feed waits, and is then read')
  t.ok(patience(/\{ path [^}]*\/feed\b/) > Number(heartbeat?.replaceAll('_', '')) / 1000 + patience(), 'a stream says something now and then')
  t.ok(patience(/\{ path [^}]*\/export\b/) > patience())
  t.ok(patience(/\bif METH_DELETE$/) >= 600, 'many messages are deleted in minutes')
  // What is sent again is a GET that is soon answered, or a delivery.
  const [, unrepeated = ''] = /^ *http-request disable-l7-retry if (.*)$/m.exec(textOf(FILE)) ?? []
  for (const path of ['/feed', '/export']) t.match(unrepeated, new RegExp(`\\{ path [^}]*${path}\\b[^}]*\\}`))
  const others = Object.entries(paths).flatMap(([path, methods]) =>
    ['post', 'put', 'patch', 'delete'].filter(method => method in methods && !(method === 'post' && path.startsWith('/webhook'))))
  t.ok(others.length >= 2)
  for (const method of others) t.match(unrepeated, `METH_${method.toUpperCase()}`)
})
