import type { KeyObject } from 'node:crypto'
import type { AdministrationId } from '../kernel/index.ts'
import type { RetryPolicy } from './decide-delivery.ts'
import type { Keyring } from './keyset.ts'
import type { Mode } from './message.ts'
import type { MessageTypes } from './message-types.ts'
import type { Signer } from './strict-jws.ts'

/** An approved partner with its published keys. */
export interface Partner {
  readonly id: AdministrationId
  readonly endpoint: string
  readonly keyrings: { readonly [mode in Mode]?: Keyring }
}

/** What is open with a partner now, as the gates of the agreement decide it. */
export interface OpenChannel {
  readonly mode: Mode
  readonly agreement: { readonly id: string; readonly conditions: string }
  /** Versions accepted from the partner now; they overlap for trains under way. */
  readonly acceptedConditions: ReadonlySet<string>
}

/** Everything the exchange needs of its node, handed over by main. */
export interface ExchangeNode {
  readonly me: AdministrationId
  signer(mode: Mode): Signer
  decrypters(mode: Mode): ReadonlyMap<string, KeyObject>
  readonly types: MessageTypes
  readonly policy: RetryPolicy
  readonly retentionClasses: ReadonlySet<string>
  partners(): Promise<readonly Partner[]>
  channel(partner: AdministrationId): Promise<OpenChannel | undefined>
  now(): Date
  /** Tells the operator of a failure that cost nothing but another attempt. Facts hold ids and codes only. */
  report?(code: string, cause: unknown, facts: Readonly<Record<string, string | undefined>>): void
}
