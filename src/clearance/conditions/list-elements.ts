import type { TSchema } from 'typebox'
import { Amount, NamedText } from '../model.ts'

/** One element of a body as its schema gives it. `*` in a path stands for each place of an array. */
export interface SchemaElement {
  readonly path: string
  readonly wcoId: string | null
  readonly wcoDmVersion: string | null
  readonly presence: 'mandatory' | 'optional'
  /** Whether the body stays valid without it: neither mandatory, nor a member of a group that needs one of its members. */
  readonly separable: boolean
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly minProperties?: number
  readonly items?: JsonSchema
  readonly [word: string]: unknown
}

/** A text with its language and an amount with its currency are one element each: neither half says anything alone. */
const values: ReadonlySet<unknown> = new Set([NamedText.properties, Amount.properties])

/**
 * Lists every element of a body, parents before their members, in the order of the schema.
 *
 * Why: the annex of data items must name each element that can travel, and no other; both are read off one schema.
 */
export function listElements(schema: TSchema): readonly SchemaElement[] {
  return walk(schema as JsonSchema, '')
}

function walk(schema: JsonSchema, path: string): SchemaElement[] {
  if (schema.items) return walk(schema.items, `${path}/*`)
  if (values.has(schema.properties)) return []
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const mandatory = schema.required?.includes(name) ?? false
    const element: SchemaElement = {
      path: `${path}/${name}`,
      wcoId: wordOf(member, 'x-wcoId'),
      wcoDmVersion: wordOf(member, 'x-wcoDmVersion'),
      presence: mandatory ? 'mandatory' : 'optional',
      separable: !mandatory && schema.minProperties === undefined,
    }
    return [element, ...walk(member, element.path)]
  })
}

/** An array of values has the id of its values: `routingCountries` is an array of id 064. */
function wordOf(schema: JsonSchema, word: string): string | null {
  const found = schema[word] ?? schema.items?.[word]
  return typeof found === 'string' ? found : null
}
