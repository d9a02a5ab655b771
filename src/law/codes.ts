import type { CodeList } from '../kernel/index.ts'

/** Every code of this room. Append only. */
export const lawCodes = {
  'law/treaty-unreadable': {
    kind: 'fault',
    means: 'a treaty file is missing, does not parse, or contradicts another; the node does not start',
  },
  'law/clause-unknown': { kind: 'fault', means: 'no instrument holds a clause with this reference' },
  'law/instrument-unknown': { kind: 'fault', means: 'no instrument goes by this id, now or before' },
  'law/value-unknown': { kind: 'fault', means: 'the clause has no such value on this date, or one of another kind' },

  'law/no-agreement': { kind: 'refusal', means: 'no instrument opens an exchange between these two countries' },
  'law/agreement-not-in-force': {
    kind: 'refusal',
    means: 'the agreement is not in force on this date, or nobody has entered since when it is',
  },
  'law/agreement-ended': {
    kind: 'refusal',
    means: 'the agreement has ended, by notice, by its term or by the reading of its term on record',
  },
  'law/term-uncertain': {
    kind: 'refusal',
    means: 'the texts differ on whether the agreement still runs, no reading is on record, and the setting is to close',
  },
  'law/channel-closed': { kind: 'refusal', means: 'the channel with this partner has not been opened' },
  'law/channel-suspended': { kind: 'refusal', means: 'the channel with this partner is suspended' },
  'law/working-group-missing': { kind: 'refusal', means: 'no decision that sets up the working group is on record' },
  'law/content-undetermined': {
    kind: 'refusal',
    means: 'no decision of the working group on the content of the exchange is on record',
  },
  'law/technology-not-agreed': {
    kind: 'refusal',
    means: 'no decision of the working group on processing and sending data is on record',
  },
  'law/protection-not-agreed': {
    kind: 'refusal',
    means: 'no decision of the working group on the protection of information is on record',
  },
  'law/conditions-missing': {
    kind: 'refusal',
    means: 'no version of the Technical Conditions, or not this one, is registered',
  },
  'law/conditions-not-agreed': {
    kind: 'refusal',
    means: 'the working group has not agreed this version with this digest',
  },
  'law/approval-digest-differs': { kind: 'refusal', means: 'the approval is of another content than the one in use' },
  'law/approval-missing': { kind: 'refusal', means: 'the head of one side has not approved this version' },
  'law/annex-not-approved': {
    kind: 'refusal',
    means: 'an annex of this version is not approved by those whom the body names',
  },
  'law/conditions-not-yet-valid': { kind: 'refusal', means: 'the version is approved and its first day has not come' },
  'law/conditions-lapsed': { kind: 'refusal', means: 'the last day of the version has passed' },

  'law/not-a-side': { kind: 'refusal', means: 'the country is not a side of the agreement' },
  'law/reference-missing': {
    kind: 'refusal',
    means: 'a decision, an approval or a notice without the reference of its document, or without person or post',
  },
  'law/date-in-future': { kind: 'refusal', means: 'an act is dated after the day on which it is recorded' },
  'law/decision-exists': {
    kind: 'refusal',
    means: 'a decision of the working group with this reference is on record with other content',
  },
  'law/approval-exists': { kind: 'refusal', means: 'this side has already approved this content' },
  'law/annex-unknown': { kind: 'refusal', means: 'the version has no annex of this name' },
  'law/conditions-frozen': {
    kind: 'refusal',
    means: 'the content of an approved version changes only as a new version',
  },
  'law/conditions-dates-invalid': {
    kind: 'refusal',
    means: 'the dates of a version are not calendar dates, or it ends before it begins',
  },
  'law/section-missing': {
    kind: 'refusal',
    means: 'the Technical Conditions lack a section that the agreement asks for',
  },
  'law/reading-unknown': { kind: 'refusal', means: 'the agreement has no such reading of its term' },
  'law/state-change-not-allowed': { kind: 'refusal', means: 'a channel does not go from this state to that one' },
  'law/second-person-missing': { kind: 'refusal', means: 'the act needs two different authorised persons' },
  'law/act-digest-differs': {
    kind: 'refusal',
    means: 'the persons approved other content than what would now be done',
  },

  'law/term-readings-part': {
    kind: 'warning',
    means: 'the texts differ on what happens at the end of the running period, and no reading is on record',
  },
  'law/term-runs-uncertain': {
    kind: 'warning',
    means: 'by one reading the agreement has ended, no reading is on record, and the channel stays open',
  },
  'law/notice-given': { kind: 'warning', means: 'a side has given notice; the agreement ends on the day stated' },
  'law/notice-late': {
    kind: 'warning',
    means: 'a notice came after the last day for the running period and counts for the next one',
  },
  'law/parent-ended': {
    kind: 'warning',
    means: 'the agreement that this one rests on has ended; ask for legal review',
  },
  'law/conditions-lapse-soon': { kind: 'warning', means: 'the version in use lapses soon and no later one is ready' },
} as const satisfies CodeList

export type LawCode = keyof typeof lawCodes
