import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { storeSuite } from './store-suite.ts'

// In a file too, and other than that one only in how it begins, commits and ends.
await storeSuite(t, 'memory', (_t, observer) => openMessageStore('sqlite:///:memory:', observer), ['feed', 'pages', 'searches', 'snapshots', 'removals', 'statistics', 'volume', 'against a plain array'])
