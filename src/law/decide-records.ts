import {
  accept,
  type ClauseRef,
  type CountryCode,
  compareDates,
  type Decision,
  isPlainDate,
  type PlainDate,
  refuse,
} from '../kernel/index.ts'
import type { TerminationNotice } from './compute-term.ts'
import { type ExchangeBasis, isAgreed } from './decide-gate.ts'
import { type Digest, digestOf, isDigest } from './digest.ts'
import type {
  ActPerson,
  ConditionsVersion,
  GateFacts,
  HeadApproval,
  TwoPersonAct,
  WorkingGroupDecision,
} from './gate-facts.ts'
import type { Instrument } from './treaty-files.ts'

/** In order of precedence: when several apply, only the first is returned. */
export type RegistrationRefusal =
  | { readonly code: 'law/conditions-dates-invalid'; readonly version: string }
  | { readonly code: 'law/section-missing'; readonly clause: ClauseRef; readonly section: string }
  | { readonly code: 'law/conditions-frozen'; readonly clause: ClauseRef; readonly version: string }
  | {
      readonly code: 'law/annex-not-approved'
      readonly clause: ClauseRef
      readonly version: string
      readonly annex: string
    }
  | { readonly code: 'law/reference-missing'; readonly clause: ClauseRef }

/** A version to be registered, with what its body says about itself. */
export interface ConditionsRegistration extends ConditionsVersion {
  /** The sections that the body has, by the names that the instrument asks for. */
  readonly sections: readonly string[]
  /** The decision that new dates or a new annex of an approved version rest on. */
  readonly decisionReference?: string
}

/**
 * Decides whether a version of the Technical Conditions may be registered, or registered anew with other content.
 *
 * Why: a draft may change freely; from the first approval on its body is frozen, so that nobody exchanges by a text
 * that a head has not seen. Dates, and annexes that the working group approves, still change by its decision.
 * @law STOP-2021/2.4-r1, STOP-2021/1.4-r1, STOP-2021/1.4-r2, STOP-2021/1.4-r3, STOP-2021/1.4-r4, STOP-2021/1.4-r5
 */
export function decideRegistration(
  { gate }: ExchangeBasis,
  facts: GateFacts,
  wanted: ConditionsRegistration,
  on: PlainDate,
): Decision<ConditionsVersion, RegistrationRefusal> {
  const { sections, decisionReference, ...conditions } = wanted
  const { version, validFrom, validUntil, bodyDigest, annexes } = conditions
  const dates = [validFrom, validUntil ?? validFrom]
  const wellFormed = dates.every(isPlainDate) && compareDates(validFrom, validUntil ?? validFrom) <= 0
  if (!wellFormed) return refuse({ code: 'law/conditions-dates-invalid', version })
  for (const [section, clause] of Object.entries(gate.sections))
    if (!sections.includes(section)) return refuse({ code: 'law/section-missing', clause, section })

  const before = facts.conditions.find((known) => known.version === version)
  const approved = facts.approvals.some((approval) => approval.version === version)
  if (!before || !approved) return accept(conditions)
  const headsAnnexes = (all: ConditionsVersion['annexes']) =>
    digestOf(all.filter(({ approvedBy }) => approvedBy === 'heads').map(({ name, digest }) => [name, digest]))
  if (before.bodyDigest !== bodyDigest || headsAnnexes(before.annexes) !== headsAnnexes(annexes))
    return refuse({ code: 'law/conditions-frozen', clause: gate.lifeCycle, version })
  const changed = annexes.filter(
    ({ name, digest }) => !before.annexes.some((known) => known.name === name && known.digest === digest),
  )
  for (const { name, digest } of changed) {
    const decided = facts.decisions.some(
      (decision) =>
        decision.kind === 'annex' &&
        decision.version === version &&
        decision.annex === name &&
        decision.digest === digest &&
        compareDates(decision.decidedOn, on) <= 0,
    )
    if (!decided) return refuse({ code: 'law/annex-not-approved', clause: gate.approvals, version, annex: name })
  }
  const dropped = before.annexes.some(({ name }) => !annexes.some((annex) => annex.name === name))
  const redated = before.validFrom !== validFrom || before.validUntil !== validUntil
  const decided = facts.decisions.some(({ reference }) => reference === decisionReference)
  if ((dropped || redated) && !decided) return refuse({ code: 'law/reference-missing', clause: gate.workingGroup })
  return accept(conditions)
}

