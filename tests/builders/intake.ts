/** Builders of the intake: sources in pieces, and documents that any schema of the model allows. */
import fc from 'fast-check'
import { type IntakeEntry, type IntakeLimits, readSubmission } from '../../src/clearance/intake/index.ts'

export const home = { homeCountry: 'KZ', homeZone: 'Asia/Almaty' } as const

export const bytesOf = (content: string | Uint8Array): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(content)

/** Bytes in pieces of the given sizes, over and over; without sizes in one piece. */
export async function* inPieces(
  content: string | Uint8Array,
  sizes: readonly number[] = [],
): AsyncGenerator<Uint8Array> {
  const bytes = bytesOf(content)
  if (sizes.length === 0) {
    yield bytes
    return
  }
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

/** Reads a submission whole. */
export async function readAll(
  content: string | Uint8Array,
  options: {
    sizes?: readonly number[]
    limits?: Partial<IntakeLimits>
    declarationVersion?: number
    homeCountry?: string
    homeZone?: string
  } = {},
): Promise<IntakeEntry[]> {
  const { sizes, ...rest } = options
  const entries: IntakeEntry[] = []
  for await (const entry of readSubmission(inPieces(content, sizes), { ...home, ...rest })) entries.push(entry)
  return entries
}

/** The codes of an entry's problems, in order; empty when the record was taken. */
export const codesOf = (entry: IntakeEntry | undefined): string[] =>
  entry === undefined || entry.result.ok ? [] : entry.result.refusal.problems.map(({ code }) => code)

/** The problems of an entry as `code pointer`. */
export const problemsOf = (entry: IntakeEntry | undefined): string[] =>
  entry === undefined || entry.result.ok
    ? []
    : entry.result.refusal.problems.map(({ code, pointer }) => `${code} ${pointer}`)

export const notesOf = (entry: IntakeEntry | undefined): string[] =>
  entry?.notes.map(({ code, pointer }) => `${code} ${pointer}`) ?? []

interface Shape {
  readonly type?: string
  readonly pattern?: string
  readonly format?: string
  readonly const?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minProperties?: number
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
}

const twoDigits = (max: number, min = 1) => fc.integer({ min, max }).map((value) => String(value).padStart(2, '0'))
const day = fc.tuple(fc.integer({ min: 1990, max: 2040 }), twoDigits(12), twoDigits(28)).map((parts) => parts.join('-'))
const time = fc.tuple(twoDigits(23, 0), twoDigits(59, 0), twoDigits(59, 0)).map((parts) => parts.join(':'))
const instant = fc.tuple(day, time).map(([on, at]) => `${on}T${at}.000Z`)
/** Canonical decimals of at most 16 and 6 digits. */
export const decimal = fc
  .tuple(fc.bigInt({ min: 0n, max: 9_999_999_999_999_999n }), fc.integer({ min: 0, max: 999_999 }))
  .map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`.replace(/\.?0+$/, ''))

/** Texts in several scripts, without spaces at their ends and without what is not seen. */
const visible = fc
  .string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'Aa1-/. ,;"\'=+@|\\<>&{}[]:éЖқ中文ქ'.split('')) })
  .map((text) => text.trim())
  .filter((text) => text !== '')

/** Documents that a schema of the model allows. */
export function arbitraryOf(schema: object): fc.Arbitrary<unknown> {
  const shape = schema as Shape
  if (shape.anyOf) return fc.oneof(...shape.anyOf.map((arm) => arbitraryOf(arm)))
  if (shape.const !== undefined) return fc.constant(shape.const)
  switch (shape.type) {
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: shape.minimum ?? 0, max: shape.maximum ?? 9999 })
    case 'array':
      return fc.array(arbitraryOf(shape.items ?? {}), {
        minLength: shape.minItems ?? 0,
        maxLength: (shape.minItems ?? 0) + 2,
      })
    case 'object': {
      const members = Object.entries(shape.properties ?? {})
      const model = Object.fromEntries(members.map(([name, member]) => [name, arbitraryOf(member)]))
      const requiredKeys = [...(shape.required ?? [])]
      if (shape.minProperties !== undefined && requiredKeys.length === 0) requiredKeys.push(members[0]?.[0] ?? '')
      return fc.record(model, { requiredKeys })
    }
    default:
      return stringOf(shape)
  }
}

function stringOf(shape: Shape): fc.Arbitrary<string> {
  if (shape.format === 'date-time') return instant
  if (shape.format === 'date') return day
  if (shape.pattern?.startsWith('^\\d{1,16}')) return decimal
  if (shape.pattern?.startsWith('^[^') || shape.pattern === undefined) {
    const max = shape.maxLength ?? 12
    return visible.map((text) => text.slice(0, max).trim()).filter((text) => text !== '')
  }
  return fc.stringMatching(new RegExp(shape.pattern))
}
