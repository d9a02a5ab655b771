import { isUtf8 } from 'node:buffer'
import { type JsonValue, readJson } from '../../kernel/index.ts'

/** A request that cannot be read, with where and by which rule. */
export class BadRequest extends Error {
  readonly statusCode = 400
  readonly place: string
  readonly rule: string

  constructor(place: string, rule: string) {
    super(`${place}: ${rule}`)
    this.place = place
    this.rule = rule
  }
}

const depthMax = 16

/**
 * Reads the JSON body of a request as strictly as everything else is read: UTF-8, no member twice, no forbidden name,
 * no number that loses digits, bounded depth.
 */
export function readJsonBody(bytes: Buffer): JsonValue {
  if (bytes.length === 0) throw new BadRequest('body', 'json/missing')
  if (!isUtf8(bytes)) throw new BadRequest('body', 'json/utf-8')
  const read = readJson(bytes.toString('utf8'), { lengthMax: bytes.length, depthMax, otherNumbers: 'refuse' })
  if (!read.ok) throw new BadRequest('body', read.refusal.code)
  return read.value
}
