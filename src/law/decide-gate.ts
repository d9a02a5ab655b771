import {
  accept,
  addToDate,
  type ClauseRef,
  type CountryCode,
  compareDates,
  countryOf,
  type Decision,
  type PlainDate,
  refuse,
} from '../kernel/index.ts'
import { computeTerm, type Term, type TermWarning } from './compute-term.ts'
import type { ConditionsVersion, GateFacts, HeadApproval, WorkingGroupDecision } from './gate-facts.ts'
import type { Law } from './law.ts'
import type { ExchangeGate, Instrument } from './treaty-files.ts'

/** What may pass. `live` is the state production as it stands in signed objects. */
export interface GateOpen {
  readonly mode: 'test' | 'live'
  readonly agreement: string
  readonly conditionsVersionForSending: string
  /** Every version a received message may be written by, the one for sending first. */
  readonly acceptedVersions: readonly string[]
  readonly warnings: readonly GateWarning[]
}

export type GateWarning =
  | TermWarning
  | {
      readonly code: 'law/parent-ended'
      readonly clause: ClauseRef
      readonly parent: string
      readonly endedOn: PlainDate
    }
  | {
      readonly code: 'law/conditions-lapse-soon'
      readonly clause: ClauseRef
      readonly version: string
      readonly validUntil: PlainDate
    }

/** In order of precedence: when several apply, only the first is returned. */
export type GateRefusal =
  | { readonly code: 'law/no-agreement'; readonly agreement: string }
  | { readonly code: 'law/agreement-not-in-force'; readonly clause: ClauseRef; readonly inForceOn?: PlainDate }
  | { readonly code: 'law/agreement-ended'; readonly clause: ClauseRef; readonly endedOn: PlainDate }
  | { readonly code: 'law/term-uncertain'; readonly clause: ClauseRef; readonly endedOn: PlainDate }
  | { readonly code: 'law/channel-closed'; readonly clause: ClauseRef }
  | { readonly code: 'law/channel-suspended'; readonly clause: ClauseRef }
  | VersionRefusal

/** What one version lacks, in order of precedence. */
export type VersionRefusal =
  | { readonly code: 'law/working-group-missing'; readonly clause: ClauseRef }
  | { readonly code: 'law/content-undetermined'; readonly clause: ClauseRef }
  | { readonly code: 'law/technology-not-agreed'; readonly clause: ClauseRef }
  | { readonly code: 'law/protection-not-agreed'; readonly clause: ClauseRef }
  | { readonly code: 'law/conditions-missing'; readonly clause: ClauseRef }
  | { readonly code: 'law/conditions-not-agreed'; readonly clause: ClauseRef; readonly version: string }
  | ({ readonly code: 'law/approval-digest-differs'; readonly clause: ClauseRef } & OfSide)
  | ({ readonly code: 'law/approval-missing'; readonly clause: ClauseRef } & OfSide)
  | {
      readonly code: 'law/annex-not-approved'
      readonly clause: ClauseRef
      readonly version: string
      readonly annex: string
    }
  | {
      readonly code: 'law/conditions-not-yet-valid'
      readonly clause: ClauseRef
      readonly version: string
      readonly validFrom: PlainDate
    }
  | {
      readonly code: 'law/conditions-lapsed'
      readonly clause: ClauseRef
      readonly version: string
      readonly validUntil: PlainDate
    }

interface OfSide {
  readonly version: string
  readonly side: CountryCode
}

const versionRanks = [
  'law/working-group-missing',
  'law/content-undetermined',
  'law/technology-not-agreed',
  'law/protection-not-agreed',
  'law/conditions-missing',
  'law/conditions-not-agreed',
  'law/approval-digest-differs',
  'law/approval-missing',
  'law/annex-not-approved',
  'law/conditions-not-yet-valid',
  'law/conditions-lapsed',
] as const satisfies ReadonlyArray<VersionRefusal['code']>

/**
 * Decides whether messages may pass between home and a partner, in which mode, and by which Technical Conditions.
 *
 * Why: the sender, the receiver and the board must give one answer. Live exchange needs the agreement in force, the
 * channel in production, what the working group had to decide, a version agreed and approved by both heads, and that
 * version within its dates. Versions may overlap for trains under way: several are accepted, the latest is sent.
 * Test mode needs the channel in test and a registered version, however drafted; its data are invented.
 * @law STOP-2021/2.4-r2, STOP-2021/3, STOP-2021/3.a, STOP-2021/3.b-r1, STOP-2021/4-r3, STOP-2021/4-r4, STOP-2021/5.2-r2
 */
export function decideGate(law: Law, facts: GateFacts, on: PlainDate): Decision<GateOpen, GateRefusal> {
  const basis = findBasis(law, facts)
  if (!basis) return refuse({ code: 'law/no-agreement', agreement: facts.agreement })
  const { gate } = basis
  if (facts.state === 'test') return decideTest(basis, facts)

  const standing = decideStanding(law, basis.instrument, facts, on)
  if (!standing.ok) return standing
  if (facts.state === 'closed') return refuse({ code: 'law/channel-closed', clause: gate.start })
  if (facts.state === 'suspended') return refuse({ code: 'law/channel-suspended', clause: gate.start })

  const versions = decideVersions(basis, facts, on)
  if (!versions.ok) return versions
  const [current] = versions.value
  const warnings = [...standing.value, ...warnOfLapse(law, gate, facts, current, on)]
  return accept({
    mode: 'live',
    agreement: basis.instrument.id,
    conditionsVersionForSending: current.version,
    acceptedVersions: versions.value.map(({ version }) => version),
    warnings,
  })
}

