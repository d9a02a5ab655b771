/** What the interface answers with, as TypeBox schemas: the same that OpenAPI publishes. */
import { type TSchema, Type } from 'typebox'

const closed = { additionalProperties: false } as const
export const Uuid = Type.String({ format: 'uuid' })
const Time = Type.String({ format: 'date-time' })
const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const Mode = Type.Union([Type.Literal('test'), Type.Literal('live')])

export const Finding = Type.Object(
  {
    code: Type.String({ description: 'Stable code' }),
    pointer: Type.String({ description: 'JSON pointer into the record' }),
    facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { description: 'A warning or the reason of a refusal, with its place' },
)

export const SubmissionAnswer = Type.Object({
  id: Uuid,
  mode: Mode,
  records: Type.Integer(),
  taken: Type.Integer(),
  unchanged: Type.Integer(),
  refused: Type.Integer(),
  bytes: Type.Integer(),
  digest: Type.String({ description: 'SHA-256 of all bytes, hex' }),
  results: Type.Array(
    Type.Object({
      position: Type.Integer(),
      line: Type.Optional(Type.Integer()),
      format: Type.String(),
      record: Type.Optional(Type.String()),
      outcome: Type.String({ description: 'taken, amended, superseded, unchanged or refused' }),
      about: Type.Optional(Uuid),
      problems: Type.Array(Finding),
      notes: Type.Array(Finding, { description: 'What was read differently than it stood, or is not carried' }),
    }),
    { description: 'The first 1000 records; the rest by /submissions/{id}/records' },
  ),
})

export const Submission = Type.Object({
  id: Uuid,
  mode: Mode,
  channel: Type.String(),
  source: Type.String(),
  fileName: nullable(Type.String()),
  startedAt: Time,
  finishedAt: nullable(Time),
  failure: nullable(Type.String()),
  bytes: Type.Number(),
  digest: nullable(Type.String()),
  records: Type.Integer(),
  taken: Type.Integer(),
  unchanged: Type.Integer(),
  refused: Type.Integer(),
})

export const SubmissionRecord = Type.Object({
  submission: Uuid,
  position: Type.Integer(),
  line: nullable(Type.Integer()),
  format: Type.String(),
  record: nullable(Type.String()),
  outcome: Type.String(),
  problems: nullable(Type.Array(Finding)),
  notes: nullable(Type.Array(Finding)),
  digest: Type.String(),
  about: nullable(Uuid),
})

const declarationMembers = {
  key: Uuid,
  mode: Mode,
  declarationId: Type.String(),
  kind: Type.Union([Type.Literal('EX'), Type.Literal('TR')]),
  version: Type.Integer(),
  outcome: Type.String({ description: 'eligible, partial, withheld, held, not-concerned or cancelled' }),
  ground: nullable(Type.String()),
  clause: nullable(Type.String()),
  warnings: Type.Integer(),
  sentVersion: nullable(Type.Integer()),
  waiting: Type.Boolean({ description: 'Decided, and waits for the channel to open' }),
  changedAt: Time,
}
export const DeclarationSummary = Type.Object(declarationMembers)
export const DeclarationDetail = Type.Object({
  ...declarationMembers,
  versions: Type.Array(
    Type.Object({
      version: Type.Integer(),
      record: Type.String(),
      content: Type.Unknown(),
      contentDigest: Type.String(),
      takenAt: Time,
      outcome: Type.String(),
      ground: nullable(Type.String()),
      clause: nullable(Type.String()),
      leftOut: Type.Unknown(),
      decided: Type.Unknown(),
      warnings: Type.Array(Finding),
      message: nullable(Uuid),
    }),
  ),
  balance: Type.Optional(
    Type.Unknown({ description: 'Of a temporary declaration: what trains drew and what is left' }),
  ),
})

const receivedMembers = {
  key: Uuid,
  partner: Type.String(),
  mode: Mode,
  declarationId: Type.String(),
  kind: Type.Union([Type.Literal('EX'), Type.Literal('TR')]),
  version: Type.Integer(),
  state: Type.Union([Type.Literal('shown'), Type.Literal('cancelled')]),
  gap: Type.Boolean({ description: 'A message before this one has not come yet' }),
  message: Uuid,
  warnings: Type.Integer(),
  receivedAt: Time,
  usedAt: nullable(Time),
}
export const ReceivedSummary = Type.Object(receivedMembers)
export const ReceivedDetail = Type.Object({
  ...receivedMembers,
  versions: Type.Array(
    Type.Object({
      version: Type.Integer(),
      message: Uuid,
      content: Type.Unknown(),
      warnings: Type.Array(Finding),
      receivedAt: Time,
    }),
  ),
})

const fateMembers = {
  direction: Type.Union([Type.Literal('out'), Type.Literal('in')]),
  id: Uuid,
  partner: Type.String(),
  mode: Mode,
  type: Type.String(),
  subject: Uuid,
  ref: nullable(Uuid),
  lane: Uuid,
  epoch: Type.Integer(),
  seq: Type.Integer(),
  digest: Type.String(),
  state: Type.String(),
  attempts: Type.Integer(),
  lastOutcome: nullable(Type.String()),
  signedAt: Time,
  firstSentAt: nullable(Time),
  receivedAt: nullable(Time),
  answer: nullable(Type.String()),
  answerId: nullable(Uuid),
  answeredAt: nullable(Time),
  usedAt: nullable(Time),
  gap: Type.Boolean(),
  duplicates: Type.Integer(),
  problems: nullable(Type.Array(Finding)),
}
export const MessageFate = Type.Object(fateMembers)
export const MessageDetail = Type.Object({
  ...fateMembers,
  message: Type.String({ description: 'The signed message, compact JWS' }),
  receipt: nullable(Type.String({ description: 'The signed receipt, compact JWS' })),
})

export const RailRecordKind = Type.Union([
  Type.Literal('arrival'),
  Type.Literal('discrepancy'),
  Type.Literal('reloading'),
  Type.Literal('consignment-note'),
])
export const RailRecord = Type.Object({
  key: Uuid,
  mode: Mode,
  partner: nullable(Type.String()),
  record: RailRecordKind,
  content: Type.Unknown({ description: 'As it was handed over here, or as the partner sent it' }),
  message: nullable(Uuid),
  takenAt: Time,
})

const legMembers = {
  key: Uuid,
  mode: Mode,
  source: Type.String({ description: 'carrier, customs or partner' }),
  partner: nullable(Type.String()),
  listVersion: Type.Integer(),
  leg: Type.Unknown(),
  plannedAt: nullable(Time),
  departedAt: nullable(Time),
  arrivedAt: nullable(Time),
  closedAt: nullable(Time),
  departureMessage: nullable(Uuid),
  listed: Type.Integer(),
  loaded: Type.Integer(),
  empty: Type.Integer(),
  withData: Type.Integer({ description: 'Of the loaded' }),
  withoutData: Type.Integer({ description: 'Of the loaded' }),
  warned: Type.Integer(),
}
export const LegSummary = Type.Object(legMembers)
export const LegDetail = Type.Object({
  ...legMembers,
  units: Type.Array(Type.Unknown()),
  list: Type.Unknown({ description: 'As the railway or the partner gave it' }),
})

/** Text that a caller chose: bounded, and without control characters, which nothing here is named with. */
export const plainText = (maxLength: number, description?: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    ...(description && { description }),
  })
/** A whole number from 1, of at most so many digits, as a parameter writes it. */
export const digits = (max: number) => Type.String({ pattern: `^[1-9]\\d{0,${max - 1}}$` })
export { closed, Mode, nullable, Time }
