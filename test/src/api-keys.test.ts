import t from 'tap'
import { guessable, keyNames } from '../../src/api-keys.ts'

t.test('a key is found by the whole of it', async t => {
  const nameOf = keyNames([{ name: 'a', key: 'first' }, { name: 'b', key: 'second' }, { name: 'c', key: 'first-and-more' }])
  t.equal(nameOf('first'), 'a')
  t.equal(nameOf('second'), 'b')
  t.equal(nameOf('first-and-more'), 'c')
  for (const wrong of ['', 'firs', 'first-', 'FIRST', 'a', 'a:first', 'first,second', ' first', 'first\0', 'é', 'x'.repeat(100_000)]) t.equal(nameOf(wrong), undefined, wrong.slice(0, 20))
})

t.test('without keys none is right', async t => {
  t.equal(keyNames([])(''), undefined)
})

t.test('short keys are told by their names', async t => {
  t.strictSame(guessable([{ name: 'a', key: 'x'.repeat(15) }, { name: 'b', key: 'x'.repeat(16) }, { name: 'c', key: 'x' }]), ['a', 'c'])
})
