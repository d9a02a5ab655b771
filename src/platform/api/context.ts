import type { ClearanceContext, Reference, SubmissionResult } from '../../clearance/index.ts'
import type { ExchangeNode } from '../../exchange/index.ts'
import type { AdministrationId } from '../../kernel/index.ts'
import type { Database } from '../db/index.ts'

/** What the routes need of the node they stand in. */
export interface ApiNode {
  readonly me: AdministrationId
  readonly db: Database
  readonly exchange: ExchangeNode
  readonly reference: Reference
  clearanceContext(): Promise<ClearanceContext>
  submit(
    request: { fileName?: string | undefined; source: string; channel: 'http'; declarationVersion?: number | undefined },
    source: AsyncIterable<Uint8Array>,
  ): Promise<SubmissionResult>
  /** Messages were signed: carry them. */
  wake(): void
}
