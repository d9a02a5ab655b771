import { accept, type Decision, refuse } from '../kernel/index.ts'
import { digestPart, type MessagePart, type PartContent } from './message.ts'

/** A parked message, as an officer finds it. */
export interface ParkedMessage {
  /** Why it was parked: the partner's final refusal, EXPIRED, or the reason of our own. */
  readonly reason: string
  readonly expiresAt: Date
  /** The parts that were signed. */
  readonly signed: readonly MessagePart[]
  /** The parts that the store holds now. */
  readonly held: readonly PartContent[]
}

/**
 * How a parked message goes on. `again`: the same message. `reissue`: a new message with the same content, in the `same`
 * place of the lane, or in the `next` one when another message already fills that place at the partner.
 */
export type Resend = { readonly kind: 'again' } | { readonly kind: 'reissue'; readonly place: 'same' | 'next' }

export type ResendRefusal = { readonly code: 'exchange/part-damaged'; readonly part: string }

/** Refusals that the same bytes will meet again. */
const needsReissue: ReadonlySet<string> = new Set([
  'SIGNATURE_INVALID',
  'ID_CONFLICT',
  'EXPIRED',
  'AGREEMENT_UNKNOWN',
  'CONDITIONS_NOT_ACCEPTED',
  'SEQUENCE_TAKEN',
])

/**
 * Decides how a parked message is sent again.
 *
 * Why here: what an officer may do is a rule of the exchange, not of a table. Parts that no longer match what was signed
 * are never sent and never signed anew: what the disk changed is not what the declarant said. A new message in a place
 * that is taken would be refused for ever.
 */
export function decideResend(parked: ParkedMessage, now: Date): Decision<Resend, ResendRefusal> {
  const damaged = parked.signed.find(({ name, digest }) => {
    const part = parked.held.find((each) => each.name === name)
    return !part || digestPart(part.salt, part.bytes) !== digest
  })
  if (damaged) return refuse({ code: 'exchange/part-damaged' as const, part: damaged.name })
  if (parked.reason === 'SEQUENCE_TAKEN') return accept({ kind: 'reissue' as const, place: 'next' as const })
  if (needsReissue.has(parked.reason) || parked.expiresAt.getTime() <= now.getTime())
    return accept({ kind: 'reissue' as const, place: 'same' as const })
  return accept({ kind: 'again' as const })
}

/**
 * Decides whether giving a parked message up must leave a SKIP in its place.
 *
 * A place that another message fills already needs none, and a SKIP for it would be refused as SEQUENCE_TAKEN too.
 */
export function leavesTombstone(reason: string): boolean {
  return reason !== 'SEQUENCE_TAKEN'
}
