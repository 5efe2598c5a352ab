import t from 'tap'
import { insist, reasonOf } from '../../../src/storage/insist.ts'
import { StoreUnavailable, StoreUnusable } from '../../../src/storage/errors.ts'

class Busy extends StoreUnavailable {
  override readonly retryAfter: number

  constructor (seconds: number) {
    super('busy', { cause: new Error('the disk is full') })
    this.retryAfter = seconds
  }
}

const never = new AbortController().signal

t.test('a store that is unavailable is asked again after the pause that it asks for', async t => {
  let asked = 0
  const begun = performance.now()
  const answer = await insist('the store', async () => {
    if (++asked < 3) throw new Busy(0.05)
    return 'answer'
  }, { seconds: 60, signal: never })
  t.equal(answer, 'answer')
  t.equal(asked, 3)
  t.ok(performance.now() - begun >= 95, 'two pauses')
})

t.test('it is asked once when there is no patience, and the reason is told', async t => {
  let asked = 0
  await t.rejects(insist('the store', async () => {
    asked++
    throw new Busy(60)
  }, { seconds: 0, signal: never }), new Error('the store was unavailable for 0 s: the disk is full'))
  t.equal(asked, 1)
})

t.test('patience has an end', async t => {
  let asked = 0
  await t.rejects(insist('the store', async () => {
    asked++
    throw new Busy(0.01)
  }, { seconds: 0.05, signal: never }), { message: 'the store was unavailable for 0.05 s: the disk is full' })
  t.ok(asked > 1)
})

t.test('what waiting does not help is passed on at once', async t => {
  const error = new TypeError('no such thing')
  await t.rejects(insist('the store', async () => { throw error }, { seconds: 60, signal: never }), error)
})

t.test('a signal ends the pause, and the store is asked for the last time', async t => {
  for (const recovers of [true, false]) {
    const stop = new AbortController()
    let asked = 0
    const insisted = insist('the store', async () => {
      if (++asked === 1) setImmediate(() => stop.abort())
      if (asked === 1 || !recovers) throw new Busy(60)
      return 'answer'
    }, { seconds: 60, signal: stop.signal })
    if (recovers) t.equal(await insisted, 'answer')
    else await t.rejects(insisted, { message: /the disk is full/ })
    t.equal(asked, 2)
  }
})

t.test('the reason is what went wrong beneath the store', t => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })
  const timeout = new Error('connection timeout', { cause: new Error('terminated') })
  for (const [error, reason] of [
    [refused, refused.message],
    [new StoreUnavailable('not ready', { cause: new StoreUnavailable('', { cause: refused }) }), refused.message],
    [new StoreUnusable('cannot be used', { cause: timeout }), 'connection timeout'],
    [new StoreUnavailable('the store is closed'), 'the store is closed'],
    [new StoreUnavailable('', { cause: Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' }) }), 'ECONNREFUSED']
  ] as const) t.equal(reasonOf(error), reason)
  t.end()
})
