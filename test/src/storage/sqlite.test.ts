import { join } from 'node:path'
import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { storeSuite } from './store-suite.ts'

const folder = t.testdir()
let files = 0

await storeSuite(t, 'a file', (_t, observer) => openMessageStore(`sqlite:///${join(folder, `${++files}.db`)}`, observer))
