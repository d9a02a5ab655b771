import { type DecimalText, parseDecimal } from '../kernel/index.ts'

/** The bounds that rules state, and what holds where nothing is published. */
const DEFAULT_BOUNDS = {
  /** Share by which masses of two levels may differ, in per cent of the larger. */
  massTolerancePercent: '0.5',
  /** How much a unit listed as empty may weigh over its tare, in kg. */
  emptyExcessKgMax: '1000',
  /** How far ahead of the clock an instant may lie before it counts as the future, in seconds. */
  aheadSecondsMax: '300',
} as const satisfies Readonly<Record<string, DecimalText>>
export type BoundName = keyof typeof DEFAULT_BOUNDS

/** How far two administrations' clocks may differ before an instant counts as the future, where no rule says it. */
export const aheadSecondsAllowed = Number(DEFAULT_BOUNDS.aheadSecondsMax)

/**
 * The rules of the second level as one side published them: which warnings it gives and with which bounds.
 *
 * Why a profile: the partner's rules run at the sender first, so that nobody learns from a rejection what a list said.
 */
export interface RuleProfile {
  /** Whether this side warns of the code. */
  readonly warns: (code: string) => boolean
  /** A bound of one rule. */
  readonly bound: (code: string, name: BoundName) => DecimalText
}

/** What holds where nothing is published: every warning, with the default bounds. */
export const defaultRules: RuleProfile = { warns: () => true, bound: (_, name) => DEFAULT_BOUNDS[name] }

export interface PublishedRule {
  readonly code: string
  readonly level: 'error' | 'warning'
  /** By the names of the bounds; a missing or unreadable one leaves the default. */
  readonly parameters?: Readonly<Record<string, string | number>>
}

/** Reads a side's published rules: it warns of the codes it lists as warnings, with the bounds it states for each. */
export function readRuleProfile(rules: readonly PublishedRule[]): RuleProfile {
  const warned = new Set(rules.flatMap(({ code, level }) => (level === 'warning' ? [code] : [])))
  const bounds = new Map<string, DecimalText>()
  for (const { code, parameters = {} } of rules) {
    for (const [name, stated] of Object.entries(parameters)) {
      const bound = parseDecimal(String(stated))
      if (bound !== undefined && !bound.startsWith('-')) bounds.set(`${code} ${name}`, bound)
    }
  }
  return {
    warns: (code) => warned.has(code),
    bound: (code, name) => bounds.get(`${code} ${name}`) ?? DEFAULT_BOUNDS[name],
  }
}
