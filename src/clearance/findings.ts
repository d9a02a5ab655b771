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

const SLIP_QUESTIONS_MAX = 1000

/**
 * Makes a search among known identifiers for the one that a value is a slip away from: one character, or two neighbours
 * changed over. It answers only when there is just one. The index is built at the first question, and after a thousand
 * questions it answers no more: a list with so many slips is of another train, and hostile input must stay cheap.
 */
export function slipSearch(known: Iterable<string>): (value: string) => string | undefined {
  let byMask: Map<string, string[]> | undefined
  let asked = 0
  return (value) => {
    asked += 1
    if (asked > SLIP_QUESTIONS_MAX) return undefined
    byMask ??= indexByMask(known)
    const close = new Set(maskOf(value).flatMap((mask) => byMask?.get(mask) ?? []))
    for (const swapped of neighboursChanged(value)) if (byMask.get(swapped)) close.add(swapped)
    close.delete(value)
    return close.size === 1 ? [...close][0] : undefined
  }
}

function indexByMask(known: Iterable<string>): Map<string, string[]> {
  const index = new Map<string, string[]>()
  for (const id of new Set(known)) {
    for (const mask of [id, ...maskOf(id)]) {
      const ids = index.get(mask)
      if (ids) ids.push(id)
      else index.set(mask, [id])
    }
  }
  return index
}

/** The value with each one of its characters taken out of account. */
function maskOf(value: string): string[] {
  return Array.from(value, (_, place) => `${value.slice(0, place)}\u0000${value.slice(place + 1)}`)
}

function neighboursChanged(value: string): string[] {
  return Array.from(
    { length: Math.max(0, value.length - 1) },
    (_, place) => value.slice(0, place) + value[place + 1] + value[place] + value.slice(place + 2),
  )
}
