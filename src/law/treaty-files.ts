import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

const DateText = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })
const Language = Type.String({ pattern: '^[a-z]{2}$' })
const Country = Type.String({ pattern: '^[A-Z]{2}$' })
const Sentence = Type.String({ minLength: 1 })
const InstrumentId = Type.String({ pattern: '^[A-Z0-9]+(-[A-Z0-9]+)*$' })
const ClauseId = Type.String({ pattern: '^[A-Z0-9]+(-[A-Z0-9]+)*/[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$' })
const Name = Type.String({ pattern: '^[a-z][A-Za-z0-9]*$' })
const Slug = Type.String({ pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' })

/** `enforced`: code decides; `assisted`: an officer decides, we remind and record; `outside`: no software; `planned`. */
export const ClauseStatus = Type.Union([
  Type.Literal('enforced'),
  Type.Literal('assisted'),
  Type.Literal('outside'),
  Type.Literal('planned'),
])
export type ClauseStatus = Static<typeof ClauseStatus>

/** What a treaty value may be. Numbers are whole; units and bounds stand last in the name (`noticeMonths`). */
export const TreatyValue = Type.Union([Type.Integer(), Type.Boolean(), Sentence, Type.Array(Sentence, { minItems: 1 })])
export type TreatyValue = Static<typeof TreatyValue>

/**
 * What a clause says from one day on. `until` is its last day; without it the version is open. `values` are the
 * treaty's own; `defaults` are ours where the treaty is silent, each with the open question it answers.
 */
export const ClauseVersion = Type.Object(
  {
    from: DateText,
    until: Type.Optional(DateText),
    text: Type.Optional(Sentence),
    values: Type.Record(Name, TreatyValue, closed),
    defaults: Type.Optional(
      Type.Record(Name, Type.Object({ value: TreatyValue, question: Type.Integer({ minimum: 1 }) }, closed), closed),
    ),
    source: Sentence,
  },
  closed,
)
export type ClauseVersion = Static<typeof ClauseVersion>

/** Where the language versions part: what each says, and the reading applied. */
export const Divergence = Type.Object(
  {
    ru: Type.Optional(Sentence),
    kk: Type.Optional(Sentence),
    zh: Type.Optional(Sentence),
    en: Type.Optional(Sentence),
    default: Sentence,
    evidence: Type.Optional(Sentence),
  },
  closed,
)

export const Clause = Type.Object(
  {
    id: ClauseId,
    kind: Type.Union([
      Type.Literal('duty'),
      Type.Literal('right'),
      Type.Literal('condition'),
      Type.Literal('deadline'),
      Type.Literal('form'),
      Type.Literal('definition'),
      Type.Literal('institutional'),
      Type.Literal('prohibition'),
      Type.Literal('final'),
      Type.Literal('procedure'),
    ]),
    actor: Slug,
    area: Slug,
    testable: Type.Union([Type.Literal('yes'), Type.Literal('partly'), Type.Literal('no')]),
    status: ClauseStatus,
    statusReason: Type.Optional(Sentence),
    text: Sentence,
    behaviour: Sentence,
    note: Type.Optional(Sentence),
    versions: Type.Optional(Type.Array(ClauseVersion, { minItems: 1 })),
    divergence: Type.Optional(Divergence),
  },
  closed,
)
export type Clause = Static<typeof Clause>

/** One file of an instrument: an article, a preamble, the final clauses. */
export const ArticleFile = Type.Object(
  {
    article: Sentence,
    title: Sentence,
    headings: Type.Optional(Type.Record(Type.String({ pattern: '^\\d+\\.\\d+$' }), Sentence, closed)),
    clauses: Type.Array(Clause, { minItems: 1 }),
  },
  closed,
)
export type ArticleFile = Static<typeof ArticleFile>

/** One way to read the rule of renewal. `renewalsMax` null: renewed again and again. */
export const TermReading = Type.Object(
  {
    id: Slug,
    languages: Type.Array(Language, { minItems: 1 }),
    renewalsMax: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    means: Sentence,
  },
  closed,
)
export type TermReading = Static<typeof TermReading>

/** How long an instrument lasts. The numbers stand in the clauses named here, dated. */
export const TermModel = Type.Union([
  Type.Object(
    {
      model: Type.Literal('renewing'),
      term: ClauseId,
      renewal: ClauseId,
      notice: ClauseId,
      noticeForm: ClauseId,
      readings: Type.Array(TermReading, { minItems: 1 }),
    },
    closed,
  ),
  Type.Object({ model: Type.Literal('indefinite'), notice: ClauseId, noticeForm: ClauseId }, closed),
  Type.Object({ model: Type.Literal('perpetual') }, closed),
])
export type TermModel = Static<typeof TermModel>

/** The clauses that the gate of a standing exchange rests on; only an instrument that has one opens a channel. */
export const ExchangeGate = Type.Object(
  {
    sides: ClauseId,
    workingGroup: ClauseId,
    content: ClauseId,
    conditions: ClauseId,
    technology: ClauseId,
    protection: ClauseId,
    lifeCycle: ClauseId,
    approvals: ClauseId,
    prerequisites: ClauseId,
    start: ClauseId,
    /** Sections that Technical Conditions must have, each with the clause that asks for it. */
    sections: Type.Record(Name, ClauseId, closed),
  },
  closed,
)
export type ExchangeGate = Static<typeof ExchangeGate>

export const Instrument = Type.Object(
  {
    id: InstrumentId,
    /** Ids it went by before; references written with them still lead here. */
    formerIds: Type.Optional(Type.Array(InstrumentId)),
    title: Sentence,
    titles: Type.Record(Language, Sentence, closed),
    standing: Type.Union([Type.Literal('concluded'), Type.Literal('draft')]),
    sides: Type.Array(Type.Object({ country: Country, party: Sentence }, closed), { minItems: 1 }),
    multilateral: Type.Optional(Type.Boolean()),
    languages: Type.Object(
      {
        authentic: Type.Array(Language, { minItems: 1 }),
        prevailing: Type.Union([Language, Type.Null()]),
        rendered: Type.Array(Language, { minItems: 1 }),
      },
      closed,
    ),
    signed: Type.Object(
      {
        on: Type.Union([DateText, Type.Null()]),
        reason: Type.Optional(Sentence),
        variants: Type.Array(
          Type.Object({ language: Language, on: DateText, place: Type.Union([Sentence, Type.Null()]) }, closed),
        ),
      },
      closed,
    ),
    entry: Type.Object(
      {
        model: Type.Union([
          Type.Literal('on-signature'),
          Type.Literal('after-notification'),
          Type.Literal('published'),
        ]),
        clause: ClauseId,
        /** The first day in force; null where the text does not give it and nobody has entered it. */
        inForceOn: Type.Union([DateText, Type.Null()]),
        source: Type.Optional(Sentence),
      },
      closed,
    ),
    term: TermModel,
    parent: Type.Optional(Type.Object({ instrument: InstrumentId, clause: ClauseId }, closed)),
    /** Clauses that bind after the instrument has ended, by our answer to that open question. */
    surviving: Type.Optional(
      Type.Object({ question: Type.Integer({ minimum: 1 }), clauses: Type.Array(ClauseId, { minItems: 1 }) }, closed),
    ),
    exchange: Type.Optional(ExchangeGate),
    source: Type.Object(
      { text: Sentence, languages: Type.Array(Language, { minItems: 1 }), official: Type.Boolean() },
      closed,
    ),
    signatories: Type.Array(
      Type.Object(
        { side: Country, name: Sentence, post: Type.Optional(Sentence), note: Type.Optional(Sentence) },
        closed,
      ),
    ),
  },
  closed,
)
export type Instrument = Static<typeof Instrument>

/** What the texts leave open, and what is done until someone with authority says otherwise. */
export const OpenQuestions = Type.Object(
  {
    questions: Type.Array(
      Type.Object(
        { number: Type.Integer({ minimum: 1 }), group: Sentence, question: Sentence, default: Sentence },
        closed,
      ),
    ),
  },
  closed,
)
export type OpenQuestion = Static<typeof OpenQuestions>['questions'][number]
