/** Ways into JSON whose shape nobody promised. */

export type Fields = Readonly<Record<string, unknown>>

const NOTHING: Fields = Object.freeze(Object.create(null))

/** A value by whose keys can be asked: an empty object when it is none. */
export function fieldsOf (value: unknown): Fields {
  return typeof value === 'object' && value !== null ? value as Fields : NOTHING
}

/** The items of a list, none for nothing, and anything else as the only one. */
export function itemsOf (value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return value === undefined || value === null ? [] : [value]
}

/** Whether objects and lists stand in each other more than `levels` deep. */
export function isDeeper (value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const key in value) if (isDeeper((value as Fields)[key], levels - 1)) return true
  return false
}

/** The same value down to `levels`, with null for every object and list that stands deeper. */
export function cutBelow (value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return null
  if (Array.isArray(value)) return value.map(each => cutBelow(each, levels - 1))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, cutBelow(each, levels - 1)]))
}
