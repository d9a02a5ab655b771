/** Pages of lists: how many rows, and after which one. */
import { type TSchema, Type } from 'typebox'
import type { RowPlace } from '../../clearance/index.ts'
import { parseInstant } from '../../kernel/index.ts'
import { BadRequest } from '../http/strict-body.ts'

const limitDefault = 100

export const Limit = Type.Optional(
  Type.String({
    pattern: '^([1-9]\\d?|[1-4]\\d\\d|500)$',
    description: `1 to 500; ${limitDefault} where it is not given`,
  }),
)
export const Before = Type.Optional(
  Type.String({
    pattern: '^[0-9TZ:.-]{24}~[0-9a-f-]{36}$',
    description: 'The `next` of the page before',
  }),
)

export const page = <Schema extends TSchema>(schema: Schema) =>
  Type.Object({
    items: Type.Array(schema),
    next: Type.Optional(Type.String({ description: 'Give it as `before` for the next page; absent on the last' })),
  })

export function limitOf(text: string | undefined): number {
  return Number(text ?? limitDefault)
}

/** Reads the place that `nextOf` wrote. */
export function beforeOf(text: string | undefined): RowPlace | undefined {
  if (text === undefined) return undefined
  const [at = '', key = ''] = text.split('~')
  if (parseInstant(at) !== at || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key))
    throw new BadRequest('querystring/before', 'pattern')
  return { at, key }
}

/** A page of rows; `next` where it was full, for then there may be more. */
export function pageOf<Row>(
  items: readonly Row[],
  limit: number,
  placeOf: (row: Row) => string,
): { items: Row[]; next?: string } {
  const last = items.at(-1)
  return { items: [...items], ...(items.length === limit && last !== undefined && { next: placeOf(last) }) }
}

export const placeIn = ({ at, key }: RowPlace): string => `${at}~${key}`
