import type { TSchema } from 'typebox'
import type { JsonValue, Problem } from '../../kernel/index.ts'
import type { HomeRecord } from '../model.ts'
import { parseRecord, recordSchemas } from '../parse-body.ts'
import { compileRewriter } from './canonical-record.ts'
import type { IntakeCode } from './codes.ts'
import type { Facts, HomeContext } from './reading.ts'
import { holdsInvisible } from './values.ts'

type RecordKind = HomeRecord['record']
type JsonObject = { [key: string]: JsonValue }

/** What the document check of the room calls a defect, and what it is called at this entrance. */
const CODES: Readonly<Record<string, IntakeCode>> = {
  'clearance/element-missing': 'intake/element-missing',
  'clearance/element-unknown': 'intake/element-unknown',
  'clearance/envelope-in-body': 'intake/element-unknown',
  'clearance/wrong-type': 'intake/type-wrong',
  'clearance/code-not-in-list': 'intake/value-not-listed',
  'clearance/too-few': 'intake/too-few',
  'clearance/too-many': 'intake/too-many',
  'clearance/empty': 'intake/too-short',
  'clearance/too-long': 'intake/too-long',
  'clearance/control-character': 'intake/control-character',
  'clearance/format': 'intake/format-wrong',
  'clearance/no-such-date': 'intake/date-not-in-calendar',
  'clearance/no-such-instant': 'intake/date-not-in-calendar',
  'clearance/out-of-range': 'intake/out-of-range',
  'clearance/not-identifiable': 'intake/too-short',
  'clearance/more-problems': 'intake/more-problems',
}

const rewriters = new Map<RecordKind, (value: unknown, zone: string) => unknown>()

function rewriterOf(kind: RecordKind): (value: unknown, zone: string) => unknown {
  const known = rewriters.get(kind)
  if (known) return known
  const made = compileRewriter(recordSchemas[kind])
  rewriters.set(kind, made)
  return made
}

export type RecordRead =
  | { readonly record: HomeRecord; readonly problems?: undefined }
  | { readonly record?: undefined; readonly problems: readonly Problem[] }

/**
 * Reads a record of our own format: `{ "record": "declaration", "content": … }`, or a bare declaration or railway list.
 *
 * @param value a JSON object that nobody else holds: it is rewritten in place
 * @param mayHide whether the text it was read from may hold invisible characters
 * @returns undefined when the object is not of our format at all
 */
export function readOwnRecord(value: JsonObject, home: HomeContext, mayHide: boolean): RecordRead | undefined {
  const checkRecord = (kind: RecordKind, content: JsonValue, at: string): RecordRead => {
    rewriterOf(kind)(content, home.homeZone)
    const hidden = mayHide ? [...hiddenIn(content, recordSchemas[kind] as Shape, at)] : []
    const read = checkMapped(kind, content, at)
    return hidden.length === 0 ? read : { problems: [...hidden, ...(read.problems ?? [])] }
  }
  if (Object.hasOwn(value, 'record')) return readWrapped(value, checkRecord)
  if (Object.hasOwn(value, 'declaration') && Object.hasOwn(value, 'items')) return checkRecord('declaration', value, '')
  if (Object.hasOwn(value, 'leg') && Object.hasOwn(value, 'wagons')) return checkRecord('railway-list', value, '')
  return undefined
}

function readWrapped(
  value: JsonObject,
  checkRecord: (kind: RecordKind, content: JsonValue, at: string) => RecordRead,
): RecordRead {
  const { record, content } = value
  const problems: Problem[] = []
  for (const name of Object.keys(value))
    if (name !== 'record' && name !== 'content') problems.push(problemOf('intake/element-unknown', shownPointer(name)))
  if (content === undefined) problems.push(problemOf('intake/element-missing', '/content', { element: 'content' }))
  if (typeof record !== 'string' || !isRecordKind(record)) {
    const expected = Object.keys(recordSchemas).join('|')
    return { problems: [...problems, problemOf('intake/value-not-listed', '/record', { expected })] }
  }
  if (content === undefined) return { problems }
  const read = checkRecord(record, content, '/content')
  if (problems.length === 0) return read
  return { problems: [...problems, ...(read.problems ?? [])] }
}

function isRecordKind(text: string): text is RecordKind {
  return Object.hasOwn(recordSchemas, text)
}

const problemOf = (code: IntakeCode, pointer: string, facts?: Facts): Problem =>
  facts === undefined ? { code, pointer } : { code, pointer, facts }

