import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { startPostgres } from '../../postgres.ts'
import { storeSuite } from './store-suite.ts'

const server = await startPostgres(t)

await storeSuite(t, 'a PostgreSQL database', async (t, observer) => openMessageStore(await server.databaseFor(t), observer))
