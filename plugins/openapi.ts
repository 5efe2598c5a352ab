import fp from 'fastify-plugin'
import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type } from '@sinclair/typebox'
import { API_KEY_SCHEME } from './api-keys.ts'
import { API_HEADERS, DOCS_POLICY } from './security-headers.ts'

export interface OpenapiOptions {
  /** Whether some routes ask for a key. */
  readonly hasApiKeys: boolean
}

/** The OpenAPI document, generated from the schemas that validate, at /openapi.json, and Swagger UI at /docs. */
export default fp<OpenapiOptions>(async (app, { hasApiKeys }) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Letterbox',
        description: 'A self-hosted inbox for messaging webhooks: verified, stored exactly once, served back.',
        version: '0.1.0',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      tags: [
        { name: 'webhook', description: 'Messages in' },
        { name: 'messages', description: 'Messages out' },
        { name: 'operations', description: 'Probes and metrics' }
      ],
      ...hasApiKeys && {
        components: { securitySchemes: { [API_KEY_SCHEME]: { type: 'http', scheme: 'bearer', description: 'One of API_KEYS' } } }
      }
    },
    transformObject: withCommonHeaders
  })
  await app.register(async page => {
    await page.protectPage(DOCS_POLICY)
    await page.register(swaggerUi, { routePrefix: '/docs' })
  })

  app.get('/openapi.json', {
    schema: {
      tags: ['operations'],
      summary: 'This document',
      response: { 200: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1' })) }
    }
  }, async () => app.swagger())
}, { name: 'openapi', dependencies: ['security-headers'] })

const REQUEST_ID = {
  description: 'The id under which the request is logged: the one that the client gave, if it is sane',
  schema: { type: 'string', examples: ['0b8f5c1e-7f52-4f0e-9a3b-2a8c1d1f6f10'] }
} as const

const HEADERS = {
  'X-Request-Id': REQUEST_ID,
  ...Object.fromEntries(Object.entries(API_HEADERS).map(([name, value]) => [name, {
    description: 'The same on every answer', schema: { type: 'string', const: value, examples: [value] }
  }]))
}

/** What stands on every answer of every route, documented for every route. A `$ref` is documented where it leads. */
export const withCommonHeaders: SwaggerTransformObject = documents => {
  if (!('openapiObject' in documents)) return documents.swaggerObject
  for (const path of Object.values(documents.openapiObject.paths ?? {})) {
    if (path === undefined) continue
    path.parameters = [{ ...REQUEST_ID, name: 'X-Request-Id', in: 'header' }]
    for (const operation of [path.get, path.post, path.delete]) {
      for (const response of Object.values(operation?.responses ?? {})) {
        if (!('$ref' in response)) response.headers = { ...response.headers, ...HEADERS }
      }
    }
  }
  return documents.openapiObject
}
