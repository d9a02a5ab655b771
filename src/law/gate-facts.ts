import type { AdministrationId, CountryCode, Instant, PlainDate } from '../kernel/index.ts'
import type { TermFacts } from './compute-term.ts'
import type { Digest } from './digest.ts'

/** How far the channel with one partner is opened. `suspended` was in production and stands still. */
export type ChannelState = 'closed' | 'test' | 'production' | 'suspended'

/** `approvedBy`: whom the body of the conditions asks to approve this annex. */
export interface ConditionsAnnex {
  readonly name: string
  readonly digest: Digest
  readonly approvedBy: 'heads' | 'working-group'
}

/** A version of the Technical Conditions as registered here. Both dates belong to it. */
export interface ConditionsVersion {
  readonly version: string
  readonly bodyDigest: Digest
  readonly annexes: readonly ConditionsAnnex[]
  readonly validFrom: PlainDate
  /** Absent while no end is set. */
  readonly validUntil?: PlainDate
}

/** What a decision of the working group is about. `annex` and `conditions` name the version and the digest agreed. */
export type DecisionKind = 'established' | 'content' | 'technology' | 'protection' | 'conditions' | 'annex' | 'other'

export interface WorkingGroupDecision {
  /** The reference of the minutes, unique within the agreement. */
  readonly reference: string
  readonly kind: DecisionKind
  readonly decidedOn: PlainDate
  /** The version it is about; a decision without one holds for every version. */
  readonly version?: string
  readonly annex?: string
  readonly digest?: Digest
}

/** The approval of one side's head: of the body, or of the annex named. */
export interface HeadApproval {
  readonly version: string
  readonly annex?: string
  readonly side: CountryCode
  readonly person: string
  readonly post: string
  readonly approvedOn: PlainDate
  /** The digest of exactly what was approved. */
  readonly digest: Digest
}

/** An act that two authorised persons did, each bound to the digest of what was done. */
export interface TwoPersonAct {
  readonly digest: Digest
  readonly persons: readonly ActPerson[]
}

export interface ActPerson {
  /** The account of the person, not the name. */
  readonly id: string
  readonly at: Instant
}

/** Everything on record that the gate with one partner rests on. */
export interface GateFacts {
  readonly home: AdministrationId
  readonly partner: AdministrationId
  /** The id of the instrument the channel runs under. */
  readonly agreement: string
  readonly state: ChannelState
  readonly decisions: readonly WorkingGroupDecision[]
  readonly conditions: readonly ConditionsVersion[]
  readonly approvals: readonly HeadApproval[]
  readonly term: TermFacts
  /** The same of the instrument that the agreement rests on. */
  readonly parentTerm?: TermFacts
}
