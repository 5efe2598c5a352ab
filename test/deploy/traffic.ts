import type { FastifyInstance } from 'fastify'
import { delivery, message } from '../helper.ts'

/** Something of everything that the dashboard shows, but for a store that refuses. */
export async function traffic (app: FastifyInstance, round: number): Promise<void> {
  const request = message({ message_id: `m${round}` })
  for (const each of [delivery(request), delivery(request), delivery('{'), delivery(request, {}, 'wrong'), '/messages', '/stats']) await app.inject(each)
}
