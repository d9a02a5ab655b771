import { randomUUID } from 'node:crypto'
import { type AuditEvent, recordEvents } from '../audit/index.ts'
import { type AdministrationId, Fault } from '../kernel/index.ts'
import { type Database, withActor } from '../platform/db/index.ts'
import { codeOf, type OutcomeCode } from './codes.ts'
import {
  type Breaker,
  closedBreaker,
  type DeliveryEffect,
  decideDelivery,
  foldBreaker,
  planFrame,
  type QueuedMessage,
} from './decide-delivery.ts'
import { writeEntry, writeFrame } from './frame.ts'
import { sealFrame } from './frame-cipher.ts'
import type { Keyring } from './keyset.ts'
import { type AnswerPayload, composeRequest, openAnswer } from './link-request.ts'
import type { Mode } from './message.ts'
import type { ExchangeNode, Partner } from './node.ts'
import { claimHeadRuns, countRefusals, markParked, markReceived, markRetried, saveLinkState } from './store.ts'
import { sha256 } from './strict-jws.ts'

/** How the bytes travel. The peer must have proven the pinned key before any byte of the body is written. */
export type PostFrames = (
  partner: { readonly endpoint: string; readonly pins: readonly string[] },
  body: string,
) => Promise<{ readonly status: number; readonly retryAfterSeconds?: number | undefined; readonly body: string }>

export interface DeliveryAttempt {
  readonly kind: 'idle' | 'delivered' | 'unanswered'
  readonly sent: number
  readonly received: number
  readonly retryAfterSeconds?: number | undefined
}

/**
 * Makes one attempt at one link: claims lanes, sends one frame, and keeps what the answer says, in one transaction.
 *
 * When the process dies in between, the claim dies with it and the same messages go again; the partner answers those it
 * holds with the receipt it gave before.
 */
export async function deliverOnce(
  node: ExchangeNode,
  db: Database,
  partner: Partner,
  post: PostFrames,
): Promise<DeliveryAttempt> {
  const channel = await node.channel(partner.id)
  const keyring = channel && partner.keyrings[channel.mode]
  if (!channel || !keyring) return { kind: 'idle', sent: 0, received: 0 }
  const link = { partner: partner.id, mode: channel.mode }
  return await withActor(db, { actor: node.me, purpose: 'exchange' }, async (tx): Promise<DeliveryAttempt> => {
    const claimedAt = node.now()
    const queued = await claimHeadRuns(tx, link, claimedAt)
    if (queued.length === 0) return { kind: 'idle', sent: 0, received: 0 }
    const { send, expired } = planFrame(queued, claimedAt)
    if (send.length + expired.length === 0) return { kind: 'idle', sent: 0, received: 0 }
    const attempt: { answer?: AnswerPayload; failure?: string; retryAfterSeconds?: number | undefined } =
      send.length > 0 ? await carry(node, partner, keyring, channel.mode, send, post) : {}
    const now = node.now()
    const effects: DeliveryEffect[] = [
      ...expired.map(({ id, lane }): DeliveryEffect => ({ kind: 'parked', id, lane, reason: 'EXPIRED' })),
      ...decideDelivery(send, attempt.answer, {
        me: node.me,
        partner: partner.id,
        mode: channel.mode,
        keyring,
        policy: node.policy,
        random: Math.random,
      }),
    ]
    const received = effects.filter((effect) => effect.kind === 'received')
    const parked = effects.filter((effect) => effect.kind === 'parked')
    const retried = effects.filter((effect) => effect.kind === 'retry')
    // A whole frame that failed is held back by the breaker; only what the partner itself put off waits on its own.
    const answered = attempt.answer?.outcome === 'OK'
    await markReceived(tx, received, now)
    await markParked(tx, parked)
    await markRetried(
      tx,
      retried.map(({ id, reason, delaySeconds }) => ({
        id,
        reason: attempt.failure ?? reason,
        notBefore: answered ? new Date(now.getTime() + delaySeconds * 1000) : now,
      })),
      now,
    )
    if (send.length > 0)
      await saveLinkState(tx, link, {
        answered,
        at: now,
        failure: attempt.failure ?? (answered ? undefined : attempt.answer?.outcome),
        clockOffsetMs: attempt.answer && attempt.answer.iat * 1000 - claimedAt.getTime(),
      })
    await countRefusals(
      tx,
      'out',
      partner.id,
      parked.map(({ id, reason }) => ({ code: codeOf(reason as OutcomeCode), messageId: id })),
    )
    await recordEvents(
      tx,
      { actor: node.me, purpose: 'exchange' },
      deliveryEvents(effects, attempt.failure, partner.id),
    )
    return {
      kind: answered || send.length === 0 ? 'delivered' : 'unanswered',
      sent: send.length,
      received: received.length,
      retryAfterSeconds: attempt.retryAfterSeconds ?? attempt.answer?.retryAfterSeconds,
    }
  })
}

