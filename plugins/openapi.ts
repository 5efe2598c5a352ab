import fp from 'fastify-plugin'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type } from '@sinclair/typebox'
import type { OpenAPIV3_1 } from 'openapi-types'

const X_REQUEST_ID = {
  description: 'leads to the log line of the request',
  schema: { type: 'string', examples: ['8f14e45f-ceea-467f-a0e6-1d3b7c5f2a11'] }
} as const

/** The OpenAPI document, generated from the schemas that validate, at /openapi.json, and Swagger UI at /docs. */
export default fp(async app => {
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
      ]
    },
    // Every request may carry an id, and every answer does.
    transformObject (documents) {
      if (!('openapiObject' in documents)) return documents.swaggerObject
      const { openapiObject } = documents
      for (const path of Object.values(openapiObject.paths ?? {})) {
        for (const operation of Object.values(path ?? {}) as OpenAPIV3_1.OperationObject[]) {
          operation.parameters = [
            ...operation.parameters ?? [],
            { ...X_REQUEST_ID, name: 'X-Request-Id', in: 'header', description: 'an id to use for this request' }
          ]
          for (const response of Object.values(operation.responses ?? {}) as OpenAPIV3_1.ResponseObject[]) {
            response.headers = { ...response.headers, 'X-Request-Id': X_REQUEST_ID }
          }
        }
      }
      return openapiObject
    }
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })

  app.get('/openapi.json', {
    schema: {
      tags: ['operations'],
      summary: 'This document',
      response: { 200: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1' })) }
    }
  }, async () => app.swagger())
}, { name: 'openapi' })
