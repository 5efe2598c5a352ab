import t from 'tap'
import fc from 'fast-check'
import { fold, hitsIn } from '../../console/mark.js'
import { foldCase } from '../../src/fold.ts'

t.test('hits are where the service finds them', t => {
  for (const [text, q, ...hits] of [
    ['Hello hello', 'HELLO', 'Hello', 'hello'], ['Straße', 'ss', 'ß'], ['STRASSE', 'straße', 'STRASSE'], ['ılık', 'ILIK', 'ılık'], ['aaaa', 'aa', 'aa', 'aa'],
    ['😀a😀', '😀', '😀', '😀'], ['İstanbul', 'i', 'İ'], ['none', ''], ['none', 'x'], ['ﬃx', 'fi', 'ﬃ'], ['%_', '%_', '%_']
  ] as const) t.strictSame(hitsIn(text, q).map(([start, end]) => text.slice(start, end)), hits, `${q} in ${text}`)
  t.end()
})

t.test('it folds as the service does, and marks something wherever the service found something', t => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => { if (fold(text) !== foldCase(text)) throw new Error(text) }))
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (before, q, after) => {
    const text = `${before}${q.toUpperCase()}${after}`
    const found = foldCase(text).includes(foldCase(q))
    const hits = hitsIn(text, q)
    if (found !== (hits.length > 0)) throw new Error(`${q} in ${text}`)
    for (const [start, end] of hits) if (start >= end || !fold(text.slice(start, end)).includes(fold(q))) throw new Error(`${q} in ${text}: ${start} to ${end}`)
  }))
  t.end()
})
