/**
 * The form of each file of a Technical Conditions package (`contracts/stop/<version>/`). A file that does not have its
 * form stops the start of a node and fails the contract check, so that nobody approves what nobody can read.
 */
import { type Static, type TProperties, type TSchema, Type } from 'typebox'

const closed = { additionalProperties: false } as const
const object = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, closed)

const Digest = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'SHA-256, base64url without padding' })
const Clause = Type.String({ pattern: '^(STOP-2021|CN-KZ-1997)/[A-Za-z0-9.-]{1,20}$' })
const Clauses = Type.Array(Clause, { minItems: 1, uniqueItems: true })
/** Where a value comes from: a clause, or our own proposal where the treaty is silent. */
const Source = Type.Union([Clause, Type.Literal('default, not treaty')])
const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })
const Sentence = Type.String({ minLength: 1, maxLength: 4000 })
/** A sentence in the languages of the Protocol and in English. */
export const Sentences = object({ en: Sentence, ru: Sentence, kk: Sentence, zh: Sentence })
export type Sentences = Static<typeof Sentences>
export const languages = ['en', 'ru', 'kk', 'zh'] as const
export type DocumentLanguage = (typeof languages)[number]

export const messageTypes = [
  'EXP-CLR',
  'TRN-CLR',
  'AMD',
  'CNL',
  'DEP',
  'ARR',
  'DSC',
  'ACCEPTED',
  'REJECTED',
  'USED',
  'SKIP',
] as const
export type MessageType = (typeof messageTypes)[number]
const MessageTypeName = Type.Enum(messageTypes)
export const bodySchemaNames = ['clearance', 'cancellation', 'departure', 'arrival', 'discrepancy', 'answer'] as const
export type BodySchemaName = (typeof bodySchemaNames)[number]
const SchemaName = Type.Enum(bodySchemaNames)

const Administration = Type.String({ pattern: '^[A-Z]{2}-[A-Z0-9]{2,14}$' })

export const ConditionsFile = object({
  agreement: Type.Literal('STOP-2021'),
  parent: Type.Literal('CN-KZ-1997'),
  version: Type.String({ pattern: '^\\d{1,3}\\.\\d{1,3}$' }),
  sides: Type.Array(
    object({ administration: Administration, party: Sentences, authorisedBody: Sentences, clauses: Clauses }),
    { minItems: 2, maxItems: 2 },
  ),
  /** What the Protocol asks the Technical Conditions to hold, and the file that holds it. */
  content: Type.Array(
    object({
      subject: Type.String({ pattern: '^[a-zA-Z]{1,40}$' }),
      clauses: Clauses,
      files: Type.Array(Type.String(), { minItems: 1 }),
    }),
    { minItems: 1 },
  ),
  standards: Type.Array(object({ name: Type.String(), edition: Type.String(), usedFor: Sentences, source: Source })),
  approval: object({
    body: Type.Literal('heads'),
    annexes: Type.Literal('working-group'),
    clauses: Clauses,
  }),
})
export type ConditionsFile = Static<typeof ConditionsFile>

/** What a receiver may do with a message's content; stated in each message as it stands here. */
const Use = object({
  purpose: Type.Literal('CUSTOMS_CONTROL'),
  classification: Type.Literal('CONFIDENTIAL'),
  retention: Type.String({ pattern: '^[A-Z0-9-]{1,20}$' }),
  onward: Type.Literal('NONE'),
  personalData: Type.Boolean(),
})

