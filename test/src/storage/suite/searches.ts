import type { Test } from 'tap'
import type { OpenStore } from '../store-suite.ts'
import { ids, message, storeOf, walk } from './common.ts'

/** Texts, each with searches that find it and searches that do not. */
const SEARCHES: readonly (readonly [text: string, finds: readonly string[], misses: readonly string[]])[] = [
  ['Hello World', ['hello', 'WORLD', 'o w', 'h', 'D', 'lo Wo', ' ', 'Hello World', 'hElLo wOrLd'], ['helloworld', 'hello  world', 'worlds', 'Hello World!', 'x']],
  ['Große Straße', ['STRASSE', 'straße', 'GROẞE', 'ss', 'ß', 'ẞ', 'sse'], ['grose', 'sß']],
  ['ΟΔΥΣΣΕΥΣ και Σία', ['οδυσσευς', 'οδυσσευσ', 'σία', 'ς', 'ΥΣ Κ'], ['οδυσεύς']],
  ['ПРИВЕТ, Мир! Ёлка', ['привет', 'мИР', 'т, м', 'ёЛ'], ['приветы', 'елка']],
  ['İstanbul ve ILIK çay', ['i\u0307STANBUL', 'ILIK', 'ılık', 'ÇAY'], ['cay']],
  ['Crème Brûlée', ['CRÈME', 'brÛLÉE', 'È'], ['creme', 'cre\u0300me', 'brulee']],
  ['cre\u0300me', ['CRE\u0300ME', '\u0300', 'cre'], ['crème']],
  ['բարեվ Ողջույն և', ['ԲԱՐԵՎ', 'ողջՈՒՅՆ', 'եւ', 'ԵՒ'], ['բարև']],
  ['ᲗᲑᲘᲚᲘᲡᲘ', ['თბილისი', 'ბილ'], ['ⴇⴁ']],
  ['ᏣᎳᎩ', ['ꮳꮃꭹ', 'ꮃ'], ['ᏣᎩ']],
  ['𐐔𐐯𐑅𐐨𐑉𐐯𐐻', ['𐐼𐐯𐑅', '𐐔', '𐐇'], ['𐐀𐐀']],
  ['𞤀𞤣𞤤𞤢𞤥', ['𞤢𞤣𞤤', '𞤀'], ['𞤣𞤀']],
  ['你好，世界', ['你', '世界', '好，世'], ['你世', '界世']],
  ['こんにちは カタカナ', ['こん', 'は カ', 'ナ'], ['コン', 'かた']],
  ['안녕하세요', ['안', '녕하', '요'], ['안하', '아']],
  ['مرحبا بالعالم', ['مرحبا', 'ا ب', 'م'], ['مَرحبا']],
  ['नमस्ते दुनिया', ['नम', 'स्ते', 'ते द'], ['नमसते']],
  ['ภาษาไทย', ['ภา', 'ไทย', 'า'], ['ไทยย']],
  ['tiếng Việt', ['TIẾNG', 'VIỆT', 'Ệ'], ['tieng', 'viet']],
  ['ﬁne oﬃce', ['FINE', 'fi', 'OFFICE', 'ffi', 'FF'], ['fine!']],
  ['family 👩‍👩‍👧‍👦 ok 😀', ['👩‍👩', '👦', '😀', '\u200d', '👦 OK 😀'], ['😁', '👨', '👩👩']],
  ['e\u0301\u0301', ['\u0301\u0301', 'E\u0301'], ['é']],
  ['100% sure_thing * what? a\\b [x] {y} ^z$', [
    '%', '100%', '% ', '_', 'e_t', '*', '* W', '?', 'what?', '\\', 'a\\b', '[x]', '{Y}', '^', '$', '^Z$', 'sure_'
  ], ['1%', '%sure', 's_re', '1_0', 's*g', 'w?at', 'a\\\\b', '[xy]', '.', 'what.', '%%', '__', '**']],
  ['"quoted" \'single\' AND near(a b) -not NOT x:y; --', [
    '"', '""'.slice(1), '"quoted"', "'", "'single'", 'and', 'AND', 'NEAR(', 'a b', '-not', 'not x', 'x:y', ':', ';', '--', '(a B)'
  ], ['""', "''", 'quoted single', 'OR', 'a AND b', 'near a']],
  ['line one\nline two\r\n\ttabbed', ['one\nLINE', 'two\r\n\t', '\n', '\t', '\r'], ['one line', 'two\n', '\n\n']],
  ['  spaces  inside  ', ['  ', '  spaces', 'inside  ', 's  i'], ['   ', 'spaces inside']],
  ['a', ['a', 'A'], ['aa', 'b', 'á']],
  ['ab', ['AB', 'a', 'b'], ['ba', 'abb']],
  ['aaab', ['aab', 'AAAB', 'aa'], ['aaaa', 'abb']],
  [`needle${'x'.repeat(4080)}NEEDLE`.slice(0, 4096), ['x'.repeat(4000), 'xneedle', 'needlex'], ['x'.repeat(4081), 'x'.repeat(5000)]]
]

