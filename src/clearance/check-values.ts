/** Checks every text, country, currency and decimal of a document, wherever it stands. */
import type { Problem } from '../kernel/index.ts'
import { isCanonicalDecimal, isDecimalMember } from './canonical-decimals.ts'
import { findTextDefects } from './find-text-defects.ts'
import { type CheckContext, finding, type Path } from './findings.ts'

const COUNTRY_NAMES = new Set(['country', 'exportCountry', 'destinationCountry', 'originCountry', 'routingCountries'])

export function checkValues(document: object, context: CheckContext): Problem[] {
  const problems: Problem[] = []
  visit(document, '', [])
  return problems

  /** An item of an array goes by the array's name. */
  function visit(value: unknown, name: string, path: Path): void {
    if (typeof value === 'string') checkText(value, name, path)
    else if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(item, name, [...path, index])
    else if (typeof value === 'object' && value !== null)
      for (const [member, held] of Object.entries(value))
        if (member !== 'warnings') visit(held, member, [...path, member])
  }

  function checkText(text: string, name: string, path: Path): void {
    const { countries, currencies } = context.reference
    for (const code of findTextDefects(text)) problems.push(finding(code, path))
    if (COUNTRY_NAMES.has(name) && !countries.has(text)) problems.push(finding('clearance/country-unknown', path))
    if (name === 'currency' && !currencies.has(text)) problems.push(finding('clearance/currency-unknown', path))
    if (isDecimalMember(name) && !isCanonicalDecimal(text))
      problems.push(finding('clearance/decimal-not-canonical', path))
  }
}