/** In order of precedence: when several apply, only the first is returned. */
export type DecisionRecordRefusal =
  | { readonly code: 'law/reference-missing'; readonly clause: ClauseRef }
  | { readonly code: 'law/date-in-future'; readonly clause: ClauseRef }
  | { readonly code: 'law/conditions-missing'; readonly clause: ClauseRef }
  | { readonly code: 'law/approval-digest-differs'; readonly clause: ClauseRef; readonly version: string }
  | { readonly code: 'law/decision-exists'; readonly clause: ClauseRef }

/**
 * Decides whether a decision of the working group may go on record.
 *
 * Why: the gate trusts it. One on the conditions or an annex names a registered version and the digest agreed; the
 * same decision again changes nothing, another under the same reference is refused.
 * @returns `known` when it is on record already
 * @law STOP-2021/3, STOP-2021/3.b-r1
 */
export function decideWorkingGroupRecord(
  { gate }: ExchangeBasis,
  facts: GateFacts,
  decision: WorkingGroupDecision,
  on: PlainDate,
): Decision<{ readonly known: boolean }, DecisionRecordRefusal> {
  const { kind, reference, decidedOn, version, annex, digest } = decision
  const clause = gate.workingGroup
  if (reference.trim() === '') return refuse({ code: 'law/reference-missing', clause })
  if (!isPlainDate(decidedOn) || compareDates(decidedOn, on) > 0) return refuse({ code: 'law/date-in-future', clause })
  if (kind === 'conditions' || kind === 'annex') {
    if (
      version === undefined ||
      digest === undefined ||
      !isDigest(digest) ||
      (kind === 'annex') !== (annex !== undefined)
    )
      return refuse({ code: 'law/conditions-missing', clause: gate.conditions })
    const conditions = facts.conditions.find((known) => known.version === version)
    if (!conditions) return refuse({ code: 'law/conditions-missing', clause: gate.conditions })
    // An annex is agreed before it is registered anew; the body is agreed as it stands.
    if (kind === 'conditions' && conditions.bodyDigest !== digest)
      return refuse({ code: 'law/approval-digest-differs', clause: gate.conditions, version })
  }
  const before = facts.decisions.find((known) => known.reference === reference)
  if (!before) return accept({ known: false })
  if (digestOf(before) !== digestOf(decision)) return refuse({ code: 'law/decision-exists', clause })
  return accept({ known: true })
}

/** In order of precedence: when several apply, only the first is returned. */
export type ApprovalRefusal =
  | { readonly code: 'law/not-a-side'; readonly clause: ClauseRef; readonly side: CountryCode }
  | { readonly code: 'law/reference-missing'; readonly clause: ClauseRef }
  | { readonly code: 'law/date-in-future'; readonly clause: ClauseRef }
  | { readonly code: 'law/conditions-missing'; readonly clause: ClauseRef; readonly version: string }
  | { readonly code: 'law/conditions-not-agreed'; readonly clause: ClauseRef; readonly version: string }
  | { readonly code: 'law/annex-unknown'; readonly clause: ClauseRef; readonly version: string; readonly annex: string }
  | {
      readonly code: 'law/approval-digest-differs'
      readonly clause: ClauseRef
      readonly version: string
      readonly side: CountryCode
    }
  | {
      readonly code: 'law/approval-exists'
      readonly clause: ClauseRef
      readonly version: string
      readonly side: CountryCode
    }

/**
 * Decides whether the approval of one side's head may go on record.
 *
 * Why: live exchange rests on two of these, one per side, each of exactly the content in use.
 * @law STOP-2021/2.4-r2, STOP-2021/P.1
 */
