/** What somebody does who tries the service for the first time, from outside, with nothing but its address and its secret. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sign } from '../../src/signature/hmac.ts'

export type Body = Record<string, unknown>
export interface Answer { readonly status: number, readonly headers: Headers, readonly text: string, readonly body: Body }

export async function ask (url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) as Body : {} }
}

export function deliver (url: string, message: unknown, secret: string): Promise<Answer> {
  const body = JSON.stringify(message)
  return ask(`${url}/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-signature': sign(Buffer.from(body), secret) },
    body
  })
}

/** A message of its own sender, so that what others sent does not matter. */
export function message (from: string, fields: Body = {}): Body {
  return { message_id: randomUUID(), from, to: '+14155550100', ts: '2025-01-15T10:00:00Z', text: 'Hello', ...fields }
}

/** @throws AssertionError for whatever is not as promised */
export async function session (url: string, secret: string): Promise<void> {
  const from = `+${Math.floor(1e11 + Math.random() * 9e11)}`
  const list = (query = ''): Promise<Answer> => ask(`${url}/messages?from=${encodeURIComponent(from)}${query}`)

  for (const path of ['/health/live', '/health/ready', '/docs/', '/']) assert.equal((await ask(url + path)).status, 200, path)
  const before = Number((await ask(`${url}/stats`)).body['total_messages'])

  const first = message(from, { ts: '2025-01-15T09:00:00Z', text: 'Grüße <b>aus</b> Köln' })
  for (const time of ['first', 'second']) {
    const { status, body } = await deliver(url, first, secret)
    assert.deepEqual([status, body], [200, { status: 'ok' }], `the ${time} delivery`)
  }
  const second = message(from, { text: null })
  assert.equal((await deliver(url, second, secret)).status, 200)
  assert.equal((await deliver(url, message(from), 'another secret')).status, 401)
  assert.equal((await deliver(url, message(from, { ts: 'yesterday' }), secret)).status, 422)

  assert.deepEqual((await list()).body, { data: [first, second], total: 2, limit: 50, offset: 0 })
  assert.deepEqual((await list('&limit=1&offset=1')).body, { data: [second], total: 2, limit: 1, offset: 1 })
  assert.deepEqual((await list('&since=2025-01-15T09:30:00Z')).body['data'], [second])
  assert.deepEqual((await list(`&q=${encodeURIComponent('GRÜSSE'.replace('SS', 'ß'))}`)).body['data'], [first])
  const next = /<([^>]+)>; rel="next"/.exec((await list('&limit=1')).headers.get('link') ?? '')?.[1]
  assert.deepEqual((await ask(url + String(next))).body['data'], [second], 'the page that Link leads to')
  assert.equal((await ask(`${url}/messages?limit=101`)).status, 422)
  assert.equal((await ask(`${url}/messages/${first['message_id']}`)).body['text'], first['text'])

  assert.equal((await ask(`${url}/stats`)).body['total_messages'], before + 2)
  // Behind a balancer, those of one of the processes.
  assert.match((await ask(`${url}/metrics`)).text, /^webhook_requests_total\{result="created"\} \d/m)
  assert.equal((await ask(`${url}/openapi.json`)).body['openapi'], '3.1.0')
}
