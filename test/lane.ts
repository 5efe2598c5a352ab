/** The provider's side of many deliveries at once. */
import { Agent } from 'node:http'
import type { Test } from 'tap'
import { SECRET } from './helper.ts'
import { deliverTo, type Answer, type Service } from './process.ts'

/** Delivers one message after the other, by one connection that it keeps. */
export type Lane = (url: string, message: Record<string, unknown>) => Promise<Answer>

export function lane (t: Test): Lane {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  return (url, message) => deliverTo(url, message, SECRET, agent)
}

/** Whether the other side is gone, whatever the system calls it. */
export function isBroken (error: unknown): boolean {
  return ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(String((error as NodeJS.ErrnoException).code))
}

/** Ends a service by SIGKILL; whoever was delivering to it then finds his connection broken, and nothing else. */
export async function killAmid (t: Test, service: Service, deliveries: readonly Promise<void>[]): Promise<void> {
  service.child.kill('SIGKILL')
  for (const { reason } of (await Promise.allSettled(deliveries)).filter(end => end.status === 'rejected')) t.ok(isBroken(reason), String(reason))
  t.equal((await service.exited).signal, 'SIGKILL')
}
