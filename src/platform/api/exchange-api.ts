/** Messages and their fate, partners and links, what was refused. */
import { Type } from 'typebox'
import { recordEvents } from '../../audit/index.ts'
import { clearanceUse } from '../../clearance/index.ts'
import {
  findMessage,
  listMessages,
  listPartners,
  listRefusals,
  resendMessage,
  skipMessage,
  summariseLinks,
} from '../../exchange/index.ts'
import { withActor } from '../db/index.ts'
import { problemAnswers, sendRefusal } from '../http/problem.ts'
import { actedBy, type HttpServer } from '../http/server.ts'
import type { ApiNode } from './context.ts'
import { Limit, limitOf, page, pageOf } from './paging.ts'
import { closed, MessageDetail, MessageFate, nullable, plainText, Time, Uuid } from './schemas.ts'

const ById = Type.Object({ id: Uuid }, closed)

export function registerExchangeApi(app: HttpServer, node: ApiNode): void {
  const { db } = node

  app.get(
    '/api/v1/messages',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listMessages',
        tags: ['messages'],
        summary: 'Messages of both directions with their fate, newest first',
        querystring: Type.Object(
          {
            limit: Limit,
            before: Type.Optional(Uuid),
            direction: Type.Optional(Type.Union([Type.Literal('out'), Type.Literal('in')])),
            state: Type.Optional(plainText(20)),
            type: Type.Optional(plainText(20)),
            partner: Type.Optional(plainText(17)),
            subject: Type.Optional(Uuid),
          },
          closed,
        ),
        response: { 200: page(MessageFate), ...problemAnswers },
      },
    },
    async (request) => {
      const limit = limitOf(request.query.limit)
      const rows = await withActor(db, actedBy(request, 'exchange'), (tx) =>
        listMessages(tx, { ...request.query, limit }),
      )
      return pageOf(rows, limit, ({ id }) => id)
    },
  )

  app.get(
    '/api/v1/messages/:id',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getMessage',
        tags: ['messages'],
        summary: 'One message: its fate on both sides, the signed text and the signed receipt',
        params: ById,
        response: { 200: MessageDetail, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const found = await withActor(db, actedBy(request, 'exchange'), (tx) => findMessage(tx, id))
      return found ?? sendRefusal(request, reply, { code: 'exchange/message-unknown', id })
    },
  )

  for (const act of ['resend', 'skip'] as const)
    app.post(
      `/api/v1/messages/:id/${act}`,
      {
        config: { scope: 'decide' },
        schema: {
          operationId: `${act}Message`,
          tags: ['messages'],
          summary:
            act === 'resend'
              ? 'Send a parked message again, issued anew where the same bytes cannot be taken'
              : 'Give a parked message up; a signed SKIP fills its place and its lane goes on',
          params: ById,
          body: Type.Object({ reason: plainText(200, 'Why, for the record') }, closed),
          response: { 200: Type.Object({ id: Uuid }), ...problemAnswers },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const by = actedBy(request, 'exchange')
        const { agreement, expiresAt } = await renewal(node)
        const now = node.exchange.now()
        const done = await withActor(db, by, async (tx) => {
          const answer =
            act === 'resend'
              ? await resendMessage(tx, node.exchange, id, { agreement, expiresAt }, now)
              : await skipMessage(tx, node.exchange, id, { agreement, expiresAt, use: clearanceUse(false) }, now)
          if (answer.ok)
            await recordEvents(tx, by, [
              {
                type: act === 'resend' ? 'message.resent' : 'message.skipped',
                subject: id,
                facts: { reason: request.body.reason },
              },
            ])
          return answer
        })
        if (!done.ok) return sendRefusal(request, reply, done.refusal)
        node.wake()
        return { id: done.value.id }
      },
    )

  app.get(
    '/api/v1/partners',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listPartners',
        tags: ['exchange'],
        summary: 'Partners, their channel and how the link stands',
        response: {
          200: Type.Object({
            items: Type.Array(
              Type.Object({
                id: Type.String(),
                endpoint: Type.String(),
                state: Type.String(),
                fingerprint: Type.String(),
                approvedAt: nullable(Time),
                approvedBy: nullable(Type.Array(Type.String())),
                channel: nullable(Type.Object({ mode: Type.String(), conditions: Type.String() })),
                links: Type.Array(Type.Unknown()),
              }),
            ),
          }),
          ...problemAnswers,
        },
      },
    },
    async (request) => {
      const { partners, links } = await withActor(db, actedBy(request, 'exchange'), async (tx) => ({
        partners: await listPartners(tx),
        links: await summariseLinks(tx),
      }))
      const items = await Promise.all(
        partners.map(async (partner) => {
          const channel = await node.exchange.channel(partner.id)
          return {
            ...partner,
            approvedBy: partner.approvedBy ? [...partner.approvedBy] : null,
            channel: channel ? { mode: channel.mode, conditions: channel.agreement.conditions } : null,
            links: links.filter((link) => link.partner === partner.id),
          }
        }),
      )
      return { items }
    },
  )

  app.get(
    '/api/v1/refusals',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listRefusals',
        tags: ['exchange'],
        summary: 'What the exchange refused, by code, in both directions',
        response: {
          200: Type.Object({
            items: Type.Array(
              Type.Object({
                direction: Type.String(),
                partner: Type.String(),
                code: Type.String(),
                count: Type.Number(),
                lastAt: Time,
                lastMessageId: nullable(Type.String()),
              }),
            ),
          }),
          ...problemAnswers,
        },
      },
    },
    async (request) => ({ items: [...(await withActor(db, actedBy(request, 'exchange'), listRefusals))] }),
  )
}

/** Conditions and term under which a message is issued anew: those in force now. */
async function renewal(node: ApiNode): Promise<{ agreement: { id: string; conditions: string }; expiresAt: Date }> {
  const { channel, conditions, now } = await node.clearanceContext()
  return {
    agreement: channel?.agreement ?? { id: conditions.agreement, conditions: conditions.version },
    expiresAt: new Date(now.getTime() + conditions.regulation.messageExpiryDays * 86_400_000),
  }
}
