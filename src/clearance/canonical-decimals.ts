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
 * Gives a document with its decimals in canonical form, so that `27000.50` and `27000.5` are the same content and what
 * leaves is written in one way. Everything else stays as it is; a text that is no decimal stays too.
 * @returns the document itself where nothing had to change, else a copy of what changed
 */
export function canonicalDecimals<Document>(document: Document): Document {
  return canonical(document, '') as Document
}

function canonical(value: unknown, name: string): unknown {
  if (typeof value === 'string')
    return !isDecimalMember(name) || isCanonicalDecimal(value) ? value : (parseDecimal(value) ?? value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item, name))
    return items.every((item, index) => item === value[index]) ? value : items
  }
  const changed: Array<[string, unknown]> = []
  for (const [member, held] of Object.entries(value)) {
    const made = canonical(held, member)
    if (made !== held) changed.push([member, made])
  }
  return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) }
}
