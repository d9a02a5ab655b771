/** What operators and their tools ask of a node: whether it lives, whether it can work, and its figures. */
import { sql } from 'kysely'
import type { Mode } from '../../exchange/index.ts'
import { summariseLinks } from '../../exchange/index.ts'
import { Fault } from '../../kernel/index.ts'
import { readMigrations, withActor } from '../db/index.ts'
import type { HttpServer } from '../http/server.ts'
import type { ApiNode } from './context.ts'

const modes: readonly Mode[] = ['test', 'live']

export function registerOperations(app: HttpServer, node: ApiNode): void {
  const { registry, metrics } = node.telemetry
  const by = { actor: 'operations', purpose: 'status' }

  const newestMigration = readMigrations().then((migrations) => Math.max(...migrations.map(({ number }) => number)))

  app.get('/healthz', { schema: { hide: true } }, async () => ({ alive: true }))

  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const codes = await whatHinders(node, await newestMigration)
    return reply.code(codes.length === 0 ? 200 : 503).send({ ready: codes.length === 0, codes })
  })

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const links = await withActor(node.db, by, summariseLinks).catch(() => undefined)
    for (const gauge of [
      metrics.queued,
      metrics.oldestQueuedSeconds,
      metrics.parked,
      metrics.linkFailing,
      metrics.clockOffsetSeconds,
    ])
      gauge.reset()
    const now = node.exchange.now().getTime()
    for (const link of links ?? []) {
      const labels = { partner: link.partner, mode: link.mode }
      metrics.queued.set(labels, link.queued + link.waiting)
      metrics.parked.set(labels, link.parked)
      metrics.linkFailing.set(labels, link.failingSince ? 1 : 0)
      metrics.oldestQueuedSeconds.set(labels, link.oldestQueuedAt ? (now - Date.parse(link.oldestQueuedAt)) / 1000 : 0)
      if (link.clockOffsetMs !== null) metrics.clockOffsetSeconds.set(labels, link.clockOffsetMs / 1000)
    }
    return reply.type(registry.contentType).send(await registry.metrics())
  })

  app.get('/api/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger())

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    metrics.requestSeconds.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
  })
}

/** The codes of what keeps the node from working; none when it is ready. */
async function whatHinders(node: ApiNode, newestMigration: number): Promise<readonly string[]> {
  const codes: string[] = []
  try {
    const applied = await withActor(node.db, { actor: 'operations', purpose: 'status' }, async (tx) => {
      const { rows } = await sql<{ newest: number }>`select max(number) as newest from platform.migration`.execute(tx)
      return rows[0]?.newest ?? 0
    })
    if (applied > newestMigration) codes.push('platform/database-newer')
    if (applied < newestMigration) codes.push('platform/migration-failed')
  } catch (error) {
    codes.push(error instanceof Fault ? error.code : 'platform/failure')
  }
  const now = node.exchange.now().getTime()
  if (modes.some((mode) => Date.parse(node.keys.keysetExpiresAt(mode)) <= now)) codes.push('platform/keys-expired')
  return codes
}
