import { join } from 'node:path'
import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { storeSuite } from './store-suite.ts'

const folder = t.testdir()
let files = 0

await storeSuite(t, 'a file', (_t, observer) => openMessageStore(`sqlite:///${join(folder, `${++files}.db`)}`, observer))

// In a file too, and other than that one only in how it begins, commits and ends.
await storeSuite(t, 'memory', (_t, observer) => openMessageStore('sqlite:///:memory:', observer), ['pages', 'searches', 'statistics', 'against a plain array'])
