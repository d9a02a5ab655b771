import { conditionsCodes } from '../../src/clearance/index.ts'
import type { CodeList } from '../../src/kernel/index.ts'
import type { PublishedCodes } from './stop-package.ts'

/** Codes that never leave home: what a home system or an officer is told, and the balance of a temporary declaration. */
const home: ReadonlySet<string> = new Set([
  'clearance/record-unknown',
  'clearance/declaration-unknown',
  'clearance/declaration-not-held',
  'clearance/record-too-large',
  'clearance/leg-unknown',
  'clearance/leg-not-listed',
  'clearance/leg-departed',
  'clearance/leg-closed',
  'clearance/balance-overdrawn',
  'clearance/balance-unweighed',
  'clearance/balance-after-term',
  // What is not on the list at all does not pass the schema: a partner is told `clearance/element-unknown`.
  'clearance/element-not-listed',
])

/** The codes that a partner can meet: refusals are errors, warnings are warnings; grounds and faults stay at home. */
export function publishedCodes(clearanceCodes: CodeList): PublishedCodes {
  const levels = { refusal: 'error', warning: 'warning' } as const
  return new Map(
    Object.entries({ ...clearanceCodes, ...conditionsCodes } as CodeList).flatMap(([code, { kind }]) =>
      (kind === 'refusal' || kind === 'warning') && !home.has(code) ? [[code, levels[kind]] as const] : [],
    ),
  )
}
