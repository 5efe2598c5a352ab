import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { startPostgres } from '../../postgres.ts'
import { storeSuite } from './store-suite.ts'

const server = await startPostgres(t)

await storeSuite(t, 'a PostgreSQL database', async (_t, observer) => openMessageStore(await server.createDatabase(), observer))
