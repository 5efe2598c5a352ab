import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import t from 'tap'
import { openMessageStore } from '../../../../src/storage/open.ts'
import { trigramQuery } from '../../../../src/storage/sqlite/trigrams.ts'
import { untilIndexed } from '../inspect.ts'
import { message, saveAll, SILENT, walk } from '../suite/common.ts'

t.test('a text that repeats itself little is one phrase', async t => {
  for (const text of ['abc', 'Hello World', '%_"\'', '普通的消息', '👩‍👩‍👧‍👦', 'banana', 'aaaa', 'the cat and the dog']) {
    t.strictSame(trigramQuery(text), { match: `"${text.replaceAll('"', '""')}"`, isExact: true })
  }
})

t.test('of one that repeats itself much each trigram is asked for once', async t => {
  t.strictSame(trigramQuery('a'.repeat(4000)), { match: '"aaa"', isExact: false })
  t.strictSame(trigramQuery('ab'.repeat(2000)), { match: '"abab"', isExact: false })
  t.strictSame(trigramQuery('""""""x'), { match: '"""""""" """""x"', isExact: false })
  t.strictSame(trigramQuery('😀😀😀😀😀!😀😀😀'), { match: '"😀😀😀" "😀😀!😀😀"', isExact: false })
})

t.test('the index finds every text that holds what was asked for, and where the question is exact no other', async () => {
  const database = new Database(':memory:')
  database.exec("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'trigram case_sensitive 1')")
  const insert = database.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)')
  const find = database.prepare<[string], number>('SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid').pluck()
  const text = fc.array(fc.constantFrom('a', 'b', '"', '😀', 'aaaa', 'abab'), { minLength: 3, maxLength: 20 }).map(parts => parts.join(''))
  fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), text, fc.nat(), (texts, other, pick) => {
    database.exec('DELETE FROM texts')
    for (const [index, each] of texts.entries()) insert.run(index, each)
    for (const q of [other, texts[pick % texts.length] ?? '', Array.from(other).slice(pick % 3).join('')].filter(q => Array.from(q).length >= 3)) {
      const right = [...texts.keys()].filter(index => texts[index]?.includes(q))
      const { match, isExact } = trigramQuery(q)
      const found = find.all(match)
      const missing = right.filter(index => !found.includes(index))
      if (missing.length > 0 || (isExact && found.length !== right.length)) throw new Error(`${q} as ${match}: ${found.join()}, not ${right.join()}`)
    }
  }), { numRuns: 300 })
})

t.test('texts of one letter are searched for any length of it, in time and exactly', async t => {
  const file = join(t.testdir(), 'app.db')
  const store = await openMessageStore(`sqlite:///${file}`, SILENT)
  t.teardown(() => store.close())
  const id = (index: number): string => `m${String(index).padStart(4, '0')}`
  // More than the 2,000 hits that are fetched and sorted, the longest text of which a thousand.
  const texts = Array.from({ length: 2600 }, (_, index) => index % 2 === 0 ? 'A'.repeat(4096) : `${'a'.repeat(7)}${index % 4 === 1 ? 'b' : 'c'}`)
  await saveAll(store, texts.map((text, index) => message({ message_id: id(index), text, from: `+${index % 3}` })))
  await untilIndexed(file)
  for (const [q, of] of [['a'.repeat(7), 2600], ['a'.repeat(8), 1300], ['a'.repeat(4096), 1300], ['a'.repeat(4097), 0], ['AAAAAAab', 650], ['ab'.repeat(50), 0]] as const) {
    const expected = [...texts.keys()].filter(index => texts[index]?.toLowerCase().includes(q.toLowerCase())).map(id)
    t.equal(expected.length, of)
    const { messages, total, next } = await store.page({ q }, 20, 10)
    t.strictSame([messages.map(each => each.message_id), total, next !== undefined], [expected.slice(10, 30), of, of > 30], `${q.length}`)
    t.equal((await store.page({ q, from: '+1' }, 1, 0)).total, expected.filter(each => Number(each.slice(1)) % 3 === 1).length)
    t.equal((await walk(store, { q }, 100)).length, of)
  }
})
