/** Hand-over, decisions, trains, and what partners sent. */
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { recordEvents } from '../../audit/index.ts'
import {
  closeLeg,
  decideHeld,
  departListedLeg,
  findDeclaration,
  findLeg,
  findOriginal,
  findReceived,
  findSubmission,
  InstantUtc,
  listDeclarations,
  listDefective,
  listLegs,
  listRailRecords,
  listReceived,
  listSubmissionRecords,
  listSubmissions,
  OfficerDecision,
} from '../../clearance/index.ts'
import { withActor } from '../db/index.ts'
import { problemAnswers, sendRefusal } from '../http/problem.ts'
import { actedBy, type HttpServer, purposeHeader } from '../http/server.ts'
import type { ApiNode } from './context.ts'
import { Before, beforeOf, Limit, limitOf, page, pageOf, placeIn } from './paging.ts'
import {
  closed,
  DeclarationDetail,
  DeclarationSummary,
  digits,
  Finding,
  LegDetail,
  LegSummary,
  Mode,
  plainText,
  RailRecord,
  RailRecordKind,
  ReceivedDetail,
  ReceivedSummary,
  Submission,
  SubmissionAnswer,
  SubmissionRecord,
  Time,
  Uuid,
} from './schemas.ts'

const ById = Type.Object({ id: Uuid }, closed)
const customsControl = 'customs-control'