export function decideApproval(
  { instrument, gate }: ExchangeBasis,
  facts: GateFacts,
  approval: HeadApproval,
  on: PlainDate,
): Decision<HeadApproval, ApprovalRefusal> {
  const { version, annex, side, person, post, approvedOn, digest } = approval
  const clause = gate.approvals
  if (!instrument.sides.some(({ country }) => country === side))
    return refuse({ code: 'law/not-a-side', clause: gate.sides, side })
  if (person.trim() === '' || post.trim() === '') return refuse({ code: 'law/reference-missing', clause })
  if (!isPlainDate(approvedOn) || compareDates(approvedOn, on) > 0)
    return refuse({ code: 'law/date-in-future', clause })
  const conditions = facts.conditions.find((known) => known.version === version)
  if (!conditions) return refuse({ code: 'law/conditions-missing', clause, version })
  if (!isAgreed(facts, conditions, on))
    return refuse({ code: 'law/conditions-not-agreed', clause: gate.conditions, version })
  const inUse =
    annex === undefined ? conditions.bodyDigest : conditions.annexes.find(({ name }) => name === annex)?.digest
  if (inUse === undefined) return refuse({ code: 'law/annex-unknown', clause, version, annex: annex ?? '' })
  if (inUse !== digest) return refuse({ code: 'law/approval-digest-differs', clause, version, side })
  const exists = facts.approvals.some(
    (known) => known.version === version && known.annex === annex && known.side === side && known.digest === digest,
  )
  if (exists) return refuse({ code: 'law/approval-exists', clause, version, side })
  return accept(approval)
}

/** In order of precedence: when several apply, only the first is returned. */
export type NoticeRefusal =
  | { readonly code: 'law/not-a-side'; readonly side: CountryCode }
  | { readonly code: 'law/reference-missing'; readonly clause?: ClauseRef }
  | { readonly code: 'law/date-in-future'; readonly clause?: ClauseRef }

/**
 * Decides whether a notice of termination may go on record.
 *
 * Why: it ends an agreement, so it needs the diplomatic note. A late one is recorded too: the term says so.
 * @law STOP-2021/9.2-r4
 */
export function decideNotice(
  { sides, term }: Instrument,
  notice: TerminationNotice,
  on: PlainDate,
): Decision<TerminationNotice, NoticeRefusal> {
  const clause = term.model === 'perpetual' ? undefined : term.noticeForm
  const { side, reference, notifiedOn, effectiveOn } = notice
  if (!sides.some(({ country }) => country === side)) return refuse({ code: 'law/not-a-side', side })
  if (reference.trim() === '') return refuse({ code: 'law/reference-missing', ...(clause && { clause }) })
  const dated = isPlainDate(notifiedOn) && compareDates(notifiedOn, on) <= 0
  if (!dated || (effectiveOn !== undefined && !isPlainDate(effectiveOn)))
    return refuse({ code: 'law/date-in-future', ...(clause && { clause }) })
  return accept(notice)
}

/** In order of precedence: when several apply, only the first is returned. */
export type TwoPersonRefusal =
  | { readonly code: 'law/second-person-missing' }
  | { readonly code: 'law/act-digest-differs'; readonly expected: Digest }

/**
 * Decides whether an act has been done by two different persons, on exactly this content.
 *
 * @param expected the digest of what would now be done
 */
export function decideTwoPersons(
  act: TwoPersonAct | undefined,
  expected: Digest,
): Decision<TwoPersonAct, TwoPersonRefusal> {
  const persons = new Set((act?.persons ?? []).map(({ id }: ActPerson) => id.trim()).filter((id) => id !== ''))
  if (!act || persons.size < 2) return refuse({ code: 'law/second-person-missing' })
  if (act.digest !== expected) return refuse({ code: 'law/act-digest-differs', expected })
  return accept(act)
}

/** What two persons approve when they put a reading of the term on record. */
export function readingDigest(agreement: string, reading: string): Digest {
  return digestOf({ act: 'record-term-reading', agreement, reading })
}

export type ReadingRefusal =
  | { readonly code: 'law/reading-unknown'; readonly reading: string }
  | { readonly code: 'law/reference-missing' }
  | TwoPersonRefusal

/**
 * Decides whether a reading of the term may go on record, to be followed from then on.
 *
 * Why: the texts differ, none prevails, and software must not choose between them.
 * @param reason why this reading, or the reference of the legal opinion
 * @law STOP-2021/F.2, STOP-2021/9.2-r2
 */
export function decideReading(
  instrument: Instrument,
  reading: string,
  reason: string,
  act: TwoPersonAct | undefined,
): Decision<TwoPersonAct, ReadingRefusal> {
  const readings = instrument.term.model === 'renewing' ? instrument.term.readings : []
  if (!readings.some(({ id }) => id === reading)) return refuse({ code: 'law/reading-unknown', reading })
  if (reason.trim() === '') return refuse({ code: 'law/reference-missing' })
  return decideTwoPersons(act, readingDigest(instrument.id, reading))
}