export async function searches (t: Test, open: OpenStore): Promise<void> {
  t.test('a text is found by every part of it, in any case, and by nothing else', async t => {
    const store = await storeOf(t, open, ...SEARCHES.map(([text], index) => message({ message_id: `m${index}`, text })))
    for (const [index, [text, finds, misses]] of SEARCHES.entries()) {
      const found = async (q: string): Promise<boolean> => ids((await store.page({ q }, 100, 0)).messages).includes(`m${index}`)
      const wrong: string[] = []
      for (const q of finds) if (!await found(q)) wrong.push(`not found by ${q.slice(0, 40)}`)
      for (const q of misses) if (await found(q)) wrong.push(`found by ${q.slice(0, 40)}`)
      t.strictSame(wrong, [], text.slice(0, 40))
    }
  })

  t.test('a search is counted, paged and walked like any other filter', async t => {
    const store = await storeOf(t, open, ...Array.from({ length: 60 }, (_, index) => message({
      message_id: `m${String(index).padStart(2, '0')}`, text: index % 3 === 0 ? `Rechnung ${index}` : `Angebot ${index}`, from: `+${index % 2}`
    })))
    const expected = Array.from({ length: 20 }, (_, index) => `m${String(index * 3).padStart(2, '0')}`)
    for (const q of ['RECHNUNG', 're', 'r', 'hnung ']) {
      t.equal((await store.page({ q }, 7, 0)).total, 20, q)
      t.strictSame(ids((await store.page({ q }, 7, 14)).messages), expected.slice(14), q)
      t.strictSame(ids(await walk(store, { q }, 3)), expected, q)
    }
    t.strictSame(ids(await walk(store, { q: 'rechnung', from: '+1' }, 4)), expected.filter((_, index) => index % 2 === 1))
    t.strictSame(await store.page({ q: 'nowhere' }, 7, 0), { messages: [], total: 0, next: undefined })
  })

  t.test('a message without a text is never found, one with an empty text neither', async t => {
    const store = await storeOf(t, open, message({ message_id: 'null', text: null }), message({ message_id: 'empty', text: '' }))
    for (const q of ['null', 'n', ' ', '%', '_', '\u0000']) t.equal((await store.page({ q }, 50, 0)).total, 0, JSON.stringify(q))
  })

  t.test('the other fields are not searched', async t => {
    const store = await storeOf(t, open, message({ message_id: 'findme', text: 'x' }))
    for (const q of ['findme', '+919', '+1415', '2025', 'Hello']) t.equal((await store.page({ q }, 50, 0)).total, 0, q)
  })

  t.test('what no text can hold finds nothing, and breaks nothing', async t => {
    const store = await storeOf(t, open, message({ text: 'a b c abc\ufffd' }))
    for (const q of ['\u0000', 'a\u0000', '\u0000a', 'a b\u0000', 'a b c\u0000', '\ud800', 'abc\udc00', 'x'.repeat(100_000), '"'.repeat(5000)]) {
      t.strictSame(await store.page({ q }, 50, 0), { messages: [], total: 0, next: undefined }, JSON.stringify(q).slice(0, 20))
      t.strictSame(await store.pageAfter({ q }, 50, { ts: '0001-01-01T00:00:00Z', message_id: '' }), { messages: [], next: undefined })
    }
  })

  t.test('of concurrent saves of one id only the text that was kept is found', async t => {
    const store = await storeOf(t, open, message({ text: 'first delivery' }), message({ text: 'second delivery' }))
    const { messages } = await store.page({ q: 'delivery' }, 50, 0)
    t.equal(messages.length, 1)
    const lost = messages[0]?.text === 'first delivery' ? 'second' : 'first'
    t.equal((await store.page({ q: lost }, 50, 0)).total, 0)
  })
}