async function carry(
  node: ExchangeNode,
  partner: Partner,
  keyring: Keyring,
  mode: Mode,
  send: readonly QueuedMessage[],
  post: PostFrames,
): Promise<{ answer?: AnswerPayload; failure?: string; retryAfterSeconds?: number | undefined }> {
  const now = node.now()
  const seconds = Math.floor(now.getTime() / 1000)
  const recipient = keyring.decrypt.find((key) => key.nbf <= seconds && seconds < key.exp)
  if (!recipient) return { failure: 'KEY_EXPIRED' }
  const frame = await sealFrame(writeFrame(send.map(({ message, parts }) => writeEntry(message, parts))), recipient)
  const request = composeRequest(
    {
      iss: node.me,
      aud: partner.id,
      mode,
      iat: seconds,
      jti: randomUUID(),
      operation: 'frames',
      contentDigest: sha256(frame),
    },
    node.signer(mode),
  )
  try {
    const response = await post(
      { endpoint: partner.endpoint, pins: keyring.tlsPins },
      JSON.stringify({ request: request.compact, frame }),
    )
    const retryAfterSeconds = response.retryAfterSeconds
    // HTML, a gateway's 502 or anything else that is not the partner's signed answer says nothing about our messages.
    if (response.status !== 200) return { failure: `HTTP_${response.status}`, retryAfterSeconds }
    const answer = openAnswer(response.body, { me: node.me, keyring, requestDigest: request.digest })
    return answer ? { answer, retryAfterSeconds } : { failure: 'ANSWER_INVALID', retryAfterSeconds }
  } catch (error) {
    if (error instanceof Fault)
      return { failure: error.code.replace('exchange/', '').replaceAll('-', '_').toUpperCase() }
    throw error
  }
}

function deliveryEvents(
  effects: readonly DeliveryEffect[],
  failure: string | undefined,
  partner: AdministrationId,
): AuditEvent[] {
  const events: AuditEvent[] = []
  let failed = 0
  for (const effect of effects) {
    if (effect.kind === 'received')
      events.push({ type: 'message.received-by-partner', subject: effect.id, facts: { partner } })
    else if (effect.kind === 'parked')
      events.push({ type: 'message.parked', subject: effect.id, facts: { partner, reason: effect.reason } })
    else failed += 1
  }
  if (failed > 0)
    events.push({
      type: 'message.attempt-failed',
      subject: partner,
      facts: { partner, messages: failed, reason: failure ?? 'PUT_OFF' },
    })
  return events
}

/** While a partner works on one frame the next are made and carried. The locks on lanes keep the order in each. */
const framesInFlightMax = 3

/** Runs until stopped: carries what waits for every approved partner, holding back from one that does not answer. */
export class Sender {
  private readonly node: ExchangeNode
  private readonly db: Database
  private readonly post: PostFrames
  private readonly breakers = new Map<AdministrationId, Breaker>()
  private readonly running = new Map<AdministrationId, Set<Promise<void>>>()
  private readonly again = new Set<AdministrationId>()
  private waker: (() => void) | undefined
  private woken = false
  private stopped = false

  constructor(node: ExchangeNode, db: Database, post: PostFrames) {
    this.node = node
    this.db = db
    this.post = post
  }

  /** Something was put into the outbox, here or by another process. */
  wake(): void {
    this.woken = true
    this.waker?.()
  }

  /** Forgets that a partner did not answer: an officer or a greeting says that the link is back. */
  retryNow(partner: AdministrationId): void {
    this.breakers.delete(partner)
    this.wake()
  }

  async run(pollSeconds = 1): Promise<void> {
    while (!this.stopped) {
      this.woken = false
      try {
        for (const partner of await this.node.partners()) this.start(partner)
      } catch (error) {
        this.node.report?.('exchange/sender', error, {})
      }
      if (!this.woken && !this.stopped) await this.wait(pollSeconds)
    }
    await Promise.allSettled([...this.running.values()].flatMap((runs) => [...runs]))
  }

  stop(): void {
    this.stopped = true
    this.wake()
  }

  private wait(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000)
      this.waker = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private start(partner: Partner): void {
    if (this.stopped) return
    const runs = this.running.get(partner.id) ?? new Set()
    const breaker = this.breakers.get(partner.id) ?? closedBreaker
    // One frame is enough to learn whether a partner that fell silent answers again.
    if (runs.size >= (breaker.failures > 0 ? 1 : framesInFlightMax)) {
      this.again.add(partner.id)
      return
    }
    if (breaker.notBefore > this.node.now().getTime()) return
    const run = this.drain(partner)
      .catch((error: unknown) => {
        this.fold(partner.id, { kind: 'unanswered', sent: 0, received: 0 })
        this.node.report?.('exchange/sender', error, { partner: partner.id })
      })
      .finally(() => {
        runs.delete(run)
        // Whatever came while this link was busy is looked at again at once.
        if (this.again.delete(partner.id)) this.wake()
      })
    this.running.set(partner.id, runs.add(run))
  }

  private async drain(partner: Partner): Promise<void> {
    for (;;) {
      const attempt = await deliverOnce(this.node, this.db, partner, this.post)
      this.fold(partner.id, attempt)
      if (attempt.kind !== 'delivered' || attempt.retryAfterSeconds || this.stopped) return
    }
  }

  private fold(partner: AdministrationId, attempt: DeliveryAttempt): void {
    if (attempt.kind === 'idle') return
    const before = this.breakers.get(partner) ?? closedBreaker
    const now = this.node.now().getTime()
    // What several frames on their way met together is one failure.
    if (attempt.kind === 'unanswered' && before.failures > 0 && before.notBefore > now) return
    const breaker = foldBreaker(
      before,
      {
        answered: attempt.kind === 'delivered',
        now,
        random: Math.random(),
        retryAfterSeconds: attempt.retryAfterSeconds,
      },
      this.node.policy,
    )
    this.breakers.set(partner, breaker)
  }
}
