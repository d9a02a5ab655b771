// Generated from the migrations by "npm run row-types". A change starts with a migration.
import type { ColumnType, Generated } from 'kysely'

export interface AccessToken {
  id: string
  name: string
  secret_digest: string
  scopes: string[]
  requests_per_minute: number
  created_at: Generated<string>
  created_by: string
  expires_at: string | null
  revoked_at: string | null
  revoked_by: string | null
  last_used_at: string | null
}

export interface AuditEntry {
  position: number
  id: string
  at: string
  salt: Buffer
  subjects: string[]
  content: string
  leaf: Buffer
  chain: Buffer
}

export interface AuditUnnumbered {
  id: string
  at: string
  salt: Buffer
  subjects: string[]
  content: string
}

export interface ClearanceDeclaration {
  key: string
  mode: string
  declaration_id: string
  kind: string
  lane: string
  version: number
  record: string
  content_digest: string
  outcome: string
  ground: string | null
  clause: string | null
  warnings: Generated<number>
  sent_version: number | null
  stands_at_partner: Generated<boolean>
  waiting: Generated<boolean>
  first_taken_at: Generated<string>
  changed_at: Generated<string>
}

export interface ClearanceDeclarationUnit {
  declaration: string
  kind: string
  unit: string
}

export interface ClearanceDeclarationVersion {
  declaration: string
  version: number
  record: string
  content: ColumnType<unknown, string, string>
  content_digest: string
  taken_at: Generated<string>
  outcome: string
  ground: string | null
  clause: string | null
  left_out: ColumnType<unknown, string | null | undefined, string | null>
  decided: ColumnType<unknown, string | null | undefined, string | null>
  warnings: ColumnType<unknown, string | undefined, string>
  message: string | null
}

export interface ClearanceDefective {
  partner: string
  mode: string
  message: string
  type: string
  quarantined: boolean
  problems: ColumnType<unknown, string, string>
  received_at: string
}

export interface ClearanceDraw {
  declaration: string
  leg: string
  net_mass: string
  units: number
  unweighed_units: number
}

export interface ClearanceLeg {
  key: string
  mode: string
  source: string
  partner: string | null
  identity: string
  lane: string
  list_version: Generated<number>
  content_digest: string
  leg: ColumnType<unknown, string, string>
  planned_at: string | null
  departed_at: string | null
  arrived_at: string | null
  closed_at: string | null
  departure_message: string | null
  waiting: Generated<boolean>
  changed_at: Generated<string>
}

export interface ClearanceLegList {
  leg: string
  list_version: number
  content: ColumnType<unknown, string, string>
  warnings: ColumnType<unknown, string | undefined, string>
  taken_at: Generated<string>
}

export interface ClearanceLegUnit {
  leg: string
  kind: string
  unit: string
}

export interface ClearanceRailRecord {
  key: string
  mode: string
  direction: string
  partner: string | null
  record: string
  identity: string
  content_digest: string
  content: ColumnType<unknown, string, string>
  warnings: ColumnType<unknown, string | undefined, string>
  message: string | null
  waiting: Generated<boolean>
  taken_at: Generated<string>
}

export interface ClearanceReceived {
  key: string
  partner: string
  mode: string
  declaration_id: string
  kind: string
  subject: string
  version: number
  state: string
  message: string
  warnings: Generated<number>
  received_at: string
  changed_at: Generated<string>
  used_at: string | null
  use_waiting: Generated<boolean>
}

export interface ClearanceReceivedUnit {
  received: string
  kind: string
  unit: string
}

export interface ClearanceReceivedVersion {
  received: string
  version: number
  message: string
  content: ColumnType<unknown, string, string>
  warnings: ColumnType<unknown, string | undefined, string>
  received_at: string
}

export interface ClearanceSubmission {
  id: string
  mode: string
  channel: string
  source: string
  file_name: string | null
  started_at: Generated<string>
  finished_at: string | null
  failure: string | null
  bytes: Generated<number>
  digest: string | null
  records: Generated<number>
  taken: Generated<number>
  unchanged: Generated<number>
  refused: Generated<number>
}

export interface ClearanceSubmissionRecord {
  submission: string
  position: number
  line: number | null
  format: string
  record: string | null
  outcome: string
  problems: ColumnType<unknown, string | null | undefined, string | null>
  notes: ColumnType<unknown, string | null | undefined, string | null>
  digest: string
  original: Buffer | null
  about: string | null
}

export interface ExchangeEpoch {
  number: number
  opened_at: Generated<string>
}

export interface ExchangeInbound {
  partner: string
  mode: string
  id: string
  lane: string
  epoch: number
  seq: number
  type: string
  type_version: number
  conditions: string
  subject: string
  ref: string | null
  message: string
  digest: string
  receipt: string
  issued_at: string
  received_at: string
  gap: Generated<boolean>
  state: string
  problems: ColumnType<unknown, string | null | undefined, string | null>
  answer_id: string | null
  used_at: string | null
  duplicates: Generated<number>
}