/** An instrument that opens an exchange between these two, with its gate clauses. */
export interface ExchangeBasis {
  readonly instrument: Instrument
  readonly gate: ExchangeGate
}

export function findBasis(
  law: Law,
  facts: Pick<GateFacts, 'agreement' | 'home' | 'partner'>,
): ExchangeBasis | undefined {
  const instrument = law.findInstrument(facts.agreement)
  const countries = [countryOf(facts.home), countryOf(facts.partner)]
  const ofSides = countries.every((country) => instrument?.sides.some((side) => side.country === country))
  if (!instrument?.exchange || !ofSides || countries[0] === countries[1]) return undefined
  return { instrument, gate: instrument.exchange }
}

function decideTest({ instrument, gate }: ExchangeBasis, facts: GateFacts): Decision<GateOpen, GateRefusal> {
  const [newest, ...older] = newestFirst(facts.conditions)
  if (!newest) return refuse({ code: 'law/conditions-missing', clause: gate.start })
  return accept({
    mode: 'test',
    agreement: instrument.id,
    conditionsVersionForSending: newest.version,
    acceptedVersions: [newest, ...older].map(({ version }) => version),
    warnings: [],
  })
}

/** Decides whether the agreement carries an exchange on that day, and what must be warned of. */
function decideStanding(
  law: Law,
  instrument: Instrument,
  facts: GateFacts,
  on: PlainDate,
): Decision<readonly GateWarning[], GateRefusal> {
  const term = computeTerm(law, instrument, on, facts.term)
  const { inForceOn } = term
  switch (term.standing) {
    case 'draft':
    case 'undated':
    case 'not-yet':
      return refuse({
        code: 'law/agreement-not-in-force',
        clause: instrument.entry.clause,
        ...(inForceOn !== undefined && { inForceOn }),
      })
    case 'ended':
      return refuse({ code: 'law/agreement-ended', clause: clauseOfEnd(instrument), endedOn: lastDay(term) })
    case 'uncertain': {
      const clause = clauseOfEnd(instrument)
      const setting = law.value(clause, 'uncertainTerm', on)?.value
      if (setting !== 'warn-and-stay-open')
        return refuse({ code: 'law/term-uncertain', clause, endedOn: lastDay(term) })
      return accept([...term.warnings, ...warnOfParent(law, instrument, facts, on)])
    }
    case 'in-force':
      return accept([...term.warnings, ...warnOfParent(law, instrument, facts, on)])
  }
}

function clauseOfEnd({ term, entry }: Instrument): ClauseRef {
  if (term.model === 'renewing') return term.renewal
  return term.model === 'indefinite' ? term.notice : entry.clause
}

function lastDay(term: Term): PlainDate {
  const ends = term.readings.flatMap(({ endsOn }) => endsOn ?? [])
  return term.endsOn ?? ends.sort(compareDates)[0] ?? term.on
}

function warnOfParent(law: Law, { parent }: Instrument, facts: GateFacts, on: PlainDate): readonly GateWarning[] {
  if (!parent) return []
  const term = computeTerm(law, law.instrument(parent.instrument), on, facts.parentTerm)
  if (term.standing !== 'ended') return []
  return [{ code: 'law/parent-ended', clause: parent.clause, parent: parent.instrument, endedOn: lastDay(term) }]
}

function warnOfLapse(
  law: Law,
  gate: ExchangeGate,
  facts: GateFacts,
  current: ConditionsVersion,
  on: PlainDate,
): readonly GateWarning[] {
  const { version, validUntil } = current
  const days = law.value(gate.lifeCycle, 'lapseWarningDays', on)?.value
  if (validUntil === undefined || typeof days !== 'number') return []
  if (compareDates(on, addToDate(validUntil, { days: -days })) < 0) return []
  const basis = { gate, instrument: law.instrument(facts.agreement) }
  if (decideVersions(basis, facts, addToDate(validUntil, { days: 1 })).ok) return []
  return [{ code: 'law/conditions-lapse-soon', clause: gate.lifeCycle, version, validUntil }]
}

/**
 * Decides which versions carry live exchange on a day, the one for sending first.
 *
 * @returns when there is none, what the version that came furthest still lacks
 */
export function decideVersions(
  basis: ExchangeBasis,
  facts: GateFacts,
  on: PlainDate,
): Decision<readonly [ConditionsVersion, ...ConditionsVersion[]], VersionRefusal> {
  const accepted: ConditionsVersion[] = []
  let refusal: VersionRefusal = prerequisiteMissing(basis.gate, facts, undefined, on) ?? {
    code: 'law/conditions-missing',
    clause: basis.gate.start,
  }
  for (const conditions of newestFirst(facts.conditions)) {
    const lacks = findLack(basis, facts, conditions, on)
    if (!lacks) accepted.push(conditions)
    else if (versionRanks.indexOf(lacks.code) > versionRanks.indexOf(refusal.code)) refusal = lacks
  }
  const [current, ...others] = accepted
  return current ? accept([current, ...others] as const) : refuse(refusal)
}

