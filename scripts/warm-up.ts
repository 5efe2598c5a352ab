/** Starts the service and ends it, so that the compile cache holds its code: for images, whose file system is read-only later. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, '..', 'server.ts')], {
  env: { ...process.env, WEBHOOK_SECRET: 'unused', DATABASE_URL: 'sqlite:///:memory:', HOST: '127.0.0.1', PORT: '0', SHUTDOWN_DELAY: '0', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1' },
  stdio: ['ignore', 'pipe', 'inherit']
})
const exited = once(child, 'exit')
for await (const line of createInterface(child.stdout)) if (line.includes('Server listening')) child.kill('SIGTERM')
const [code] = await exited
process.exitCode = code ?? 1
