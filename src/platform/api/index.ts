import type { HttpServer } from '../http/server.ts'
import { registerClearanceApi } from './clearance-api.ts'
import type { ApiNode } from './context.ts'
import { registerExchangeApi } from './exchange-api.ts'

/** Everything that answers on the node's port for home systems and officers. */
export async function registerApi(app: HttpServer, node: ApiNode): Promise<void> {
  registerClearanceApi(app, node)
  registerExchangeApi(app, node)
  app.get('/healthz', { schema: { hide: true } }, async () => ({ alive: true }))
}