/** The stage a version has reached on a day. */
export type ConditionsStage = 'draft' | 'agreed' | 'approved' | 'in-force' | 'superseded' | 'lapsed'

/**
 * Computes the stage of a version: a draft until the working group agrees it, agreed until both heads approve it,
 * approved until its first day; then in force, superseded (still accepted, no longer sent) or lapsed.
 *
 * @law STOP-2021/2.4-r1
 */
export function stageOf(
  basis: ExchangeBasis,
  facts: GateFacts,
  conditions: ConditionsVersion,
  on: PlainDate,
): ConditionsStage {
  if (!isAgreed(facts, conditions, on)) return 'draft'
  const lacks = findLack(basis, facts, conditions, on)
  if (!lacks) {
    const versions = decideVersions(basis, facts, on)
    return versions.ok && versions.value[0].version === conditions.version ? 'in-force' : 'superseded'
  }
  if (lacks.code === 'law/conditions-lapsed') return 'lapsed'
  return lacks.code === 'law/conditions-not-yet-valid' ? 'approved' : 'agreed'
}

function findLack(
  { instrument, gate }: ExchangeBasis,
  facts: GateFacts,
  conditions: ConditionsVersion,
  on: PlainDate,
): VersionRefusal | undefined {
  const { version, bodyDigest, annexes, validFrom, validUntil } = conditions
  const missing = prerequisiteMissing(gate, facts, version, on)
  if (missing) return missing
  if (!isAgreed(facts, conditions, on)) return { code: 'law/conditions-not-agreed', clause: gate.conditions, version }

  const sides = instrument.sides.map(({ country }) => country)
  const approvals = facts.approvals.filter(
    (approval) => approval.version === version && compareDates(approval.approvedOn, on) <= 0,
  )
  for (const side of sides) {
    const own = approvals.filter((approval) => approval.side === side && approval.annex === undefined)
    if (own.some(({ digest }) => digest === bodyDigest)) continue
    const code = own.length > 0 ? 'law/approval-digest-differs' : 'law/approval-missing'
    return { code, clause: gate.approvals, version, side }
  }
  for (const annex of annexes) {
    const approved =
      annex.approvedBy === 'heads'
        ? sides.every((side) => approvals.some((approval) => isOfAnnex(approval, annex) && approval.side === side))
        : effective(facts, on).some(
            (decision) => decision.kind === 'annex' && decision.version === version && isOfAnnex(decision, annex),
          )
    if (!approved) return { code: 'law/annex-not-approved', clause: gate.approvals, version, annex: annex.name }
  }
  if (compareDates(on, validFrom) < 0)
    return { code: 'law/conditions-not-yet-valid', clause: gate.start, version, validFrom }
  if (validUntil !== undefined && compareDates(on, validUntil) > 0)
    return { code: 'law/conditions-lapsed', clause: gate.start, version, validUntil }
  return undefined
}

/** What the working group must have done before any version counts. */
function prerequisiteMissing(
  gate: ExchangeGate,
  facts: GateFacts,
  version: string | undefined,
  on: PlainDate,
): VersionRefusal | undefined {
  const decided = (kind: WorkingGroupDecision['kind']) =>
    effective(facts, on).some(
      (decision) => decision.kind === kind && (decision.version === undefined || decision.version === version),
    )
  if (!decided('established')) return { code: 'law/working-group-missing', clause: gate.workingGroup }
  if (!decided('content')) return { code: 'law/content-undetermined', clause: gate.content }
  if (!decided('technology')) return { code: 'law/technology-not-agreed', clause: gate.technology }
  if (!decided('protection')) return { code: 'law/protection-not-agreed', clause: gate.protection }
  return undefined
}

/** Whether the working group has agreed exactly this content. */
export function isAgreed(facts: GateFacts, { version, bodyDigest }: ConditionsVersion, on: PlainDate): boolean {
  return effective(facts, on).some(
    (decision) => decision.kind === 'conditions' && decision.version === version && decision.digest === bodyDigest,
  )
}

function effective(facts: GateFacts, on: PlainDate): readonly WorkingGroupDecision[] {
  return facts.decisions.filter(({ decidedOn }) => compareDates(decidedOn, on) <= 0)
}

function isOfAnnex(
  act: Pick<HeadApproval | WorkingGroupDecision, 'annex' | 'digest'>,
  annex: { readonly name: string; readonly digest: string },
): boolean {
  return act.annex === annex.name && act.digest === annex.digest
}

function newestFirst(conditions: readonly ConditionsVersion[]): readonly ConditionsVersion[] {
  return [...conditions].sort(
    (a, b) => compareDates(b.validFrom, a.validFrom) || b.version.localeCompare(a.version, 'en', { numeric: true }),
  )
}
