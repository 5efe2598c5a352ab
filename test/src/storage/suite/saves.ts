import type { Test } from 'tap'
import type { OpenStore } from '../store-suite.ts'
import { EVERYTHING, SILENT, count, ids, message, messageIn, saveAll, storeOf, walk } from './common.ts'

export async function saves (t: Test, open: OpenStore): Promise<void> {
  t.test('a new message is created and reads back as it was saved', async t => {
    const store = await storeOf(t, open)
    t.equal(await store.save(message()), 'created')
    t.strictSame(await messageIn(store, 'm1'), message())
    t.strictSame(await store.page(EVERYTHING, 50, 0), { messages: [message()], total: 1, next: undefined })
  })

  t.test('a message that nobody saved is not there', async t => {
    const store = await storeOf(t, open, message())
    for (const id of ['m2', '', 'M1', 'm', 'm1 ', 'm1\u0000', '%', '_1', '\ud800']) t.equal(await store.get(id), undefined, JSON.stringify(id))
  })

  t.test('of a message saved again the first stays as it was', async t => {
    const store = await storeOf(t, open)
    t.equal(await store.save(message()), 'created')
    t.equal(await store.save(message()), 'duplicate')
    t.equal(await store.save({ message_id: 'm1', from: '+1', to: '+2', ts: '2020-01-01T00:00:00Z', text: null }), 'duplicate')
    t.strictSame(await messageIn(store, 'm1'), message())
    t.equal(await store.count(), 1)
  })

  t.test('of 50 saves of one message at once one creates it', async t => {
    const store = await storeOf(t, open)
    const results = await saveAll(store, Array.from({ length: 50 }, () => message()))
    t.equal(count(results, 'created'), 1)
    t.equal(count(results, 'duplicate'), 49)
    t.equal(await store.count(), 1)
  })

  t.test('of 50 saves of one id with different contents the one that created it is kept', async t => {
    const store = await storeOf(t, open)
    const versions = Array.from({ length: 50 }, (_, index) => message({ text: `version ${index}`, from: `+${index + 1}` }))
    const results = await saveAll(store, versions)
    t.equal(count(results, 'created'), 1)
    t.strictSame(await messageIn(store, 'm1'), versions[results.indexOf('created')])
    t.strictSame((await store.page(EVERYTHING, 50, 0)).total, 1)
    t.equal((await store.stats()).senders_count, 1, 'the others left no trace')
    t.equal((await store.page({ q: 'version' }, 50, 0)).total, 1)
  })

  t.test('a duplicate inside many concurrent saves is told from its first copy', async t => {
    const store = await storeOf(t, open)
    const messages = Array.from({ length: 2000 }, (_, index) => message({ message_id: `m${index % 700}`, text: `copy ${index}` }))
    const results = await saveAll(store, messages)
    t.equal(count(results, 'created'), 700)
    t.equal(await store.count(), 700)

    const rows = await walk(store, EVERYTHING, 100)
    const created = messages.filter((_, index) => results[index] === 'created')
    const byId = (a: { message_id: string }, b: { message_id: string }): number => a.message_id < b.message_id ? -1 : 1
    t.strictSame(rows.toSorted(byId), created.toSorted(byId))
  })

  t.test('ids that are not the same code points are different messages', async t => {
    const different = [
      'm1', 'M1', ' m1', 'm1 ', 'm 1', 'm1\n', '\tm1', 'é', 'e\u0301', 'É', '\ufeffm1', 'ｍ1', 'ß', 'ss', 'ſ', 's', '1', '1.0', '01', '+1',
      "m'1", 'm"1', 'm%1', 'm_1', 'm\\1', '😀', '😁', '\u200dm1', 'x'.repeat(600), 'x'.repeat(599), '😀'.repeat(600), '\u0001', '\u007f'
    ]
    const store = await storeOf(t, open)
    const results = await saveAll(store, different.map(id => message({ message_id: id, text: `the text of ${id}` })))
    t.equal(count(results, 'created'), different.length)
    for (const id of different) t.equal((await store.get(id))?.text, `the text of ${id}`, JSON.stringify(id).slice(0, 20))
  })

  t.test('texts of all kinds read back as they were saved', async t => {
    const texts = [
      null, '', ' ', '\n', '\r\n', '\t\u000b\u0001\u001f\u007f\u0085', 'null', '0', "O'Reilly; DROP TABLE messages; --", '\\u0041 \\n %s ? :x $1',
      '😀👩‍👩‍👧‍👦🏳️‍🌈', 'e\u0301 é', 'مرحبا بالعالم', 'שלום', 'नमस्ते', '你好，世界', 'こんにちは', '안녕하세요', 'Ελληνικά', 'ไทย', '𐐀𞤀𝒳',
      '\ufeffBOM', '\u202eRTL\u202c', '\ue000\uffff\ufffe\u{10ffff}\ufffd', '\u2028\u2029', 'x'.repeat(4096), '😀'.repeat(4096), 'ŉß'.repeat(2048)
    ]
    const store = await storeOf(t, open, ...texts.map((text, index) => message({ message_id: `m${index}`, text })))
    for (const [index, text] of texts.entries()) t.equal((await store.get(`m${index}`))?.text, text, `text ${index}`)
  })

  t.test('a save that has resolved is in every later answer', async t => {
    const store = await storeOf(t, open)
    for (let index = 1; index <= 20; index++) {
      const each = message({ message_id: `m${index}`, from: `+${index}`, text: `word${index}` })
      await store.save(each)
      const [row, total, stats, found] = await Promise.all([
        store.get(each.message_id), store.count(), store.stats(), store.page({ q: `WORD${index}`, from: each.from }, 1, 0)
      ])
      if (row === undefined || total !== index || stats.total_messages !== index || found.total !== 1) t.fail(`message ${index} was missed`)
    }
    t.equal(ids(await walk(store, EVERYTHING, 7)).length, 20)
  })

  t.test('every save is reported to the observer in one commit', async t => {
    const commits: { rows: number, seconds: number }[] = []
    const store = await open(t, { ...SILENT, committed (rows, seconds) { commits.push({ rows, seconds }) } })
    t.teardown(() => store.close())
    await saveAll(store, Array.from({ length: 300 }, (_, index) => message({ message_id: `m${index % 200}` })))
    await store.close()
    t.equal(commits.reduce((sum, { rows }) => sum + rows, 0), 300)
    t.ok(commits.every(({ rows, seconds }) => Number.isInteger(rows) && rows > 0 && seconds > 0 && seconds < 60))
  })

  t.test('nothing waits when every save has resolved', async t => {
    const store = await storeOf(t, open, ...Array.from({ length: 100 }, (_, index) => message({ message_id: `m${index}` })))
    t.equal(store.queueDepth, 0)
  })
}
