/**
 * Says where and how a value does not fit a schema, in the room's own stable codes.
 *
 * Why here and not the validator's own errors: those change wording and number with its versions, stop at a few, and
 * report each arm of a union. A partner's engineer gets one code and one JSON pointer per defect, the same for years.
 * The compiled validator stays the judge; this only explains its no.
 */
import Format from 'typebox/format'
import { type Problem, pointer } from '../kernel/index.ts'

/** The part of JSON Schema that the room's schemas use. */
interface Shape {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false | Shape
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly minProperties?: number
  readonly items?: Shape
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Shape[]
  readonly const?: string
}

type Path = ReadonlyArray<string | number>
/** A list longer than this helps nobody; the last entry says that more were found. */
export const PROBLEMS_MAX = 100

/**
 * @param schema a schema of this room
 * @param value the value it refused
 * @returns the defects in document order, at most `PROBLEMS_MAX` and one more that says the list was cut
 */
export function findSchemaDefects(schema: object, value: unknown): Problem[] {
  const problems: Problem[] = []
  for (const problem of defectsOf(schema as Shape, value, [])) {
    if (problems.length === PROBLEMS_MAX) return [...problems, { code: 'clearance/more-problems', pointer: '' }]
    problems.push(problem)
  }
  return problems
}

function problemAt(code: string, path: Path, facts?: Problem['facts']): Problem {
  const at = pointer(...path)
  return facts === undefined ? { code, pointer: at } : { code, pointer: at, facts }
}

function* defectsOf(shape: Shape, value: unknown, path: Path): Generator<Problem> {
  if (shape.anyOf) yield* choiceDefects(shape.anyOf, value, path)
  else if (shape.type === 'object') yield* objectDefects(shape, value, path)
  else if (shape.type === 'array') yield* arrayDefects(shape, value, path)
  else if (shape.type === 'string') yield* stringDefects(shape, value, path)
  else if (shape.type === 'integer' || shape.type === 'number') yield* numberDefects(shape, value, path)
  else if (shape.type === 'boolean' && typeof value !== 'boolean') yield wrongType('boolean', path)
}

const wrongType = (expected: string, path: Path): Problem => problemAt('clearance/wrong-type', path, { expected })

/** A union of constants is one closed list; a union of types is told by the types it takes. */
function* choiceDefects(arms: readonly Shape[], value: unknown, path: Path): Generator<Problem> {
  const constants = arms.filter((arm) => arm.const !== undefined)
  if (constants.length === arms.length) {
    if (!arms.some((arm) => arm.const === value)) yield problemAt('clearance/code-not-in-list', path)
    return
  }
  if (arms.some((arm) => defectsOf(arm, value, path).next().done)) return
  yield wrongType(arms.map((arm) => arm.type ?? 'value').join(' or '), path)
}

function* objectDefects(shape: Shape, value: unknown, path: Path): Generator<Problem> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield wrongType('object', path)
    return
  }
  for (const name of shape.required ?? [])
    if (!Object.hasOwn(value, name)) yield problemAt('clearance/element-missing', [...path, name])
  for (const [name, member] of Object.entries(value)) {
    const known = memberShape(shape, name)
    if (known === undefined) yield unknownMember(path, name)
    else if (member === undefined && !shape.required?.includes(name)) continue
    else yield* defectsOf(known, member, [...path, name])
  }
  if (shape.minProperties !== undefined && Object.keys(value).length < shape.minProperties)
    yield problemAt('clearance/too-few', path, { min: shape.minProperties })
}

/** A name that nobody chose may hold anything, so a pointer shows no more than its first characters. */
function unknownMember(path: Path, name: string): Problem {
  const code = path.length === 0 && ENVELOPE.has(name) ? 'clearance/envelope-in-body' : 'clearance/element-unknown'
  const shown = /^[A-Za-z0-9_.:-]{1,40}$/.test(name) ? [...path, name] : path
  return problemAt(code, shown)
}

/** Names of a message's envelope: the body starts at the declaration and repeats none of them. */
const ENVELOPE = new Set([
  ...['id', 'iss', 'aud', 'mode', 'agreement', 'type', 'version', 'subject', 'lane', 'seq', 'epoch', 'conversation'],
  ...['ref', 'issuedAt', 'expiresAt', 'use', 'parts', 'alg', 'kid', 'typ', 'signature', 'digest', 'messageId'],
  ...['messageTypeCode', 'functionCode', 'correlationId', 'preparationDateTime', 'senderAdministrationId'],
  ...['recipientAdministrationId', 'channelCode', 'technicalConditionsVersion', 'confidentialityMark'],
])

function memberShape(shape: Shape, name: string): Shape | undefined {
  if (shape.properties && Object.hasOwn(shape.properties, name)) return shape.properties[name]
  const pattern = Object.entries(shape.patternProperties ?? {}).find(([regex]) => new RegExp(regex, 'u').test(name))
  if (pattern) return pattern[1]
  return shape.additionalProperties === false ? undefined : (shape.additionalProperties ?? {})
}

function* arrayDefects(shape: Shape, value: unknown, path: Path): Generator<Problem> {
  if (!Array.isArray(value)) {
    yield wrongType('array', path)
    return
  }
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = shape
  if (value.length < minItems) yield problemAt('clearance/too-few', path, { min: minItems, found: value.length })
  if (value.length > maxItems) yield problemAt('clearance/too-many', path, { max: maxItems, found: value.length })
  for (const [index, item] of value.entries()) yield* defectsOf(shape.items ?? {}, item, [...path, index])
}

const CONTROL = /\p{Cc}/u

function* stringDefects(shape: Shape, value: unknown, path: Path): Generator<Problem> {
  if (typeof value !== 'string') {
    yield wrongType('string', path)
    return
  }
  if (shape.const !== undefined) {
    if (value !== shape.const) yield problemAt('clearance/code-not-in-list', path)
    return
  }
  const length = codePoints(value)
  if (length < (shape.minLength ?? 0)) yield problemAt('clearance/empty', path)
  else if (length > (shape.maxLength ?? Number.POSITIVE_INFINITY))
    yield problemAt('clearance/too-long', path, { max: shape.maxLength ?? 0, found: length })
  else if (shape.pattern !== undefined && !new RegExp(shape.pattern, 'u').test(value))
    yield problemAt(CONTROL.test(value) ? 'clearance/control-character' : 'clearance/format', path)
  else if (shape.format !== undefined && !Format.Test(shape.format, value))
    yield problemAt(shape.format === 'date' ? 'clearance/no-such-date' : 'clearance/no-such-instant', path)
}

function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

function* numberDefects(shape: Shape, value: unknown, path: Path): Generator<Problem> {
  const fits = shape.type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)
  if (typeof value !== 'number' || !fits) {
    yield wrongType(shape.type ?? 'number', path)
    return
  }
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = shape
  if (value < minimum || value > maximum) yield problemAt('clearance/out-of-range', path)
}
