import fp from 'fastify-plugin'
import { Ajv, type ErrorObject } from 'ajv'
import type { FastifySchemaValidationError } from 'fastify'
import { inUtc, isTimestamp } from '../src/timestamp.ts'
import type { InvalidInputAnswer } from '../src/answers.ts'

const INTEGER = /^\d{1,16}$/

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  formats: { 'date-time': isTimestamp, 'date-time-offset': value => inUtc(value) !== undefined }
})

/**
 * Validates bodies as they are, and query strings and paths after reading their integers. Fastify's own validator would
 * coerce bodies too (`{"message_id": 5}` would pass), and take `1e3` and `0x10` for integers.
 */
export default fp(async app => {
  app.setValidatorCompiler<{ properties?: Record<string, { type?: unknown }> }>(({ schema, httpPart }) => {
    // Headers are described for the documentation; the plugins that read them judge them.
    if (httpPart === 'headers') return () => true

    const validate = ajv.compile(schema)
    const integers = Object.entries(schema.properties ?? {}).filter(([, { type }]) => type === 'integer').map(([name]) => name)
    return (data: unknown) => {
      const value = httpPart === 'body' ? data : withIntegers(data as Record<string, unknown>, integers)
      return validate(value) ? { value } : { error: validate.errors as FastifySchemaValidationError[] }
    }
  })
}, { name: 'validation' })

function withIntegers (data: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const read = { ...data }
  for (const name of names) {
    const value = read[name]
    if (typeof value === 'string' && INTEGER.test(value)) read[name] = Number(value)
  }
  return read
}

/** A parameter that breaks a rule which its schema does not tell. @param path as `/name` */
export function invalidQuery (path: string, message: string): Error {
  return Object.assign(new Error(message), { validation: [{ instancePath: path, message }], validationContext: 'querystring' })
}

/** The rules that input breaks, as a 422 answers them. `part` is where the input was: body, querystring. */
export function invalidInput (part: string, errors: readonly Partial<ErrorObject>[]): InvalidInputAnswer {
  // That a condition's branch was not kept is told by what in it was not.
  const broken = new Map(errors.filter(({ keyword }) => keyword !== 'if').map(error => {
    const { path, message } = brokenRule(error)
    return [`${path} ${message}`, { path, message }]
  }))
  return { detail: `${part}${broken.keys().next().value ?? ' is invalid'}`, errors: [...broken.values()] }
}

function brokenRule ({ keyword, instancePath = '', params, parentSchema, message }: Partial<ErrorObject>): InvalidInputAnswer['errors'][number] {
  if (keyword === 'required') return { path: `${instancePath}/${params?.['missingProperty']}`, message: 'is required' }
  const rule: unknown = parentSchema?.['description']
  return { path: instancePath, message: typeof rule === 'string' ? `must be ${rule}` : message ?? 'is invalid' }
}
