import t from 'tap'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { now } from '../../src/clock.ts'
import { LoopTurns } from '../../src/loop-turns.ts'

/** Keeps the event loop from anything else. */
function block (milliseconds: number): void {
  for (const until = now() + milliseconds; now() < until;);
}

t.test('a loop that waited heard at once', async t => {
  const turns = new LoopTurns()
  turns.watch()
  t.teardown(() => turns.unwatch())
  await turn()
  const timer = delay(100)
  const begun = now()
  await timer
  const { heardSince } = turns
  t.ok(heardSince > begun + 50, 'not when it began to wait')
  t.ok(heardSince <= now())
})

t.test('a busy loop may have heard of it since it asked the time before last', async t => {
  const turns = new LoopTurns()
  turns.watch()
  t.teardown(() => turns.unwatch())
  await turn()
  const moments: number[] = []
  for (let count = 0; count < 3; count++) {
    moments.push(now())
    block(40)
    await turn()
  }
  const [, second = 0, third = 0] = moments
  block(40)
  const { heardSince } = turns
  t.ok(heardSince >= second && heardSince <= third + 1, `${heardSince - third} ms after the third turn`)
})

t.test('while nobody watches no turn is looked at, and who comes later sees none of those before', async t => {
  const turns = new LoopTurns()
  turns.watch()
  turns.unwatch()
  await turn()
  await turn()
  block(40)
  const begun = now()
  turns.watch()
  t.ok(turns.heardSince >= begun)
  turns.unwatch()
})

t.test('a loop that has nothing to do goes on waiting', async t => {
  const turns = new LoopTurns()
  turns.watch()
  const { idle } = performance.eventLoopUtilization()
  await delay(100)
  t.ok(performance.eventLoopUtilization().idle - idle > 50)
  turns.unwatch()
})
