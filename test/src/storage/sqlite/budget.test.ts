import t from 'tap'
import { now } from '../../../../src/clock.ts'
import { Budget, ReadAbandoned } from '../../../../src/storage/sqlite/budget.ts'

t.test('a read may go on until its deadline', async t => {
  const cancelled = new Int32Array(1)
  t.doesNotThrow(() => new Budget(now() + 60_000, cancelled).check())
  t.throws(() => new Budget(now() - 1, cancelled).check(), new ReadAbandoned('the read took too long'))
})

t.test('a read that nobody waits for goes no further', async t => {
  const cancelled = new Int32Array(1)
  const budget = new Budget(now() + 60_000, cancelled)
  budget.check()
  cancelled[0] = 1
  t.throws(() => budget.check(), new ReadAbandoned('nobody waits for the answer'))
})
