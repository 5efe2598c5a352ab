/** Builds the service and takes it down again, so that the compile cache holds its code: for images, whose file system is read-only later. */
import { build } from '../app.ts'
import { loadConfig } from '../src/config.ts'

const app = await build(loadConfig({ WEBHOOK_SECRET: 'unused', DATABASE_URL: 'sqlite:///:memory:', LOG_LEVEL: 'SILENT' }))
await app.ready()
await app.messages.ping()
await app.close()
