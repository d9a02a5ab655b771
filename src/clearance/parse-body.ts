/**
 * The first level of checks: whether a body can be read and told apart at all. Everything milder is a warning and
 * belongs to `checkClearance`.
 */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { accept, type Decision, type Problem, pointer, refuse } from '../kernel/index.ts'
import { findSchemaDefects } from './find-schema-defects.ts'
import {
  Arrival,
  Cancellation,
  Clearance,
  ConsignmentNote,
  Departure,
  Discrepancy,
  HomeDeclaration,
  type HomeRecord,
  RailwayList,
  Reloading,
} from './model.ts'

/** A body as it travels, with the message type that carries it. */
export type Body =
  | { readonly type: 'EXP-CLR' | 'TRN-CLR' | 'AMD'; readonly content: Clearance }
  | { readonly type: 'CNL'; readonly content: Cancellation }
  | { readonly type: 'DEP'; readonly content: Departure }
  | { readonly type: 'ARR'; readonly content: Arrival }
  | { readonly type: 'DSC'; readonly content: Discrepancy }
export type BodyType = Body['type']

export const bodySchemas = {
  'EXP-CLR': Clearance,
  'TRN-CLR': Clearance,
  AMD: Clearance,
  CNL: Cancellation,
  DEP: Departure,
  ARR: Arrival,
  DSC: Discrepancy,
} as const satisfies Readonly<Record<BodyType, TSchema>>

export const recordSchemas = {
  declaration: HomeDeclaration,
  cancellation: Cancellation,
  'railway-list': RailwayList,
  'consignment-note': ConsignmentNote,
  departure: Departure,
  arrival: Arrival,
  discrepancy: Discrepancy,
  reloading: Reloading,
} as const satisfies Readonly<Record<HomeRecord['record'], TSchema>>

/** The document was not taken, and this is all that is wrong with it. */
export interface DocumentRefusal {
  readonly code: 'clearance/unreadable'
  readonly problems: readonly Problem[]
}

type DocumentCheck = (value: unknown) => readonly Problem[]

function documentCheck(schema: TSchema): DocumentCheck {
  const validator = Compile(schema)
  return (value) => (validator.Check(value) ? blankIdentifiers(value) : findSchemaDefects(schema, value))
}

const checksBySchema = new Map<TSchema, DocumentCheck>(
  [...Object.values(bodySchemas), ...Object.values(recordSchemas)].map((schema) => [schema, documentCheck(schema)]),
)

const IDENTIFIER_NAMES = new Set(['id', 'number'])
/** Spaces and invisible characters alone name nothing. */
const VISIBLE = /[^\p{White_Space}\p{Cf}\p{Zl}\p{Zp}]/u

/** A record whose identifiers name nothing cannot be told from another. */
function blankIdentifiers(value: unknown, path: ReadonlyArray<string | number> = []): Problem[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => blankIdentifiers(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (typeof member === 'object') return blankIdentifiers(member, [...path, name])
    const blank = IDENTIFIER_NAMES.has(name) && typeof member === 'string' && !VISIBLE.test(member)
    return blank ? [{ code: 'clearance/not-identifiable', pointer: pointer(...path, name) }] : []
  })
}

function parse<Schema extends TSchema>(schema: Schema, value: unknown): Decision<Static<Schema>, DocumentRefusal> {
  const problems = checksBySchema.get(schema)?.(value) ?? documentCheck(schema)(value)
  return problems.length === 0 ? accept(value as Static<Schema>) : refuse({ code: 'clearance/unreadable', problems })
}

/** EXP-CLR is for goods cleared for export and TRN-CLR for transit: each message type has its own legal basis. */
function kindProblem(type: BodyType, clearance: Clearance): Problem | undefined {
  const expected = type === 'EXP-CLR' ? 'EX' : type === 'TRN-CLR' ? 'TR' : clearance.declaration.kind
  if (clearance.declaration.kind === expected) return undefined
  return { code: 'clearance/kind-contradicts-type', pointer: '/declaration/kind', facts: { expected } }
}

/**
 * Decides whether the body of a message can be read as its type says.
 *
 * Why: only the unreadable and the not identifiable are refused here; a defect of number, sum or date travels on.
 * @param messageType one of EXP-CLR, TRN-CLR, AMD, CNL, DEP, ARR, DSC
 * @param value the body from the strict JSON reader
 * @returns the typed body, or every defect with its JSON pointer
 * @law STOP-2021/1.4-r1
 */
export function parseBody(messageType: string, value: unknown): Decision<Body, DocumentRefusal> {
  if (!isBodyType(messageType))
    return refuse({ code: 'clearance/unreadable', problems: [{ code: 'clearance/message-type-unknown', pointer: '' }] })
  const parsed = parse<TSchema>(bodySchemas[messageType], value)
  if (!parsed.ok) return parsed
  const body = { type: messageType, content: parsed.value } as Body
  const contradiction = isClearanceBody(body) ? kindProblem(body.type, body.content) : undefined
  return contradiction ? refuse({ code: 'clearance/unreadable', problems: [contradiction] }) : accept(body)
}

/** Decides whether one record of our own intake format can be read; `record` names its kind. */
export function parseRecord(record: string, content: unknown): Decision<HomeRecord, DocumentRefusal> {
  if (!isRecordKind(record))
    return refuse({ code: 'clearance/unreadable', problems: [{ code: 'clearance/record-unknown', pointer: '' }] })
  const parsed = parse<TSchema>(recordSchemas[record], content)
  return parsed.ok ? accept({ record, content: parsed.value } as HomeRecord) : parsed
}

export function isBodyType(text: string): text is BodyType {
  return Object.hasOwn(bodySchemas, text)
}

export function isClearanceBody(body: Body): body is Extract<Body, { content: Clearance }> {
  return body.type === 'EXP-CLR' || body.type === 'TRN-CLR' || body.type === 'AMD'
}

function isRecordKind(text: string): text is HomeRecord['record'] {
  return Object.hasOwn(recordSchemas, text)
}
