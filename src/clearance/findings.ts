import { type Instant, type Problem, pointer } from '../kernel/index.ts'
import type { Reference } from './reference/index.ts'
import type { RuleProfile } from './rule-profile.ts'

/** What a check of the second level may ask besides the record itself. */
export interface CheckContext {
  readonly reference: Reference
  readonly rules: RuleProfile
  readonly now: Instant
}

export type Path = ReadonlyArray<string | number>

export function finding(code: string, path: Path, facts?: Problem['facts']): Problem {
  const at = pointer(...path)
  return facts === undefined ? { code, pointer: at } : { code, pointer: at, facts }
}

/** A body carries no more warnings than this; the last one says that more were found. */
export const WARNINGS_MAX = 999

/**
 * Joins the warnings of several readers of one record, such as our rules and the partner's: each code once per place,
 * in the order first given, and never more than a body may carry.
 */
export function mergeWarnings(...lists: ReadonlyArray<readonly Problem[]>): Problem[] {
  const first = new Map<string, Problem>()
  for (const problem of lists.flat()) {
    const key = `${problem.code} ${problem.pointer}`
    if (!first.has(key)) first.set(key, problem)
  }
  const all = [...first.values()]
  if (all.length <= WARNINGS_MAX) return all
  const cut = all.length - WARNINGS_MAX + 1
  return [...all.slice(0, WARNINGS_MAX - 1), finding('clearance/more-warnings', [], { count: cut })]
}

/** The places of values that stood at an earlier place already. */
export function repeats<Item>(items: readonly Item[], key: (item: Item) => string): number[] {
  const seen = new Set<string>()
  return items.flatMap((item, index) => {
    const value = key(item)
    if (seen.has(value)) return [index]
    seen.add(value)
    return []
  })
}

/** The known identifier that differs by one character or by two neighbours changed over, when there is just one. */
export function closeIdentifier(value: string, known: Iterable<string>): string | undefined {
  const close = [...known].filter((candidate) => differsByOneSlip(value, candidate))
  return close.length === 1 ? close[0] : undefined
}

function differsByOneSlip(a: string, b: string): boolean {
  if (a.length !== b.length || a === b) return false
  const places = Array.from(a, (_, index) => index).filter((index) => a[index] !== b[index])
  const [first = 0, second] = places
  if (places.length === 1) return true
  return places.length === 2 && second === first + 1 && a[first] === b[second] && a[second] === b[first]
}
