import type { AdministrationId } from '../kernel/index.ts'
import { isFinal } from './codes.ts'
import { entryBytes, frameLimits } from './frame.ts'
import type { Keyring } from './keyset.ts'
import type { AnswerPayload } from './link-request.ts'
import type { Mode, PartContent } from './message.ts'
import { provesReceipt } from './receipt.ts'

/** A message that waits in the outbox, as the sender holds it. */
export interface QueuedMessage {
  readonly id: string
  readonly digest: string
  readonly message: string
  readonly lane: string
  readonly seq: number
  readonly expiresAt: string
  readonly attempts: number
  readonly parts: readonly PartContent[]
}

export interface RetryPolicy {
  readonly retryDelaySecondsMin: number
  readonly retryDelaySecondsMax: number
}

/** What becomes of one message after an attempt. */
export type DeliveryEffect =
  | { readonly kind: 'received'; readonly id: string; readonly receipt: string; readonly receivedAt: string }
  | { readonly kind: 'parked'; readonly id: string; readonly lane: string; readonly reason: string }
  | { readonly kind: 'retry'; readonly id: string; readonly reason: string; readonly delaySeconds: number }

/** Full jitter: a random share of an exponentially growing delay, so that retries never come in step. */
export function retryDelaySeconds(attempt: number, policy: RetryPolicy, random: number): number {
  const ceiling = Math.min(policy.retryDelaySecondsMax, policy.retryDelaySecondsMin * 2 ** Math.min(attempt, 30))
  return Math.max(policy.retryDelaySecondsMin / 10, random * ceiling)
}

/**
 * Chooses what goes into one frame from the head runs of the claimed lanes.
 *
 * Lanes keep their order: when a message of a lane does not fit or has expired, nothing behind it goes. What expired
 * before it was ever sent is parked with that reason. What was sent may have arrived, though no receipt came back: it is
 * offered until the partner says, since one that holds it answers with the receipt, and any other with EXPIRED.
 * @param queued in order of lane priority, within a lane by sequence
 */
export function planFrame(
  queued: readonly QueuedMessage[],
  now: Date,
): { readonly send: readonly QueuedMessage[]; readonly expired: readonly QueuedMessage[] } {
  const send: QueuedMessage[] = []
  const expired: QueuedMessage[] = []
  const stopped = new Set<string>()
  let bytes = 64
  for (const message of queued) {
    if (stopped.has(message.lane)) continue
    if (message.attempts === 0 && Date.parse(message.expiresAt) <= now.getTime()) {
      expired.push(message)
      stopped.add(message.lane)
      continue
    }
    const size = entryBytes(message.message, message.parts)
    if (send.length >= frameLimits.messagesMax || bytes + size > frameLimits.plainBytesMax) {
      stopped.add(message.lane)
      continue
    }
    bytes += size
    send.push(message)
  }
  return { send, expired }
}

/**
 * Decides what an answer means for each message that was in the frame.
 *
 * RECEIVED counts only with a receipt that proves it. A final refusal counts only when it quotes the digest we hold; then
 * the message is parked for a person. Anything else, silence included, is tried again with the same message.
 * @param answer undefined when no proven answer came
 */
export function decideDelivery(
  sent: readonly QueuedMessage[],
  answer: AnswerPayload | undefined,
  context: {
    readonly me: AdministrationId
    readonly partner: AdministrationId
    readonly mode: Mode
    readonly keyring: Keyring
    readonly policy: RetryPolicy
    /** One number in [0, 1) per message. */
    readonly random: () => number
  },
): readonly DeliveryEffect[] {
  const results = new Map(answer?.results.map((result) => [result.index, result]))
  return sent.map((message, index): DeliveryEffect => {
    const retry = (reason: string): DeliveryEffect => ({
      kind: 'retry',
      id: message.id,
      reason,
      delaySeconds: retryDelaySeconds(message.attempts, context.policy, context.random()),
    })
    const result = results.get(index)
    if (!answer) return retry('NO_ANSWER')
    if (!result) return retry(answer.outcome === 'OK' ? 'NOT_ANSWERED' : answer.outcome)
    if (result.outcome === 'RECEIVED') {
      const receipt =
        result.receipt &&
        provesReceipt(
          result.receipt,
          { id: message.id, digest: message.digest, iss: context.me, aud: context.partner, mode: context.mode },
          context.keyring,
        )
      return receipt && result.receipt
        ? { kind: 'received', id: message.id, receipt: result.receipt, receivedAt: receipt.at }
        : retry('RECEIPT_INVALID')
    }
    if (isFinal(result.outcome) && result.digest === message.digest)
      return { kind: 'parked', id: message.id, lane: message.lane, reason: result.outcome }
    return retry(result.outcome)
  })
}

/** How a sender holds back from a partner that does not answer, so that a long outage costs neither side. */
export interface Breaker {
  readonly failures: number
  readonly notBefore: number
}

export const closedBreaker: Breaker = { failures: 0, notBefore: 0 }
/** Nobody can ask for silence longer than this. */
export const retryAfterSecondsMax = 86_400

/** @param retryAfterSeconds what the partner asked for, if it did */
export function foldBreaker(
  breaker: Breaker,
  attempt: { answered: boolean; now: number; random: number; retryAfterSeconds?: number | undefined },
  policy: RetryPolicy,
): Breaker {
  if (attempt.answered && !attempt.retryAfterSeconds) return closedBreaker
  const delay = attempt.retryAfterSeconds
    ? Math.min(attempt.retryAfterSeconds, retryAfterSecondsMax)
    : retryDelaySeconds(breaker.failures, policy, attempt.random)
  return { failures: breaker.failures + (attempt.answered ? 0 : 1), notBefore: attempt.now + delay * 1000 }
}
