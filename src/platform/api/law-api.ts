/** The law this node works by: agreements and their term, clauses as they read on a day, and the Technical Conditions. */
import { type Static, Type } from 'typebox'
import { isPlainDate } from '../../kernel/index.ts'
import {
  type Clause,
  computeTerm,
  findBasis,
  type Instrument,
  listChannelSteps,
  loadTermFacts,
  stageOf,
  type TermFacts,
} from '../../law/index.ts'
import { withActor } from '../db/index.ts'
import { problemAnswers, sendRefusal } from '../http/problem.ts'
import { actedBy, type HttpServer } from '../http/server.ts'
import { BadRequest } from '../http/strict-body.ts'
import { agreementId } from '../node.ts'
import type { ApiNode } from './context.ts'
import { closed, nullable, plainText, Time } from './schemas.ts'

const DateText = Type.String({ format: 'date' })
const CodeWithFacts = Type.Object(
  { code: Type.String(), clause: Type.Optional(Type.String()), facts: Type.Record(Type.String(), Type.Unknown()) },
  { description: 'A stable code with the clause and the facts behind it' },
)

const Agreement = Type.Object({
  id: Type.String(),
  title: Type.String(),
  titles: Type.Record(Type.String(), Type.String(), { description: 'By language' }),
  sides: Type.Array(Type.String()),
  authenticLanguages: Type.Array(Type.String()),
  prevailingLanguage: nullable(Type.String()),
  signedOn: nullable(DateText),
  standing: Type.String({ description: 'On this day: draft, undated, not-yet, in-force, uncertain or ended' }),
  on: DateText,
  inForceOn: nullable(DateText),
  endsOn: nullable(DateText),
  readings: Type.Array(
    Type.Object({
      id: Type.String(),
      languages: Type.Array(Type.String()),
      means: Type.String(),
      inForce: Type.Boolean(),
      endsOn: nullable(DateText),
    }),
    { description: 'Where the texts differ on the term: what each reading says' },
  ),
  recordedReading: nullable(Type.String({ description: 'The reading that two authorised persons recorded' })),
  period: nullable(
    Type.Object({
      number: Type.Integer(),
      startsOn: DateText,
      endsOn: DateText,
      noticeUntil: DateText,
      ownNoticeBy: DateText,
    }),
  ),
  warnings: Type.Array(CodeWithFacts),
  parent: nullable(Type.String()),
  opensExchange: Type.Boolean(),
})

const ClauseText = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  status: Type.String({ description: 'enforced, assisted, outside or planned' }),
  statusReason: nullable(Type.String()),
  text: Type.String({ description: 'Our own rendering; the authentic text prevails' }),
  values: Type.Record(Type.String(), Type.Unknown()),
  defaults: Type.Record(Type.String(), Type.Unknown(), { description: 'Ours, where the treaty is silent' }),
  from: nullable(DateText),
  until: nullable(DateText),
  source: nullable(Type.String()),
  divergence: Type.Optional(Type.Unknown({ description: 'Where the language versions part' })),
})

const Channel = Type.Object({
  partner: Type.String(),
  agreement: Type.String(),
  state: Type.String({ description: 'closed, test, production or suspended' }),
  open: nullable(
    Type.Object({
      mode: Type.String(),
      conditionsForSending: Type.String(),
      acceptedVersions: Type.Array(Type.String()),
    }),
  ),
  missing: nullable(CodeWithFacts),
  warnings: Type.Array(CodeWithFacts),
  versions: Type.Array(
    Type.Object({
      version: Type.String(),
      stage: Type.String({ description: 'draft, agreed, approved, in-force, superseded or lapsed' }),
      bodyDigest: Type.String(),
      annexes: Type.Array(Type.Object({ name: Type.String(), digest: Type.String(), approvedBy: Type.String() })),
      validFrom: DateText,
      validUntil: nullable(DateText),
    }),
  ),
  decisions: Type.Array(
    Type.Object({
      reference: Type.String(),
      kind: Type.String(),
      decidedOn: DateText,
      version: nullable(Type.String()),
      annex: nullable(Type.String()),
      digest: nullable(Type.String()),
    }),
    { description: 'Of the working group' },
  ),
  approvals: Type.Array(
    Type.Object({
      version: Type.String(),
      annex: nullable(Type.String()),
      side: Type.String(),
      person: Type.String(),
      post: Type.String(),
      approvedOn: DateText,
      digest: Type.String(),
    }),
    { description: 'Of the heads' },
  ),
  steps: Type.Array(
    Type.Object({
      number: Type.Integer(),
      from: Type.String(),
      to: Type.String(),
      reason: Type.String(),
      changedAt: Time,
    }),
    { description: 'How the channel came to its state' },
  ),
})

