import fc from 'fast-check'
import t from 'tap'
import { nameOf, numberOf } from '../../../src/provider/number.ts'

t.test('a phone number stays as it is, and everybody else has one that no phone has', async t => {
  for (const [party, number] of [
    ['+14155550100', '+14155550100'], ['+1', '+1'], [`+${'9'.repeat(32)}`, `+${'9'.repeat(32)}`], ['12345', '+0112345'], ['0', '+010'], ['MYBANK', '+02465835344744'], ['', '+02'], [' ', '+0201'],
    ['~', '+0295'], ['+0123', '+021217181920'], ['A'.repeat(15), `+02${'34'.repeat(15)}`]
  ] as const) t.equal(numberOf(party), number, party)
  for (const party of ['A'.repeat(16), 'é', 'client:joey_the_lion', 'whatsapp:US.13491208655302741918', `+${'9'.repeat(33)}`, '1'.repeat(31)]) t.match(numberOf(party), /^\+03\d{29}$/, party)
})

t.test('it fits a message, differs for different parties, and can be read back', async () => {
  const party = fc.oneof(fc.string({ maxLength: 15 }), fc.string({ unit: fc.constantFrom(...'0123456789+'), maxLength: 34 }), fc.string({ unit: 'grapheme' }))
  fc.assert(fc.property(party, party, (one, other) => {
    const number = numberOf(one)
    return /^\+[0-9]{1,32}$/.test(number) && (number.startsWith('+03') ? nameOf(number) === number : nameOf(number) === one) && (one === other || number !== numberOf(other))
  }), { numRuns: 2000 })
})
