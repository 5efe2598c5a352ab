import fp from 'fastify-plugin'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'

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
    }
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}, { name: 'openapi' })