/** A name that nobody chose may hold anything, so only a plain one is shown. */
const shownPointer = (name: string): string => (/^[A-Za-z0-9_.:-]{1,40}$/.test(name) ? `/${name}` : '')

/**
 * Checks a document against the model, and that no two items of a declaration have one number.
 *
 * @param content a document in canonical form
 * @param at pointer of the document within the record
 */
export function checkMapped(kind: RecordKind, content: unknown, at: string): RecordRead {
  const parsed = parseRecord(kind, content)
  if (!parsed.ok) return { problems: parsed.refusal.problems.map((problem) => explained(problem, kind, content, at)) }
  const repeated = parsed.value.record === 'declaration' ? repeatedItems(parsed.value.content.items, at) : []
  return repeated.length > 0 ? { problems: repeated } : { record: parsed.value }
}

interface Shape {
  readonly type?: string
  readonly pattern?: string
  readonly format?: string
  readonly maxLength?: number
  readonly const?: string
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
}

/** Names a defect as this entrance does, and says what was expected where a format was not met. */
function explained(problem: Problem, kind: RecordKind, content: unknown, at: string): Problem {
  const code = CODES[problem.code] ?? problem.code
  const path = problem.pointer.split('/').slice(1)
  const shape = shapeAt(recordSchemas[kind], path)
  const facts: Facts = { ...problem.facts }
  if (code === 'intake/element-missing') facts['element'] = path.at(-1) ?? ''
  const expected = expectedAt(shape)
  if (expected !== undefined && EXPECTING.has(code)) facts['expected'] = expected
  const value = valueAt(content, path)
  const comma = code === 'intake/format-wrong' && typeof value === 'string' && /^-?\d+,\d+$/.test(value)
  const pointer = at + problem.pointer
  const named = comma && expected === DECIMAL ? ('intake/decimal-comma' satisfies IntakeCode) : code
  return Object.keys(facts).length === 0 ? { code: named, pointer } : { code: named, pointer, facts }
}

const EXPECTING: ReadonlySet<string> = new Set<IntakeCode>([
  'intake/format-wrong',
  'intake/value-not-listed',
  'intake/date-not-in-calendar',
  'intake/type-wrong',
])
const DECIMAL = 'decimal n..16,6'
/** What the patterns of the model ask for, in the words of data dictionaries. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^\^\\d\{1,16\}/, DECIMAL],
  [/T\\d/, 'date-time with Z or offset'],
  [/^\^\\d\{4\}-/, 'date YYYY-MM-DD'],
  [/^\^\[A-Z\]\{2\}\$/, 'country a2'],
  [/^\^\[A-Z\]\{3\}\$/, 'currency a3'],
  [/^\^\[A-Za-z\]\{2,3\}/, 'language BCP 47'],
  [/^\^\\d\{4,14\}/, 'digits n4..14'],
  [/^\^\\d\$/, 'digit n1'],
]

function expectedAt(shape: Shape | undefined): string | undefined {
  if (shape === undefined) return undefined
  if (shape.anyOf) return shape.anyOf.map((arm) => arm.const ?? arm.type ?? '').join('|')
  const { pattern } = shape
  const known = pattern === undefined ? undefined : PATTERNS.find(([test]) => test.test(pattern))
  return known?.[1] ?? (shape.maxLength === undefined ? shape.type : `an..${shape.maxLength}`)
}

function shapeAt(schema: TSchema, path: readonly string[]): Shape | undefined {
  return path.reduce<Shape | undefined>((shape, step) => shape?.items ?? shape?.properties?.[step], schema as Shape)
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[step] : undefined,
    value,
  )
}

/** Identifiers that hold what the eye does not see: two of them would look alike and be different. */
function* hiddenIn(value: unknown, shape: Shape | undefined, at: string): Generator<Problem> {
  if (typeof value === 'string') {
    if (shape?.maxLength !== undefined && shape.maxLength <= 100 && holdsInvisible(value))
      yield problemOf('intake/invisible-character', at)
    return
  }
  if (Array.isArray(value))
    for (const [index, member] of value.entries()) yield* hiddenIn(member, shape?.items, `${at}/${index}`)
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value))
      yield* hiddenIn(member, shape?.properties?.[name], `${at}/${name}`)
}

function repeatedItems(items: readonly { readonly sequence: number }[], at: string): Problem[] {
  const seen = new Set<number>()
  return items.flatMap(({ sequence }, index) => {
    const repeated = seen.has(sequence)
    seen.add(sequence)
    return repeated ? [problemOf('intake/sequence-repeated', `${at}/items/${index}/sequence`, { sequence })] : []
  })
}
