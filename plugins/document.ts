import type { FastifyInstance } from 'fastify'

/** What a concern adds to the documentation of the routes that it concerns. */
export interface Documentation {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  /** Headers of every answer, by name. */
  readonly headers?: Readonly<Record<string, object>>
  /** Answers by status. */
  readonly response?: Readonly<Record<number, object>>
}

/** Adds to what is documented of every route of this scope that is made from now on. */
export function documentRoutes (scope: FastifyInstance, { security, headers, response }: Documentation): void {
  scope.addHook('onRoute', route => {
    const answers = { ...route.schema?.response as object, ...response } as Record<string, { headers?: object }>
    const all = Object.entries(answers).map(([status, answer]) => [status, { ...answer, headers: { ...answer.headers, ...headers } }])
    route.schema = { ...route.schema, ...security && { security }, response: Object.fromEntries(all) }
  })
}
