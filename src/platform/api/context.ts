import type { Reference, SubmissionResult } from '../../clearance/index.ts'
import type { Instant } from '../../kernel/index.ts'
import type { NodeServices } from '../node.ts'
import type { Telemetry } from '../telemetry/index.ts'

/** What the routes need of the node they stand in. */
export interface ApiNode extends NodeServices {
  readonly telemetry: Telemetry
  readonly reference: Reference
  submit(
    request: {
      fileName?: string | undefined
      source: string
      channel: 'http'
      declarationVersion?: number | undefined
      releasedAt?: Instant | undefined
    },
    source: AsyncIterable<Uint8Array>,
  ): Promise<SubmissionResult>
  /** Messages were signed: carry them. */
  wake(): void
}