export interface ExchangeKeyset {
  partner: string
  mode: string
  number: number
  keyset: string
  received_at: Generated<string>
}

export interface ExchangeLane {
  partner: string
  mode: string
  id: string
  parked_by: string | null
}

export interface ExchangeLink {
  partner: string
  mode: string
  last_attempt_at: string | null
  last_answer_at: string | null
  failing_since: string | null
  last_failure: string | null
  clock_offset_ms: number | null
}

export interface ExchangeOutbound {
  id: string
  partner: string
  mode: string
  lane: string
  epoch: number
  seq: number
  type: string
  type_version: number
  subject: string
  ref: string | null
  message: string
  digest: string
  issued_at: string
  expires_at: string
  due_at: string
  not_before: string
  state: Generated<string>
  attempts: Generated<number>
  last_outcome: string | null
  first_sent_at: string | null
  receipt: string | null
  received_at: string | null
  answer: string | null
  answer_id: string | null
  answered_at: string | null
  problems: ColumnType<unknown, string | null | undefined, string | null>
  used_at: string | null
}

export interface ExchangePart {
  direction: string
  partner: string
  mode: string
  message_id: string
  name: string
  media_type: string
  salt: Buffer
  bytes: Buffer
}

export interface ExchangePartner {
  id: string
  endpoint: string
  root_jwk: ColumnType<unknown, string, string>
  root_fingerprint: string
  state: Generated<string>
  added_at: Generated<string>
  added_by: string
  approved_at: string | null
  approved_by: string[] | null
}

export interface ExchangeRefusal {
  direction: string
  partner: string
  code: string
  hour: string
  count: Generated<number>
  last_at: Generated<string>
  last_message_id: string | null
}

export interface ExchangeRequestSeen {
  partner: string
  jti: string
  seen_at: Generated<string>
}

export interface LawChannelState {
  partner: string
  agreement: string
  number: number
  from_state: string
  to_state: string
  reason: string
  digest: string | null
  persons: ColumnType<unknown, string | null | undefined, string | null>
  changed_at: string
  changed_by: string
}

export interface LawConditions {
  agreement: string
  version: string
  revision: number
  body_digest: string
  annexes: ColumnType<unknown, string, string>
  valid_from: string
  valid_until: string | null
  recorded_at: string
  recorded_by: string
}

export interface LawHeadApproval {
  agreement: string
  version: string
  annex: Generated<string>
  side: string
  digest: string
  person: string
  post: string
  approved_on: string
  recorded_at: string
  recorded_by: string
}

export interface LawTermReading {
  agreement: string
  number: number
  reading: string
  reason: string
  digest: string
  persons: ColumnType<unknown, string, string>
  recorded_at: string
  recorded_by: string
}

export interface LawTerminationNotice {
  agreement: string
  reference: string
  side: string
  notified_on: string
  effective_on: string | null
  recorded_at: string
  recorded_by: string
}

export interface LawWorkingGroupDecision {
  agreement: string
  reference: string
  kind: string
  decided_on: string
  version: string | null
  annex: string | null
  digest: string | null
  recorded_at: string
  recorded_by: string
}

export interface PlatformMigration {
  number: number
  name: string
  sha256: string
  applied_at: Generated<string>
}

export interface Tables {
  'access.token': AccessToken
  'audit.entry': AuditEntry
  'audit.unnumbered': AuditUnnumbered
  'clearance.declaration': ClearanceDeclaration
  'clearance.declaration_unit': ClearanceDeclarationUnit
  'clearance.declaration_version': ClearanceDeclarationVersion
  'clearance.defective': ClearanceDefective
  'clearance.draw': ClearanceDraw
  'clearance.leg': ClearanceLeg
  'clearance.leg_list': ClearanceLegList
  'clearance.leg_unit': ClearanceLegUnit
  'clearance.rail_record': ClearanceRailRecord
  'clearance.received': ClearanceReceived
  'clearance.received_unit': ClearanceReceivedUnit
  'clearance.received_version': ClearanceReceivedVersion
  'clearance.submission': ClearanceSubmission
  'clearance.submission_record': ClearanceSubmissionRecord
  'exchange.epoch': ExchangeEpoch
  'exchange.inbound': ExchangeInbound
  'exchange.keyset': ExchangeKeyset
  'exchange.lane': ExchangeLane
  'exchange.link': ExchangeLink
  'exchange.outbound': ExchangeOutbound
  'exchange.part': ExchangePart
  'exchange.partner': ExchangePartner
  'exchange.refusal': ExchangeRefusal
  'exchange.request_seen': ExchangeRequestSeen
  'law.channel_state': LawChannelState
  'law.conditions': LawConditions
  'law.head_approval': LawHeadApproval
  'law.term_reading': LawTermReading
  'law.termination_notice': LawTerminationNotice
  'law.working_group_decision': LawWorkingGroupDecision
  'platform.migration': PlatformMigration
}