export function registerClearanceApi(app: HttpServer, node: ApiNode): void {
  const { db, reference } = node
  const { submissions, records } = node.telemetry.metrics
  // A stop cuts an upload short; its submission is marked so before the database is let go.
  const handOvers = new Set<Promise<unknown>>()
  app.addHook('onClose', async () => {
    await Promise.allSettled(handOvers)
  })

  app.register(async (scoped: HttpServer) => {
    // Whatever the media type says, the content tells the format; the body is a stream and is never held whole.
    scoped.removeAllContentTypeParsers()
    scoped.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scoped.post(
      '/api/v1/submissions',
      {
        bodyLimit: Number.MAX_SAFE_INTEGER,
        config: {
          scope: 'submit',
          takes: [
            'application/json',
            'application/x-ndjson',
            'application/xml',
            'text/csv',
            'application/octet-stream',
          ],
        },
        schema: {
          operationId: 'submit',
          tags: ['intake'],
          summary: 'Hand over declarations, railway lists and other records',
          description:
            'The body is JSON (object, array or NDJSON), CSV, WCO Data Model 3.6 XML, NCTS IE029 XML or JSON, or UN/CEFACT D23B JSON; the format is detected by content. Each record is taken or refused by itself; handing the same over again changes nothing.',
          querystring: Type.Object(
            {
              fileName: Type.Optional(plainText(200, 'Kept for people; it decides nothing')),
              declarationVersion: Type.Optional(digits(5)),
              releasedAt: Type.Optional(InstantUtc),
            },
            closed,
          ),
          response: { 200: SubmissionAnswer, ...problemAnswers },
        },
      },
      async (request, reply) => {
        // What came compressed would be read as no format at all.
        if (!/^(identity)?$/.test(request.headers['content-encoding'] ?? ''))
          return sendRefusal(request, reply, { code: 'platform/media-type' })
        const { fileName, declarationVersion, releasedAt } = request.query
        const handOver = node.submit(
          {
            channel: 'http',
            source: actedBy(request, 'intake').actor,
            fileName,
            declarationVersion: declarationVersion === undefined ? undefined : Number(declarationVersion),
            releasedAt,
          },
          // A request without a body is a hand-over of nothing, and is refused as one.
          (request.body as AsyncIterable<Uint8Array> | undefined) ?? Readable.from([]),
        )
        handOvers.add(handOver)
        const result = await handOver.finally(() => handOvers.delete(handOver))
        submissions.inc({ channel: 'http' })
        for (const outcome of ['taken', 'unchanged', 'refused'] as const) records.inc({ outcome }, result[outcome])
        return result
      },
    )
  })

  app.get(
    '/api/v1/submissions',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listSubmissions',
        tags: ['intake'],
        summary: 'What was handed over, by whom, with how many records of each outcome',
        querystring: Type.Object({ limit: Limit, before: Type.Optional(Uuid) }, closed),
        response: { 200: page(Submission), ...problemAnswers },
      },
    },
    async (request) => {
      const limit = limitOf(request.query.limit)
      const rows = await withActor(db, actedBy(request, 'intake'), (tx) =>
        listSubmissions(tx, { limit, before: request.query.before }),
      )
      return pageOf(rows, limit, ({ id }) => id)
    },
  )

  app.get(
    '/api/v1/submissions/:id',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getSubmission',
        tags: ['intake'],
        summary: 'One submission with its counts and the digest of all its bytes',
        params: ById,
        response: { 200: Submission, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const found = await withActor(db, actedBy(request, 'intake'), (tx) => findSubmission(tx, request.params.id))
      return found ?? sendRefusal(request, reply, { code: 'platform/submission-unknown', id: request.params.id })
    },
  )

  app.get(
    '/api/v1/submissions/:id/records',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listSubmissionRecords',
        tags: ['intake'],
        summary: 'What became of each record of a submission, with its problems',
        params: ById,
        querystring: Type.Object(
          {
            limit: Limit,
            after: Type.Optional(digits(8)),
            outcome: Type.Optional(plainText(20)),
          },
          closed,
        ),
        response: {
          200: Type.Object({
            items: Type.Array(SubmissionRecord),
            next: Type.Optional(Type.Integer({ description: 'Give it as `after` for the next page' })),
          }),
          ...problemAnswers,
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const { after = '0', outcome } = request.query
      const limit = limitOf(request.query.limit)
      const rows = await withActor(db, actedBy(request, 'intake'), async (tx) =>
        (await findSubmission(tx, id))
          ? await listSubmissionRecords(tx, { submission: id, after: Number(after), limit, outcome })
          : undefined,
      )
      if (!rows) return sendRefusal(request, reply, { code: 'platform/submission-unknown', id })
      const last = rows.at(-1)
      return { items: [...rows], ...(rows.length === limit && last && { next: last.position }) }
    },
  )

  app.get(
    '/api/v1/submissions/:id/records/:position/original',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getOriginal',
        tags: ['intake'],
        summary: 'The bytes of one record exactly as they were handed over',
        params: Type.Object({ id: Uuid, position: digits(8) }, closed),
        response: {
          200: {
            description: 'The bytes, never as a page; the `digest` header has their SHA-256',
            content: { 'application/octet-stream': { schema: Type.String() } },
          },
          ...problemAnswers,
        },
      },
    },
    async (request, reply) => {
      const found = await withActor(db, actedBy(request, 'intake'), (tx) =>
        findOriginal(tx, request.params.id, Number(request.params.position)),
      )
      if (!found) return sendRefusal(request, reply, { code: 'platform/submission-unknown', id: request.params.id })
      // Never shown as a page: what was handed over may be anything.
      return reply
        .type('application/octet-stream')
        .header('content-disposition', 'attachment; filename="original"')
        .header('digest', `sha-256=${found.digest}`)
        .serializer((bytes) => bytes as unknown as string)
        .send(found.original as unknown as string)
    },
  )

  app.get(
    '/api/v1/declarations',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listDeclarations',
        tags: ['declarations'],
        summary: 'Every declaration of this side with its decision, ground and clause',
        querystring: Type.Object(
          {
            limit: Limit,
            before: Before,
            outcome: Type.Optional(plainText(20)),
            declarationId: Type.Optional(plainText(70)),
            unit: Type.Optional(plainText(35, 'The number of a container, a wagon or a consignment note')),
          },
          closed,
        ),
        response: { 200: page(DeclarationSummary), ...problemAnswers },
      },
    },
    async (request) => {
      const limit = limitOf(request.query.limit)
      const before = beforeOf(request.query.before)
      const rows = await withActor(db, actedBy(request, 'clearance'), (tx) =>
        listDeclarations(tx, { ...request.query, limit, before }),
      )
      return pageOf(rows, limit, ({ changedAt, key }) => placeIn({ at: changedAt, key }))
    },
  )

  app.get(
    '/api/v1/declarations/:id',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getDeclaration',
        tags: ['declarations'],
        summary: 'One declaration with its versions, decisions, warnings and, if temporary, its balance',
        params: ById,
        response: { 200: DeclarationDetail, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const key = request.params.id
      const found = await withActor(db, actedBy(request, 'clearance'), (tx) => findDeclaration(tx, { key }))
      return found ?? sendRefusal(request, reply, { code: 'clearance/declaration-unknown', key })
    },
  )

  app.post(
    '/api/v1/declarations/:id/decision',
    {
      config: { scope: 'decide' },
      schema: {
        operationId: 'decideHeldDeclaration',
        tags: ['declarations'],
        summary: 'Release or withhold a held declaration; what law forbids stays forbidden',
        params: ById,
        body: OfficerDecision,
        response: { 200: Type.Object({ outcome: Type.String() }), ...problemAnswers },
      },
    },
    async (request, reply) => {
      const context = await node.clearanceContext()
      const by = actedBy(request, 'clearance')
      const decided = await withActor(db, by, async (tx) => {
        const answer = await decideHeld(tx, context, request.params.id, request.body)
        if (answer.ok) await recordEvents(tx, by, answer.value.events)
        return answer
      })
      if (!decided.ok) return sendRefusal(request, reply, decided.refusal)
      node.wake()
      return { outcome: decided.value.outcome }
    },
  )

  app.get(
    '/api/v1/legs',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listLegs',
        tags: ['trains'],
        summary: 'Legs of trains: what was listed, loaded and empty, with and without data',
        querystring: Type.Object(
          {
            limit: Limit,
            before: Before,
            mode: Type.Optional(Mode),
            source: Type.Optional(
              Type.Union([Type.Literal('carrier'), Type.Literal('customs'), Type.Literal('partner')]),
            ),
            open: Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')])),
          },
          closed,
        ),
        response: { 200: page(LegSummary), ...problemAnswers },
      },
    },
    async (request) => {
      const { mode, source, open } = request.query
      const limit = limitOf(request.query.limit)
      const before = beforeOf(request.query.before)
      const rows = await withActor(db, actedBy(request, 'clearance'), (tx) =>
        listLegs(tx, reference, {
          mode,
          source,
          open: open === undefined ? undefined : open === 'true',
          limit,
          before,
        }),
      )
      return pageOf(rows, limit, ({ sortedAt, key }) => placeIn({ at: sortedAt, key }))
    },
  )

  app.get(
    '/api/v1/legs/:id',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getLeg',
        tags: ['trains'],
        summary: 'One leg with its units, each with or without data',
        params: ById,
        response: { 200: LegDetail, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const key = request.params.id
      const found = await withActor(db, actedBy(request, 'clearance'), (tx) => findLeg(tx, reference, key))
      return found ?? sendRefusal(request, reply, { code: 'clearance/leg-unknown', key })
    },
  )

  app.post(
    '/api/v1/legs/:id/departure',
    {
      config: { scope: 'decide' },
      schema: {
        operationId: 'departLeg',
        tags: ['trains'],
        summary: 'Confirm that a listed leg left; the partner is told what was handed over',
        params: ById,
        body: Type.Object({ departedAt: InstantUtc }, closed),
        response: { 200: Type.Object({ leg: Uuid, warnings: Type.Array(Finding) }), ...problemAnswers },
      },
    },
    async (request, reply) => {
      const context = await node.clearanceContext()
      const by = actedBy(request, 'clearance')
      const departed = await withActor(db, by, async (tx) => {
        const answer = await departListedLeg(tx, context, request.params.id, request.body.departedAt)
        if (answer.ok) await recordEvents(tx, by, answer.value.events)
        return answer
      })
      if (!departed.ok) return sendRefusal(request, reply, departed.refusal)
      node.wake()
      const { about, problems: warnings } = departed.value.taken
      return { leg: about ?? request.params.id, warnings: [...warnings] }
    },
  )

  app.post(
    '/api/v1/legs/:id/close',
    {
      config: { scope: 'decide' },
      schema: {
        operationId: 'closeLeg',
        tags: ['trains'],
        summary: 'Close a leg; every clearance on it is reported USED',
        params: ById,
        response: { 200: Type.Object({ used: Type.Integer() }), ...problemAnswers },
      },
    },
    async (request, reply) => {
      const context = await node.clearanceContext()
      const by = actedBy(request, 'clearance')
      const done = await withActor(db, by, async (tx) => {
        const answer = await closeLeg(tx, context, request.params.id)
        if (answer.ok) await recordEvents(tx, by, answer.value.events)
        return answer
      })
      if (!done.ok) return sendRefusal(request, reply, done.refusal)
      node.wake()
      return { used: done.value.used }
    },
  )

  const RailRecordQuery = Type.Object(
    { limit: Limit, before: Before, mode: Type.Optional(Mode), record: Type.Optional(RailRecordKind) },
    closed,
  )
  app.get(
    '/api/v1/rail-records',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listRailRecords',
        tags: ['trains'],
        summary: 'Arrivals, discrepancies, reloadings and consignment notes that were handed over here',
        querystring: RailRecordQuery,
        response: { 200: page(RailRecord), ...problemAnswers },
      },
    },
    async (request) => {
      const limit = limitOf(request.query.limit)
      const before = beforeOf(request.query.before)
      const filter = { ...request.query, direction: 'home' as const, limit, before }
      const rows = await withActor(db, actedBy(request, 'clearance'), (tx) => listRailRecords(tx, filter))
      return pageOf(rows, limit, ({ takenAt, key }) => placeIn({ at: takenAt, key }))
    },
  )

  const PurposeHeaders = Type.Object({
    [purposeHeader]: Type.Optional(Type.String({ maxLength: 100, description: 'customs-control' })),
  })
  app.get(
    '/api/v1/received',
    {
      config: { scope: 'read-received' },
      schema: {
        operationId: 'listReceived',
        tags: ['received'],
        summary: 'Clearances that partners sent, as shown now',
        headers: PurposeHeaders,
        querystring: Type.Object(
          {
            limit: Limit,
            before: Before,
            mode: Type.Optional(Mode),
            declarationId: Type.Optional(plainText(70)),
            unit: Type.Optional(plainText(35, 'The number of a container, a wagon or a consignment note')),
          },
          closed,
        ),
        response: { 200: page(ReceivedSummary), ...problemAnswers },
      },
    },
    async (request, reply) => {
      if (request.headers[purposeHeader] !== customsControl)
        return sendRefusal(request, reply, { code: 'access/purpose-missing', clause: 'STOP-2021/6.2' })
      const limit = limitOf(request.query.limit)
      const before = beforeOf(request.query.before)
      const by = actedBy(request, customsControl)
      const rows = await withActor(db, by, async (tx) => {
        const found = await listReceived(tx, { ...request.query, limit, before })
        await recordEvents(tx, by, [
          { type: 'received.read', subject: 'list', facts: { record: `${found.length} rows` } },
        ])
        return found
      })
      return pageOf(rows, limit, ({ receivedAt, key }) => placeIn({ at: receivedAt, key }))
    },
  )

  app.get(
    '/api/v1/received/:id',
    {
      config: { scope: 'read-received' },
      schema: {
        operationId: 'getReceived',
        tags: ['received'],
        summary: 'One clearance that a partner sent, with its versions and warnings; the reading is recorded',
        headers: PurposeHeaders,
        params: ById,
        response: { 200: ReceivedDetail, ...problemAnswers },
      },
    },
    async (request, reply) => {
      if (request.headers[purposeHeader] !== customsControl)
        return sendRefusal(request, reply, { code: 'access/purpose-missing', clause: 'STOP-2021/6.2' })
      const by = actedBy(request, customsControl)
      const found = await withActor(db, by, async (tx) => {
        const row = await findReceived(tx, request.params.id)
        if (row)
          await recordEvents(tx, by, [{ type: 'received.read', subject: row.key, facts: { partner: row.partner } }])
        return row
      })
      return found ?? sendRefusal(request, reply, { code: 'clearance/declaration-unknown', key: request.params.id })
    },
  )

  app.get(
    '/api/v1/received-rail-records',
    {
      config: { scope: 'read-received' },
      schema: {
        operationId: 'listReceivedRailRecords',
        tags: ['received'],
        summary: 'Arrivals and discrepancies that partners told of; the reading is recorded',
        headers: PurposeHeaders,
        querystring: RailRecordQuery,
        response: { 200: page(RailRecord), ...problemAnswers },
      },
    },
    async (request, reply) => {
      if (request.headers[purposeHeader] !== customsControl)
        return sendRefusal(request, reply, { code: 'access/purpose-missing', clause: 'STOP-2021/6.2' })
      const limit = limitOf(request.query.limit)
      const before = beforeOf(request.query.before)
      const by = actedBy(request, customsControl)
      const rows = await withActor(db, by, async (tx) => {
        const found = await listRailRecords(tx, { ...request.query, direction: 'partner', limit, before })
        await recordEvents(tx, by, [
          { type: 'received.read', subject: 'rail-records', facts: { record: `${found.length} rows` } },
        ])
        return found
      })
      return pageOf(rows, limit, ({ takenAt, key }) => placeIn({ at: takenAt, key }))
    },
  )

  app.get(
    '/api/v1/defective',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listDefective',
        tags: ['received'],
        summary: 'What partners sent that cannot be used, with the reasons they were given',
        querystring: Type.Object({ limit: Limit }, closed),
        response: {
          200: Type.Object({
            items: Type.Array(
              Type.Object({
                partner: Type.String(),
                mode: Mode,
                message: Uuid,
                type: Type.String(),
                quarantined: Type.Boolean(),
                problems: Type.Array(Finding),
                receivedAt: Time,
              }),
            ),
          }),
          ...problemAnswers,
        },
      },
    },
    async (request) => ({
      items: await withActor(db, actedBy(request, 'clearance'), (tx) =>
        listDefective(tx, limitOf(request.query.limit)),
      ),
    }),
  )
}
