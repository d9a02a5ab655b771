import type { Mode, OpenChannel, OutboxIdentity } from '../exchange/index.ts'
import type { AdministrationId, CountryCode } from '../kernel/index.ts'
import type { Conditions } from './conditions/index.ts'
import type { Reference } from './reference/index.ts'

/** What a node knows for its whole life: whose it is, which agreement it carries out, and the published conditions. */
export interface ClearanceNode {
  readonly me: AdministrationId
  readonly homeCountry: CountryCode
  readonly homeZone: string
  /** The other side of the agreement, known before its node is. */
  readonly partnerCountry: CountryCode
  readonly conditions: Conditions
  readonly reference: Reference
  readonly identity: OutboxIdentity
}

/** What a hand-over knows besides: who is to be told, and whether the channel is open now. */
export interface ClearanceContext extends ClearanceNode {
  readonly partner: AdministrationId | undefined
  /** Undefined while the gates are closed: what is decided then waits. */
  readonly channel: OpenChannel | undefined
  /** In which mode records are taken: `test` only while the channel is in test. */
  readonly mode: Mode
  readonly now: Date
}
