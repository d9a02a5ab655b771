import type { AuditEvent } from '../audit/index.ts'
import type { AdministrationId, ClauseRef, JsonValue, Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { MessagePayload, Mode } from './message.ts'

/** What the rules say of a body. A quarantined one is kept from every eye; a rejected one is shown as defective. */
export type BodyDecision<Content> =
  | { readonly kind: 'accepted'; readonly content: Content; readonly warnings: readonly Problem[] }
  | { readonly kind: 'rejected'; readonly problems: readonly Problem[] }
  | { readonly kind: 'quarantined'; readonly problems: readonly Problem[] }

export interface BodyContext {
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly now: Date
}

/** One message as it is handed to its type for keeping, in the commit that stores it. */
export interface ReceivedMessage<Content> {
  readonly payload: MessagePayload
  readonly partner: AdministrationId
  readonly receivedAt: Date
  readonly gap: boolean
  readonly decision: BodyDecision<Content>
}

/**
 * A message type and version as main registers it. The exchange knows no business rule: it asks `decide` what a body
 * is, stores message and receipt, lets `save` keep the content in the same commit, and answers the partner.
 */
export interface MessageType<Content = unknown> {
  readonly type: string
  readonly version: number
  readonly legalBasis: readonly ClauseRef[]
  /** From 0 (can wait) to 9 (a train is leaving). Local, not signed. */
  readonly priority: number
  /** Whether the receiver answers ACCEPTED or REJECTED. Answers themselves earn RECEIVED and nothing more. */
  readonly answered: boolean
  /** @param body undefined when the message has no body part */
  decide(body: JsonValue | undefined, context: BodyContext): BodyDecision<Content>
  /** @returns what the audit is to record besides the receipt itself */
  save(tx: Transaction, messages: ReadonlyArray<ReceivedMessage<Content>>): Promise<readonly AuditEvent[]>
}

/** What main registered, found by type and version. */
export interface MessageTypes {
  readonly names: ReadonlySet<string>
  find(type: string, version: number): MessageType | undefined
}

export function registerMessageTypes(types: readonly MessageType[]): MessageTypes {
  const byName = new Map(types.map((type) => [`${type.type}@${type.version}`, type]))
  return {
    names: new Set(byName.keys()),
    find: (type, version) => byName.get(`${type}@${version}`),
  }
}
