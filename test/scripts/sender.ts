import type { Test } from 'tap'
import { SECRET } from '../helper.ts'
import { SEND, run, serve, type Env, type Finished, type Service } from '../process.ts'

export interface Sender {
  readonly service: Service
  /** Where the service and the script run. */
  readonly cwd: string
  readonly send: (...args: string[]) => Promise<Finished>
}

/** A running service, and `send` against it in the same folder. */
export async function sender (t: Test, env: Env = {}, execArgv: readonly string[] = []): Promise<Sender> {
  const cwd = t.testdir()
  const service = await serve(t, cwd, env)
  t.teardown(() => service.end('SIGTERM'))
  return {
    service,
    cwd,
    send: (...args) => run(t, SEND, cwd, { args: ['--url', service.url, ...args], env: { WEBHOOK_SECRET: SECRET }, execArgv })
  }
}
