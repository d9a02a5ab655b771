export { type LawCode, lawCodes } from './codes.ts'
export {
  computeTerm,
  isBinding,
  type ReadingOutcome,
  type Term,
  type TermFacts,
  type TerminationNotice,
  type TermPeriod,
  type TermStanding,
  type TermWarning,
} from './compute-term.ts'
export {
  type ConditionsStage,
  decideGate,
  decideVersions,
  type ExchangeBasis,
  findBasis,
  type GateOpen,
  type GateRefusal,
  type GateWarning,
  stageOf,
  type VersionRefusal,
} from './decide-gate.ts'
export {
  type ApprovalRefusal,
  type ConditionsRegistration,
  type DecisionRecordRefusal,
  decideApproval,
  decideNotice,
  decideReading,
  decideRegistration,
  decideTwoPersons,
  decideWorkingGroupRecord,
  type NoticeRefusal,
  type ReadingRefusal,
  type RegistrationRefusal,
  readingDigest,
  type TwoPersonRefusal,
} from './decide-records.ts'
export {
  decideStateChange,
  openingDigest,
  type StateChanged,
  type StateChangeRefusal,
  type StateChangeWanted,
} from './decide-state-change.ts'
export { type Digest, digestOf, isDigest } from './digest.ts'
export type {
  ActPerson,
  ChannelState,
  ConditionsAnnex,
  ConditionsVersion,
  DecisionKind,
  GateFacts,
  HeadApproval,
  TwoPersonAct,
  WorkingGroupDecision,
} from './gate-facts.ts'
export { type AgreementBetween, type ClauseOnDate, Law, type LawValue } from './law.ts'
export { parseTreaties, type TreatyFile } from './parse-treaties.ts'
export { readTreaties } from './read-treaties.ts'
export {
  type Channel,
  type ChannelStep,
  changeChannelState,
  listChannelSteps,
  loadGateFacts,
  loadTermFacts,
  type RecordedBy,
  recordApproval,
  recordNotice,
  recordReading,
  recordWorkingGroupDecision,
  registerConditions,
} from './store.ts'
export type {
  Clause,
  ClauseStatus,
  ClauseVersion,
  ExchangeGate,
  Instrument,
  OpenQuestion,
  TermModel,
  TermReading,
  TreatyValue,
} from './treaty-files.ts'
