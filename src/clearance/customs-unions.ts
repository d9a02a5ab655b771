import type { CountryCode } from '../kernel/index.ts'

/** The Eurasian Economic Union: one nomenclature, and goods of one member may leave over another's border. */
const EAEU: ReadonlySet<CountryCode> = new Set(['AM', 'BY', 'KG', 'KZ', 'RU'])

export function isEaeu(country: CountryCode): boolean {
  return EAEU.has(country)
}

/** Whether two different states belong to one customs union. */
export function shareUnion(a: CountryCode, b: CountryCode): boolean {
  return a !== b && isEaeu(a) && isEaeu(b)
}
