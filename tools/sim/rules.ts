import { decideDelivery, foldBreaker, planFrame } from '../../src/exchange/decide-delivery.ts'
import { decideFrame, inspectEntry } from '../../src/exchange/decide-inbound.ts'
import { decideResend, placeInstead } from '../../src/exchange/decide-resend.ts'
import { openAnswer, openRequest } from '../../src/exchange/link-request.ts'

/**
 * What a simulated node runs by: the decisions of the exchange as they are, and the habits of its shell.
 *
 * Why a value: a test breaks one rule and sees whether the checker notices. A checker that never complains proves nothing.
 */
export const soundRules = {
  decideDelivery,
  decideFrame,
  decideResend,
  foldBreaker,
  inspectEntry,
  openAnswer,
  openRequest,
  placeInstead,
  planFrame,
  /** The ledger finds what it holds and admits no id twice. */
  knowsDuplicates: true,
  /** An answer leaves after the commit it speaks of. */
  answersAfterCommit: true,
  /** What the receiver owes the sender goes into the outbox in the same commit. */
  queuesAnswers: true,
  /** A message given up leaves a signed tombstone in its place. */
  fillsSkippedPlaces: true,
  /** A place that was missing and came is no gap any more. */
  closesGaps: true,
  /** An object belongs to the mode that it was signed for. */
  keepsModesApart: true,
}

export type Rules = typeof soundRules
