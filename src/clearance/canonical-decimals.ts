import { parseDecimal } from '../kernel/index.ts'

/** Members that hold a decimal as text, by name, wherever they stand; `value` is that of an amount or a quantity. */
const DECIMAL_MEMBERS: ReadonlySet<string> = new Set([
  ...['grossMass', 'netMass', 'tareMass', 'totalGrossMass', 'totalNetMass', 'massAfter', 'massAtReloading'],
  'value',
])

export function isDecimalMember(name: string): boolean {
  return DECIMAL_MEMBERS.has(name)
}

/** Whether a decimal of the schemas is already in canonical form. */
export function isCanonicalDecimal(text: string): boolean {
  return /^(0|[1-9]\d*)(\.\d*[1-9])?$/.test(text)
}

/**
 * Copies a document with its decimals in canonical form, so that `27000.50` and `27000.5` are the same content and what
 * leaves is written in one way. Everything else stays as it is; a text that is no decimal stays too.
 */
export function canonicalDecimals<Document>(document: Document): Document {
  return copy(document, '') as Document
}

function copy(value: unknown, name: string): unknown {
  if (typeof value === 'string')
    return !isDecimalMember(name) || isCanonicalDecimal(value) ? value : (parseDecimal(value) ?? value)
  if (Array.isArray(value)) return value.map((item) => copy(item, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, held]) => [member, copy(held, member)]))
}