export const MessageTerms = object({
  type: MessageTypeName,
  version: Type.Integer({ minimum: 1, maximum: 999 }),
  schema: SchemaName,
  body: Type.Union([Type.Literal('required'), Type.Literal('optional')]),
  /** `outward`: the side the goods leave. `inward`: the side they enter. `receiver`, `sender`: of the message it is about. */
  sentBy: Type.Enum(['outward', 'inward', 'receiver', 'sender']),
  /** The message types it is about; empty for one that stands by itself. */
  about: Type.Array(MessageTypeName, { uniqueItems: true }),
  /** Whether the receiver answers it with ACCEPTED or REJECTED. */
  answered: Type.Boolean(),
  legalBasis: Clauses,
  /** Sent only once the working group has listed it: its content lies outside what article 2 itself orders. */
  onlyIfListed: Type.Boolean(),
  /** What its sequence numbers count in: all messages about one declaration, about one leg, or in the lane of what it is `about`. */
  lane: Type.Enum(['declaration', 'leg', 'about']),
  /** From 0 (can wait) to 9 (a train is leaving). */
  priority: Type.Integer({ minimum: 0, maximum: 9 }),
  expiryDays: Type.Integer({ minimum: 1, maximum: 400 }),
  /** UN/EDIFACT code list 1225, which the WCO Data Model names for id 017. */
  functionCode: Type.Union([Type.String({ pattern: '^\\d{1,2}$' }), Type.Null()]),
  use: Use,
})
export type MessageTerms = Static<typeof MessageTerms>
export const MessagesFile = object({ messages: Type.Array(MessageTerms, { minItems: 1 }) })
export type MessagesFile = Static<typeof MessagesFile>

export const RuleTerms = object({
  code: Type.String({ pattern: '^clearance/[a-z0-9-]{1,60}$' }),
  level: Type.Union([Type.Literal('error'), Type.Literal('warning')]),
  clauses: Type.Optional(Clauses),
  /** Decimal text or whole numbers, named with the unit last. */
  parameters: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[a-zA-Z0-9]{1,40}$' }),
      Type.Union([Type.String({ maxLength: 40 }), Type.Integer()]),
    ),
  ),
})
export type RuleTerms = Static<typeof RuleTerms>
export const RulesFile = object({ rules: Type.Array(RuleTerms, { minItems: 1 }) })
export type RulesFile = Static<typeof RulesFile>

const stated = <Value extends TSchema>(value: Value) => object({ value, source: Source })
const whole = (minimum: number, maximum: number) => stated(Type.Integer({ minimum, maximum }))

export const RegulationFile = object({
  /** The event after which a clearance is sent. */
  sendAfter: stated(Type.Literal('release')),
  sendAfterReleaseMinutesMax: whole(0, 1440),
  /** Shares of containers and wagons whose data are there so many minutes before hand-over. */
  goals: stated(
    Type.Array(
      object({
        minutesBeforeHandOver: Type.Integer({ minimum: 1, maximum: 14400 }),
        percent: Type.Integer({ minimum: 1, maximum: 100 }),
      }),
    ),
  ),
  retryDelaySecondsMin: whole(1, 3600),
  retryDelaySecondsMax: whole(1, 86400),
  retryJitter: stated(Type.Literal('full')),
  messageExpiryDays: whole(1, 400),
  receiptSecondsMax: whole(1, 600),
  answerMinutesMax: whole(1, 1440),
  usedAfterLegClosedHoursMax: whole(1, 720),
  requestWindowSeconds: whole(1, 300),
  requestIdKeptMinutes: whole(1, 1440),
  issuedAheadSecondsMax: whole(0, 300),
  clockOffsetWarnSeconds: whole(1, 300),
  clockOffsetFlagSeconds: whole(1, 300),
  clockOffsetStopSeconds: whole(1, 300),
  frameMessagesMax: whole(1, 10000),
  framePlainBytesMax: whole(1, 2 ** 30),
  frameWireBytesMax: whole(1, 2 ** 30),
  systemHours: stated(object({ days: Type.Literal('every-day'), from: Type.String(), to: Type.String() })),
  contactHours: stated(
    object({
      days: Type.Literal('working-days'),
      from: Type.String({ pattern: '^\\d{2}:\\d{2}$' }),
      to: Type.String({ pattern: '^\\d{2}:\\d{2}$' }),
      zones: Type.Array(object({ administration: Administration, zone: Type.String() })),
    }),
  ),
  outageNoticeMinutesMax: whole(1, 1440),
  plannedOutageNoticeHoursMin: whole(1, 720),
  dutyOfficerAnswerMinutesMax: whole(1, 1440),
  questionAnswerWorkingDaysMax: whole(1, 60),
  versionOverlapDays: whole(1, 400),
  evaluationMonths: whole(1, 36),
})
export type RegulationFile = Static<typeof RegulationFile>

