/** Messages and their fate, partners and links, the event feed. */
import { Type } from 'typebox'
import {
  type FeedEvent,
  feedStart,
  parseFeedPosition,
  readFeed,
  recordEvents,
  writeFeedPosition,
} from '../../audit/index.ts'
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
import { listen, withActor } from '../db/index.ts'
import { sendRefusal } from '../http/problem.ts'
import { actedBy, type HttpServer } from '../http/server.ts'
import type { ApiNode } from './context.ts'
import { closed, Limit, MessageDetail, MessageFate, nullable, page, Time, Uuid } from './schemas.ts'

const ById = Type.Object({ id: Uuid }, closed)
const problems = { '4xx': { $ref: 'Problem#' } }
const limitOf = (text: string | undefined): number => Math.min(Number(text ?? 100), 500)
const security = [{ token: [] }]
/** Feed pages are read in steps of this size. */
const feedPage = 200
/** A line of the feed that says nothing, so that proxies keep it open. */
const heartbeatMs = 15_000

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
            state: Type.Optional(Type.String({ maxLength: 20 })),
            type: Type.Optional(Type.String({ maxLength: 20 })),
            partner: Type.Optional(Type.String({ maxLength: 17 })),
            subject: Type.Optional(Uuid),
          },
          closed,
        ),
        response: { 200: page(MessageFate), ...problems },
        security,
      },
    },
    async (request) => {
      const limit = limitOf(request.query.limit)
      const items = await withActor(db, actedBy(request, 'exchange'), (tx) =>
        listMessages(tx, { ...request.query, limit }),
      )
      const last = items.at(-1)
      return { items, ...(items.length === limit && last ? { next: last.id } : {}) }
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
        response: { 200: MessageDetail, ...problems },
        security,
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
          body: Type.Object({ reason: Type.String({ minLength: 1, maxLength: 200 }) }, closed),
          response: { 200: Type.Object({ id: Uuid }), ...problems },
          security,
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
          ...problems,
        },
        security,
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
          ...problems,
        },
        security,
      },
    },
    async (request) => ({ items: [...(await withActor(db, actedBy(request, 'exchange'), listRefusals))] }),
  )

  app.get(
    '/api/v1/events',
    {
      config: { scope: 'events' },
      schema: {
        operationId: 'followEvents',
        tags: ['events'],
        summary: 'What happened, as server-sent events of CloudEvents JSON; resumable by position',
        description:
          'Give the id of the last event you took as `Last-Event-ID` or `after`; `follow=false` ends at the present. Events carry ids and codes, never content.',
        querystring: Type.Object(
          {
            after: Type.Optional(Type.String({ maxLength: 30 })),
            follow: Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')])),
          },
          closed,
        ),
        response: { ...problems },
        security,
      },
    },
    async (request, reply) => {
      const last = request.headers['last-event-id']
      const after = parseFeedPosition(
        (typeof last === 'string' ? last : request.query.after) ?? writeFeedPosition(feedStart),
      )
      if (!after.ok) return sendRefusal(request, reply, after.refusal)
      reply.hijack()
      const out = reply.raw
      out.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      let ended = false
      let wake = () => {}
      const subscription = await listen(db, 'dostyk_events', () => wake())
      request.raw.on('close', () => {
        ended = true
        wake()
      })
      let at = after.value
      try {
        while (!ended) {
          const from = at
          const read = await withActor(db, actedBy(request, 'events'), (tx) =>
            readFeed(tx, { after: from, limit: feedPage }),
          )
          for (const event of read.events) {
            const id = writeFeedPosition(event.place)
            out.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(cloudEvent(node, id, event))}\n\n`)
          }
          at = read.next
          // A reader that is slower than the feed is waited for, so that nothing piles up here.
          if (out.writableNeedDrain) await new Promise((resolve) => out.once('drain', resolve).once('close', resolve))
          if (read.more) continue
          if (request.query.follow === 'false') break
          await new Promise<void>((resolve) => {
            const timer = setTimeout(() => {
              out.write(': still here\n\n')
              resolve()
            }, heartbeatMs)
            wake = () => {
              clearTimeout(timer)
              resolve()
            }
          })
        }
      } finally {
        await subscription.close()
        out.end()
      }
    },
  )
}

/** One event as CloudEvents 1.0 JSON. */
function cloudEvent(node: ApiNode, id: string, event: FeedEvent): object {
  return {
    specversion: '1.0',
    id,
    source: `urn:dostyk:node:${node.me}`,
    type: `dostyk.${event.type}`,
    subject: event.subject,
    time: event.at,
    datacontenttype: 'application/json',
    data: event.facts,
  }
}

/** Conditions and term under which a message is issued anew: those in force now. */
async function renewal(node: ApiNode): Promise<{ agreement: { id: string; conditions: string }; expiresAt: Date }> {
  const { channel, conditions, now } = await node.clearanceContext()
  return {
    agreement: channel?.agreement ?? { id: conditions.agreement, conditions: conditions.version },
    expiresAt: new Date(now.getTime() + conditions.regulation.messageExpiryDays * 86_400_000),
  }
}
