import type { TSchema } from 'typebox'
import { JsonNumber, parseDecimal, parseInstant, parseLocalDateTime } from '../../kernel/index.ts'
import { DecimalMass, InstantUtc, NamedText } from '../model.ts'
import { unitNumber } from './values.ts'

/** The part of JSON Schema that says where decimals, instants and identifiers stand. */
interface Shape {
  readonly type?: string
  readonly pattern?: string
  readonly format?: string
  readonly maxLength?: number
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly 'x-wcoId'?: string
}

const decimalPattern = (DecimalMass as Shape).pattern
const instantPattern = (InstantUtc as Shape).pattern
/** The pattern that sentences and identifiers share; only their lengths tell them apart. */
const textPattern = (NamedText.properties.text as Shape).pattern

type Rewrite = (value: unknown, zone: string) => unknown

const LOCAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/

const decimal: Rewrite = (value) => {
  const text = value instanceof JsonNumber ? value.text : typeof value === 'number' ? String(value) : value
  return typeof text === 'string' ? (parseDecimal(text) ?? text) : value
}

const instant: Rewrite = (value, zone) => {
  if (typeof value !== 'string') return value
  if (WITH_OFFSET.test(value)) return parseInstant(value) ?? value
  return LOCAL.test(value) ? (parseLocalDateTime(value, zone) ?? value) : value
}

const trimmed: Rewrite = (value) => (typeof value === 'string' ? value.trim() : value)

/** Containers and wagons by their WCO Data Model ids: one number is written in one way, or a train does not find it. */
const UNIT_IDS: ReadonlySet<string | undefined> = new Set(['159', 'T004'])
const unit: Rewrite = (value) => (typeof value === 'string' ? unitNumber(value.trim()) : value)

/** Identifiers are at most this long; longer texts are sentences and stay as they were written. */
const IDENTIFIER_LENGTH_MAX = 100

/** Compiles a schema to what must be rewritten in its documents, or nothing where nothing is. */
function rewriteOf(shape: Shape): Rewrite | undefined {
  if (shape.type === 'string') {
    if (shape.pattern === decimalPattern) return decimal
    if (shape.pattern === instantPattern) return instant
    if (UNIT_IDS.has(shape['x-wcoId'])) return unit
    const isIdentifier = (shape.maxLength ?? Number.POSITIVE_INFINITY) <= IDENTIFIER_LENGTH_MAX
    return isIdentifier && shape.pattern === textPattern ? trimmed : undefined
  }
  if (shape.type === 'array' && shape.items) {
    const member = rewriteOf(shape.items)
    if (member === undefined) return undefined
    return (value, zone) => {
      if (Array.isArray(value)) for (let at = 0; at < value.length; at += 1) value[at] = member(value[at], zone)
      return value
    }
  }
  if (shape.type !== 'object') return undefined
  const members = Object.entries(shape.properties ?? {}).flatMap(([name, property]): [string, Rewrite][] => {
    const rewrite = rewriteOf(property)
    return rewrite === undefined ? [] : [[name, rewrite]]
  })
  if (members.length === 0) return undefined
  return (value, zone) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const record = value as Record<string, unknown>
    for (const [name, rewrite] of members) if (Object.hasOwn(record, name)) record[name] = rewrite(record[name], zone)
    return value
  }
}

/**
 * Makes the rewriter of one document type: decimals become canonical text whether they came as text or as JSON
 * numbers, instants become UTC (without an offset they are read in the zone of home), identifiers lose spaces at their
 * ends, and numbers of containers and wagons also those inside. What cannot be read stays as it is, for the check that follows to say so.
 *
 * Why a rewriter compiled from the schema: one list of places, which cannot drift from the model.
 *
 * @returns a function that rewrites in place a value nobody else holds
 */
export function compileRewriter(schema: TSchema): (value: unknown, zone: string) => unknown {
  return rewriteOf(schema as Shape) ?? ((value) => value)
}