export const MethodFile = object({
  channels: Type.Array(
    object({
      channel: Type.Union([Type.Literal('online'), Type.Literal('file'), Type.Literal('lock')]),
      enabled: Type.Boolean(),
      protocol: Type.String(),
      protocolVersion: Type.String(),
      transport: Type.Array(Type.String(), { minItems: 1 }),
      clauses: Clauses,
    }),
    { minItems: 1 },
  ),
})
export type MethodFile = Static<typeof MethodFile>

export const RequirementsFile = object({
  requirements: Type.Array(
    object({
      id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
      section: Type.Union([Type.Literal('software'), Type.Literal('hardware'), Type.Literal('protection')]),
      source: Source,
      parameters: Type.Optional(
        Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer(), Type.Array(Type.String())])),
      ),
    }),
    { minItems: 1 },
  ),
  retention: Type.Array(
    object({
      class: Type.String({ pattern: '^[A-Z0-9-]{1,20}$' }),
      years: Type.Integer({ minimum: 1, maximum: 100 }),
      source: Source,
    }),
    { minItems: 1 },
  ),
  /** National signature suites that a message must carry beside the first signature. */
  nationalSuitesRequired: Type.Array(Type.Union([Type.Literal('SM2-SM3'), Type.Literal('GOST-2012')]), {
    uniqueItems: true,
  }),
})
export type RequirementsFile = Static<typeof RequirementsFile>

export const LockFile = Type.Union([
  object({
    enabled: Type.Literal(false),
    reason: Type.Literal('layout-not-approved'),
    layout: Type.Null(),
    clauses: Clauses,
  }),
  object({
    enabled: Type.Literal(true),
    layout: object({ name: Type.Literal('DXL1'), version: Type.String(), digest: Digest }),
    clauses: Clauses,
  }),
])
export type LockFile = Static<typeof LockFile>

/** One element of one body, on or off. `path` is a JSON pointer in which `*` stands for each place of an array. */
export const DataItem = object({
  schema: SchemaName,
  path: Type.String({ pattern: '^(/[A-Za-z0-9*]+)+$' }),
  wcoId: Type.Union([Type.String({ pattern: '^[A-Z0-9]{3,4}$' }), Type.Null()]),
  wcoDmVersion: Type.Union([Type.String(), Type.Null()]),
  /** Mandatory where its parent is present; a mandatory element cannot be switched off alone. */
  presence: Type.Union([Type.Literal('mandatory'), Type.Literal('optional')]),
  on: Type.Boolean(),
  /** Elements of one group are one question to the working group: they are on together or off together. */
  group: Type.Union([Type.String({ pattern: '^[a-z-]{1,40}$' }), Type.Null()]),
  decisionRef: Type.Union([Type.String({ minLength: 1, maxLength: 120 }), Type.Null()]),
  description: Sentences,
})
export type DataItem = Static<typeof DataItem>
export const DataItemsFile = object({ items: Type.Array(DataItem, { minItems: 1 }) })
export type DataItemsFile = Static<typeof DataItemsFile>

