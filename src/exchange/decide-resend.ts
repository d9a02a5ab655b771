import { accept, type Decision, refuse } from '../kernel/index.ts'
import { digestPart, type MessagePart, type PartContent } from './message.ts'

/** A parked message, as an officer finds it. */
export interface ParkedMessage {
  /** Why it was parked: the partner's final refusal, or EXPIRED. */
  readonly reason: string
  readonly expiresAt: Date
  /** The parts that were signed. */
  readonly signed: readonly MessagePart[]
  /** The parts that the store holds now. */
  readonly held: readonly PartContent[]
}

/**
 * Where a message stands that comes instead of a parked one: in the `same` place of its lane, or in the `next` free one
 * when the partner holds another message in that place.
 */
export type Place = 'same' | 'next'

/** How a parked message goes on. `again`: the same message. `reissue`: a new message with the same content. */
export type Resend = { readonly kind: 'again' } | { readonly kind: 'reissue'; readonly place: Place }

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
 * Decides where a message stands that comes instead of a parked one, a SKIP too.
 *
 * Why: in a place that the partner holds otherwise, every further message would be refused as SEQUENCE_TAKEN for ever.
 * @param reason why the message was parked
 */
export function placeInstead(reason: string): Place {
  return reason === 'SEQUENCE_TAKEN' ? 'next' : 'same'
}

/**
 * Decides how a parked message is sent again.
 *
 * Why here: what an officer may do is a rule of the exchange, not of a table. Parts that no longer match what was signed
 * are never sent and never signed anew: what a disk changed is not what the declarant said. Such a message can only be
 * given up, and its content handed in again.
 * @returns the way, or the first part that is damaged
 */
export function decideResend(parked: ParkedMessage, now: Date): Decision<Resend, ResendRefusal> {
  const damaged = parked.signed.find(({ name, digest }) => {
    const part = parked.held.find((each) => each.name === name)
    return !part || digestPart(part.salt, part.bytes) !== digest
  })
  if (damaged) return refuse({ code: 'exchange/part-damaged' as const, part: damaged.name })
  const anew = needsReissue.has(parked.reason) || parked.expiresAt.getTime() <= now.getTime()
  return accept(anew ? { kind: 'reissue' as const, place: placeInstead(parked.reason) } : { kind: 'again' as const })
}
