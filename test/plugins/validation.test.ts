import t from 'tap'
import Fastify from 'fastify'
import { Type } from '@sinclair/typebox'
import validation, { invalidInput } from '../../plugins/validation.ts'

t.test('bodies are taken as they are; integers are read in query strings and paths', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(validation)
  const schema = Type.Object({ n: Type.Integer(), s: Type.Optional(Type.String()) })
  app.post('/body', { schema: { body: schema } }, async request => request.body)
  app.get('/query', { schema: { querystring: schema } }, async request => request.query)
  app.get('/path/:n', { schema: { params: schema } }, async request => request.params)
  app.get('/headers', { schema: { headers: schema } }, async () => 'ok')
  app.get('/any', { schema: { querystring: { type: 'object', additionalProperties: true } } }, async request => request.query)

  const status = async (payload: object) => (await app.inject({ method: 'POST', url: '/body', payload })).statusCode
  t.equal(await status({ n: 5 }), 200)
  t.equal(await status({ n: '5' }), 400)
  t.equal(await status({ n: 5, s: 5 }), 400)

  const json = async (url: string) => {
    const response = await app.inject(url)
    return response.statusCode === 200 ? response.json() : response.statusCode
  }
  t.strictSame(await json('/query?n=5&s=5'), { n: 5, s: '5' })
  t.strictSame(await json('/path/7'), { n: 7 })
  t.strictSame(await json('/any?n=5'), { n: '5' })
  for (const value of ['', '1e3', '0x10', '5.0', '%205', '+5', 'x', '-5', '5&n=6', '12345678901234567']) t.equal(await json(`/query?n=${value}`), 400, value)
  t.equal((await app.inject('/headers')).statusCode, 200, 'headers are judged by the plugins that read them')
})

t.test('a broken rule is said once, by the description of what was broken', t => {
  const error = { keyword: 'pattern', instancePath: '/from', parentSchema: { description: 'a phone number' }, message: 'must match' }
  t.strictSame(invalidInput('body', [error, error]), {
    detail: 'body/from must be a phone number', errors: [{ path: '/from', message: 'must be a phone number' }]
  })
  t.end()
})

t.test('a rule without a description is said in the words of the validator', t => {
  t.strictSame(invalidInput('body', [{ keyword: 'type', instancePath: '/a', message: 'must be string' }]), {
    detail: 'body/a must be string', errors: [{ path: '/a', message: 'must be string' }]
  })
  t.strictSame(invalidInput('body', [{ message: 'must be JSON' }]).errors, [{ path: '', message: 'must be JSON' }])
  t.strictSame(invalidInput('body', [{}]).errors, [{ path: '', message: 'is invalid' }])
  t.strictSame(invalidInput('body', []), { detail: 'body is invalid', errors: [] })
  t.end()
})

t.test('a missing property is named by its own path', t => {
  const error = { keyword: 'required', instancePath: '/a', params: { missingProperty: 'b' }, message: 'must have' }
  t.strictSame(invalidInput('body', [error]), { detail: 'body/a/b is required', errors: [{ path: '/a/b', message: 'is required' }] })
  t.end()
})