const Place = object({
  country: Type.String({ pattern: '^[A-Z]{2}$' }),
  name: Sentences,
  esr: Type.Union([Type.String({ pattern: '^\\d{6}$' }), Type.Null()]),
  unLocode: Type.Union([Type.String({ pattern: '^[A-Z]{2}[A-Z2-9]{3}$' }), Type.Null()]),
  gauge: Type.Union([Type.Literal('1435'), Type.Literal('1520')]),
  zone: Type.String(),
  customsOffices: Type.Array(object({ id: Type.String(), confirmed: Type.Boolean() })),
})
export const Checkpoint = object({
  id: Type.String({ pattern: '^[a-z-]{1,60}$' }),
  mode: Type.Literal('rail'),
  places: Type.Array(Place, { minItems: 2, maxItems: 2 }),
  /** First and last day on which the crossing is on the list; null where the list sets no bound. */
  validFrom: Type.Union([Day, Type.Null()]),
  validUntil: Type.Union([Day, Type.Null()]),
  decisionRef: Type.Union([Type.String({ minLength: 1, maxLength: 120 }), Type.Null()]),
})
export type Checkpoint = Static<typeof Checkpoint>
export const CheckpointsFile = object({
  source: Type.String(),
  takenOn: Day,
  checkpoints: Type.Array(Checkpoint, { minItems: 1 }),
})
export type CheckpointsFile = Static<typeof CheckpointsFile>

/** A published list of codes, or of entries that a rule reads. Codes only: no list's own descriptions are copied. */
export const CodeListAnnex = object({
  list: Type.String({ pattern: '^[a-z0-9-]{1,60}$' }),
  title: Type.String({ minLength: 1 }),
  edition: Type.String({ minLength: 1 }),
  asOf: Day,
  source: Type.String({ minLength: 1 }),
  licence: Type.String({ minLength: 1 }),
  codes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 20 }), { minItems: 1 })),
  entries: Type.Optional(Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1 })),
})
export type CodeListAnnex = Static<typeof CodeListAnnex>

const FileDigest = object({ file: Type.String(), digest: Digest })
export const AnnexesIndexFile = object({
  annexes: Type.Array(
    object({
      name: Type.String({ pattern: '^[a-z-]{1,40}$' }),
      edition: Type.Integer({ minimum: 1 }),
      digest: Digest,
      files: Type.Array(FileDigest, { minItems: 1 }),
    }),
    { minItems: 1 },
  ),
})
export type AnnexesIndexFile = Static<typeof AnnexesIndexFile>

const AnnexDigest = object({ name: Type.String(), edition: Type.Integer({ minimum: 1 }), digest: Digest })
export const PackageIndexFile = object({
  agreement: Type.Literal('STOP-2021'),
  version: Type.String(),
  status: Type.Union([Type.Literal('draft'), Type.Literal('frozen')]),
  bodyDigest: Digest,
  body: Type.Array(FileDigest, { minItems: 1 }),
  annexes: Type.Array(AnnexDigest),
  documents: Type.Array(FileDigest),
})
export type PackageIndexFile = Static<typeof PackageIndexFile>

/** Written once, at the first production approval. No tool rewrites it: what it names may never have another digest. */
export const FrozenFile = object({
  version: Type.String(),
  frozenOn: Day,
  bodyDigest: Digest,
  annexes: Type.Array(AnnexDigest),
  documents: Type.Array(FileDigest),
})
export type FrozenFile = Static<typeof FrozenFile>

const Words = Type.Record(Type.String(), Sentence)
const Paragraphs = Type.Array(Sentence, { minItems: 1 })
/** Every word of the readable document in one language. The words are part of the body, so the digest covers them. */
export const TextsFile = object({
  language: Type.Enum(languages),
  title: Sentence,
  labels: Words,
  values: Words,
  subjects: Words,
  paragraphs: Type.Record(Type.String(), Paragraphs),
  messages: Type.Record(Type.String(), object({ name: Sentence, holds: Sentence })),
  rules: Words,
  regulation: Words,
  requirements: Words,
  reasons: Words,
})
export type TextsFile = Static<typeof TextsFile>