export function registerLawApi(app: HttpServer, node: ApiNode): void {
  const { db, law } = node
  const today = (): string => node.recordedBy(node.me).on
  const dayOf = (text: string | undefined): string => {
    if (text !== undefined && !isPlainDate(text)) throw new BadRequest('querystring/on', 'date')
    return text ?? today()
  }
  const OnDay = {
    on: Type.Optional(Type.String({ maxLength: 10, description: 'A calendar date; today at home without it' })),
  }

  app.get(
    '/api/v1/agreements',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listAgreements',
        tags: ['law'],
        summary: 'Every instrument with its term, dates and the readings of it on a day',
        querystring: Type.Object(OnDay, closed),
        response: { 200: Type.Object({ items: Type.Array(Agreement) }), ...problemAnswers },
      },
    },
    async (request) => {
      const on = dayOf(request.query.on)
      const facts = await withActor(db, actedBy(request, 'administration'), async (tx) => {
        const read = new Map<string, TermFacts>()
        for (const { id } of law.instruments) read.set(id, await loadTermFacts(tx, id))
        return read
      })
      return { items: law.instruments.map((instrument) => agreementOf(node, instrument, on, facts.get(instrument.id))) }
    },
  )

  app.get(
    '/api/v1/agreements/:id/clauses',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listClauses',
        tags: ['law'],
        summary: 'The clauses of an instrument as they read on a day, each with its status and values',
        params: Type.Object({ id: plainText(40) }, closed),
        querystring: Type.Object(OnDay, closed),
        response: { 200: Type.Object({ on: DateText, items: Type.Array(ClauseText) }), ...problemAnswers },
      },
    },
    async (request, reply) => {
      const on = dayOf(request.query.on)
      const instrument = law.findInstrument(request.params.id)
      if (!instrument)
        return sendRefusal(request, reply, { code: 'law/instrument-unknown', instrument: request.params.id })
      const clauses = law.clauses.filter(({ id }) => id.startsWith(`${instrument.id}/`))
      return { on, items: clauses.flatMap((clause) => clauseOf(node, clause, on) ?? []) }
    },
  )

  app.get(
    '/api/v1/conditions',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listConditions',
        tags: ['law'],
        summary:
          'The Technical Conditions with each partner: versions, digests, decisions, approvals, and what is missing',
        response: { 200: Type.Object({ items: Type.Array(Channel) }), ...problemAnswers },
      },
    },
    async (request) => {
      const partner = await node.findPartner()
      if (!partner) return { items: [] }
      const { facts, decision } = await node.gate(partner)
      const basis = findBasis(law, facts)
      const steps = await withActor(db, actedBy(request, 'administration'), (tx) =>
        listChannelSteps(tx, { home: node.me, partner, agreement: agreementId }),
      )
      const channel: Static<typeof Channel> = {
        partner,
        agreement: facts.agreement,
        state: facts.state,
        open: decision.ok
          ? {
              mode: decision.value.mode,
              conditionsForSending: decision.value.conditionsVersionForSending,
              acceptedVersions: [...decision.value.acceptedVersions],
            }
          : null,
        missing: decision.ok ? null : codeWithFacts(decision.refusal),
        warnings: decision.ok ? decision.value.warnings.map(codeWithFacts) : [],
        versions: facts.conditions.map((version) => ({
          version: version.version,
          stage: basis ? stageOf(basis, facts, version, today()) : 'draft',
          bodyDigest: version.bodyDigest,
          annexes: version.annexes.map(({ name, digest, approvedBy }) => ({ name, digest, approvedBy })),
          validFrom: version.validFrom,
          validUntil: version.validUntil ?? null,
        })),
        decisions: facts.decisions.map(({ reference, kind, decidedOn, version, annex, digest }) => ({
          reference,
          kind,
          decidedOn,
          version: version ?? null,
          annex: annex ?? null,
          digest: digest ?? null,
        })),
        approvals: facts.approvals.map((approval) => ({ ...approval, annex: approval.annex ?? null })),
        steps: steps.map(({ number, from, to, reason, changedAt }) => ({ number, from, to, reason, changedAt })),
      }
      return { items: [channel] }
    },
  )
}

function codeWithFacts({ code, clause, ...facts }: { code: string; clause?: string }): Static<typeof CodeWithFacts> {
  return { code, ...(clause && { clause }), facts }
}

function agreementOf(
  { law }: ApiNode,
  instrument: Instrument,
  on: string,
  facts: TermFacts | undefined,
): Static<typeof Agreement> {
  const term = computeTerm(law, instrument, on, facts)
  const readings = instrument.term.model === 'renewing' ? instrument.term.readings : []
  return {
    id: instrument.id,
    title: instrument.title,
    titles: { ...instrument.titles },
    sides: instrument.sides.map(({ country }) => country),
    authenticLanguages: [...instrument.languages.authentic],
    prevailingLanguage: instrument.languages.prevailing,
    signedOn: instrument.signed.on,
    standing: term.standing,
    on,
    inForceOn: term.inForceOn ?? null,
    endsOn: term.endsOn ?? null,
    readings: term.readings.map(({ id, languages, inForce, endsOn }) => ({
      id,
      languages: [...languages],
      means: readings.find((reading) => reading.id === id)?.means ?? '',
      inForce,
      endsOn: endsOn ?? null,
    })),
    recordedReading: facts?.recordedReading ?? null,
    period: term.period ?? null,
    warnings: term.warnings.map(codeWithFacts),
    parent: instrument.parent?.instrument ?? null,
    opensExchange: instrument.exchange !== undefined,
  }
}

/** A clause as it reads on a day; none before its first dated version and after a repeal. */
function clauseOf({ law }: ApiNode, clause: Clause, on: string): Static<typeof ClauseText> | undefined {
  const read = law.clauseOn(clause.id, on)
  if (!read) return undefined
  const { text, version } = read
  return {
    id: clause.id,
    kind: clause.kind,
    status: clause.status,
    statusReason: clause.statusReason ?? null,
    text,
    values: version?.values ?? {},
    defaults: version?.defaults ?? {},
    from: version?.from ?? null,
    until: version?.until ?? null,
    source: version?.source ?? null,
    ...(clause.divergence && { divergence: clause.divergence }),
  }
}
