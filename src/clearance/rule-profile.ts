import { type DecimalText, parseDecimal } from '../kernel/index.ts'

/**
 * The rules of the second level as one side published them: which warnings it gives and with which bounds.
 *
 * Why a profile: the partner's rules run at the sender first, so that nobody learns from a rejection what a list said.
 */
export interface RuleProfile {
  /** Share by which masses of two levels may differ, in per cent of the larger. */
  readonly massTolerancePercent: DecimalText
  /** How much a box or wagon listed as empty may weigh over its tare, in kg. */
  readonly emptyExcessKgMax: DecimalText
  /** How far ahead of the clock an instant may lie before it counts as the future. */
  readonly aheadSecondsMax: number
  /** Whether this side warns of the code. */
  readonly warns: (code: string) => boolean
}

/** What holds where nothing is published. */
export const defaultRules: RuleProfile = {
  massTolerancePercent: '0.5',
  emptyExcessKgMax: '1000',
  aheadSecondsMax: 300,
  warns: () => true,
}

export interface PublishedRule {
  readonly code: string
  readonly level: 'error' | 'warning'
  readonly parameters?: Readonly<Record<string, string | number>>
}

/**
 * Reads a side's published rules: it warns of the codes it lists, with the bounds it states.
 *
 * Parameters: `clearance/gross-mass-sum` `massTolerancePercent`, `clearance/empty-too-heavy` `emptyExcessKgMax`,
 * `clearance/acceptance-in-future` `aheadSecondsMax`; a missing or unreadable one leaves the default.
 */
export function readRuleProfile(rules: readonly PublishedRule[]): RuleProfile {
  const byCode = new Map(rules.map((rule) => [rule.code, rule]))
  const parameter = (code: string, name: string) => byCode.get(code)?.parameters?.[name]
  const decimal = (code: string, name: string, fallback: DecimalText) =>
    parseDecimal(String(parameter(code, name) ?? '')) ?? fallback
  return {
    massTolerancePercent: decimal(
      'clearance/gross-mass-sum',
      'massTolerancePercent',
      defaultRules.massTolerancePercent,
    ),
    emptyExcessKgMax: decimal('clearance/empty-too-heavy', 'emptyExcessKgMax', defaultRules.emptyExcessKgMax),
    aheadSecondsMax: Number(
      decimal('clearance/acceptance-in-future', 'aheadSecondsMax', String(defaultRules.aheadSecondsMax)),
    ),
    warns: (code) => byCode.get(code)?.level === 'warning',
  }
}
