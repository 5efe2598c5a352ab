import t from 'tap'
import { MonotonicStore, type Counted } from '../../plugins/rate-limit-store.ts'

const MINUTE = 60_000

function incr (store: MonotonicStore, key: string, length = MINUTE): Counted {
  return answered(done => store.incr(key, done, length))
}

function answered (ask: (done: (error: Error | null, result: Counted) => void) => void): Counted {
  let answer: Counted | undefined
  ask((_error, result) => { answer = result })
  if (answer === undefined) throw new Error('no answer')
  return answer
}

t.test('each key is counted within its window', async t => {
  const store = new MonotonicStore()
  t.strictSame([incr(store, 'a'), incr(store, 'a'), incr(store, 'b')].map(({ current }) => current), [1, 2, 1])
  const { current, ttl } = incr(store, 'a')
  t.equal(current, 3)
  t.ok(ttl > 0 && ttl <= MINUTE)
})

t.test('a window that is over counts from one again', async t => {
  const store = new MonotonicStore()
  incr(store, 'a')
  incr(store, 'a')
  t.equal(incr(store, 'a', 0).current, 1)
  t.equal(incr(store, 'a').current, 2)
})

t.test('the time of day may be set', async t => {
  const store = new MonotonicStore()
  incr(store, 'a')
  const { now } = Date
  t.teardown(() => { Date.now = now })
  for (const moved of [-3_600_000, 3_600_000]) {
    Date.now = () => now() + moved
    const { current, ttl } = incr(store, 'a')
    t.equal(current, moved < 0 ? 2 : 3)
    t.ok(ttl > 0 && ttl <= MINUTE)
  }
})

t.test('what is given back was not counted', async t => {
  const store = new MonotonicStore()
  store.giveBack('a')
  incr(store, 'a')
  incr(store, 'a')
  store.giveBack('a')
  store.giveBack('unknown')
  t.equal(incr(store, 'a').current, 2)
  t.equal(incr(store, 'unknown').current, 1)
})

t.test('memory is bounded: of ten thousand keys and one, the one not seen for the longest is forgotten', async t => {
  const store = new MonotonicStore()
  for (let n = 0; n < 10_000; n++) incr(store, `k${n}`)
  incr(store, 'k0')
  incr(store, 'new')
  t.equal(incr(store, 'k2').current, 2)
  t.equal(incr(store, 'k0').current, 3)
  t.equal(incr(store, 'new').current, 2)
  t.equal(incr(store, 'k1').current, 1)
})

t.test('a child counts for itself', async t => {
  const store = new MonotonicStore()
  incr(store, 'a')
  t.equal(incr(store.child(), 'a').current, 1)
})
