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
  if (holdsNul(read.value)) throw new BadRequest('body', 'json/nul')
  return read.value
}

/** A text with a NUL in it is no text to the database. */
function holdsNul(value: JsonValue): boolean {
  if (typeof value === 'string') return value.includes('\0')
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => name.includes('\0') || holdsNul(member))
}
