/** The event feed: what happened, as server-sent events of CloudEvents JSON, resumable by position. */
import type { ServerResponse } from 'node:http'
import { Type } from 'typebox'
import {
  type FeedEvent,
  type FeedPosition,
  feedStart,
  parseFeedPosition,
  readFeed,
  writeFeedPosition,
} from '../../audit/index.ts'
import { listen, withActor } from '../db/index.ts'
import { problemAnswers, sendRefusal } from '../http/problem.ts'
import { actedBy, type HttpServer, isStillAllowed } from '../http/server.ts'
import type { ApiNode } from './context.ts'
import { closed } from './schemas.ts'

/** Events are read in steps of this size. */
const feedPage = 200
/** So often a line that says nothing keeps proxies from closing the feed, and the token is looked at again. */
const heartbeatMs = 15_000
/** How long a reader should wait before it comes back. */
const reconnectMs = 3000

export function registerEventFeed(app: HttpServer, node: ApiNode): void {
  // A feed has no end of its own: it ends when its reader goes, when its token is revoked, or when the node stops.
  const stopping = new AbortController()
  app.addHook('preClose', async () => stopping.abort())

  app.get(
    '/api/v1/events',
    {
      config: { scope: 'events' },
      exposeHeadRoute: false,
      schema: {
        operationId: 'followEvents',
        tags: ['events'],
        summary: 'What happened, as server-sent events of CloudEvents JSON; resumable by position',
        description:
          'Give the id of the last event you took as `Last-Event-ID` or `after`; without one the feed begins at the first event. `follow=false` ends at the present. Events carry ids and codes, never content.',
        querystring: Type.Object(
          {
            after: Type.Optional(Type.String({ maxLength: 30, description: 'The id of an event' })),
            follow: Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')])),
          },
          closed,
        ),
        response: {
          200: { description: 'The feed', content: { 'text/event-stream': { schema: Type.String() } } },
          ...problemAnswers,
        },
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
      const gone = new AbortController()
      out.on('close', () => gone.abort())
      const signal = AbortSignal.any([gone.signal, stopping.signal])
      out.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-request-id': request.id,
      })
      out.write(`retry: ${reconnectMs}\n\n`)
      const allowed = () => isStillAllowed({ db: node.db, now: node.exchange.now }, request)
      const follow = request.query.follow !== 'false'
      try {
        await writeFeed(node, out, { after: after.value, follow, signal, allowed, by: actedBy(request, 'events') })
      } catch (error) {
        // The reader comes back by itself and resumes where it was.
        request.log.error({ err: error, code: 'platform/failure' }, 'event feed ended')
      } finally {
        out.end()
      }
    },
  )
}

interface Feed {
  readonly after: FeedPosition
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly allowed: () => Promise<boolean>
  readonly by: { readonly actor: string; readonly purpose: string }
}

async function writeFeed(node: ApiNode, out: ServerResponse, feed: Feed): Promise<void> {
  const { signal, by } = feed
  const news = hintsOf(signal)
  const subscription = await listen(node.db, 'dostyk_events', news.give)
  try {
    let at = feed.after
    let allowedUntil = Date.now() + heartbeatMs
    while (!signal.aborted) {
      const from = at
      const read = await withActor(node.db, by, (tx) => readFeed(tx, { after: from, limit: feedPage }))
      for (const event of read.events) {
        const id = writeFeedPosition(event.place)
        out.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(cloudEvent(node, id, event))}\n\n`)
      }
      at = read.next
      // A reader that is slower than the feed is waited for, so that nothing piles up here.
      if (out.writableNeedDrain)
        await new Promise((resolve) => {
          out.once('drain', resolve)
          signal.addEventListener('abort', resolve, { once: true })
        })
      if (read.more) continue
      if (!feed.follow) return
      if (!(await news.wait(heartbeatMs))) out.write(': still here\n\n')
      if (Date.now() < allowedUntil) continue
      if (!(await feed.allowed())) return
      allowedUntil = Date.now() + heartbeatMs
    }
  } finally {
    await subscription.close()
  }
}

/** Hints that something happened. One given while nobody waits is kept, so that none is lost between a read and a wait. */
function hintsOf(signal: AbortSignal): { give(): void; wait(ms: number): Promise<boolean> } {
  let given = false
  let wake = (): void => {}
  const give = (): void => {
    given = true
    wake()
  }
  signal.addEventListener('abort', give, { once: true })
  return {
    give,
    wait: async (ms) => {
      if (!given)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      const had = given
      given = false
      return had
    },
  }
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
