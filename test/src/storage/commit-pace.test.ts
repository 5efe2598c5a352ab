import t from 'tap'
import { CommitPace } from '../../../src/storage/commit-pace.ts'

t.test('nothing is known before the first commit of many', async t => {
  const pace = new CommitPace()
  t.equal(pace.timeFor(100_000), 0)
  pace.committed(1, 10)
  t.equal(pace.timeFor(100_000), 0, 'one save says nothing of many')
})

t.test('the time for saves is what commits took, a save', async t => {
  const pace = new CommitPace()
  pace.committed(100, 0.1)
  t.equal(pace.timeFor(500), 500)
  t.equal(pace.timeFor(63), 0, 'few are stored soon')
})

t.test('it learns from what commits took of late, and a slow one does not count for all', async t => {
  const pace = new CommitPace()
  let now = 0
  const commit = (seconds: number): void => { pace.committed(100, seconds, now += 10_000) }
  commit(0.1)
  commit(0.6)
  t.equal(pace.timeFor(1000), 3500)
  for (let count = 0; count < 10; count++) commit(0.5)
  t.ok(pace.timeFor(1000) > 4900)
  for (let count = 0; count < 60; count++) commit(0.1)
  t.ok(pace.timeFor(1000) < 1100)
})

t.test('commits of few say nothing, however slow', async t => {
  const pace = new CommitPace()
  pace.committed(100, 0.1)
  for (let count = 0; count < 10; count++) pace.committed(3, 1)
  t.equal(pace.timeFor(1000), 1000)
})

t.test('commits that end at the same moment were under way at once', async t => {
  const pace = new CommitPace()
  for (let now = 0; now < 5000; now += 150) for (let count = 0; count < 3; count++) pace.committed(20, 0.15, now)
  t.equal(Math.round(pace.timeFor(1000)), 2500)
})

t.test('commits that are under way at once share the time', async t => {
  const pace = new CommitPace()
  for (let now = 0; now < 5000; now += 50) pace.committed(100, 0.1, now)
  t.equal(Math.round(pace.timeFor(1000)), 500)
})
