import type { HttpServer } from '../http/server.ts'
import { registerClearanceApi } from './clearance-api.ts'
import type { ApiNode } from './context.ts'
import { registerDocsPage } from './docs-page.ts'
import { registerEventFeed } from './event-feed.ts'
import { registerExchangeApi } from './exchange-api.ts'
import { registerLawApi } from './law-api.ts'
import { registerOperations } from './operations.ts'
import { registerStatusPages } from './status-page.ts'

export type { ApiNode }

/** Everything that answers on the node's port for home systems, officers and operators. */
export async function registerApi(app: HttpServer, node: ApiNode): Promise<void> {
  registerOperations(app, node)
  registerClearanceApi(app, node)
  registerExchangeApi(app, node)
  registerEventFeed(app, node)
  registerLawApi(app, node)
  registerStatusPages(app, node)
  registerDocsPage(app)
}
