import type { DeliveryEffect, QueuedMessage } from '../../src/exchange/decide-delivery.ts'
import { writeEntry, writeFrame } from '../../src/exchange/frame.ts'
import { type AnswerPayload, composeRequest } from '../../src/exchange/link-request.ts'
import type { Mode } from '../../src/exchange/message.ts'
import { sha256 } from '../../src/exchange/strict-jws.ts'
import { Fault } from '../../src/kernel/index.ts'
import { sealSimulated } from './cipher.ts'
import type { NodeProcess, SimNode } from './node.ts'
import { claimHeadRuns, markParked, markReceived, markRetried } from './outbox.ts'
import { DatabaseFailure } from './store.ts'
import type { Work } from './timeline.ts'
import { hours, seconds } from './world.ts'

interface Attempt {
  readonly kind: 'idle' | 'delivered' | 'unanswered'
  readonly retryAfterSeconds?: number | undefined
}

/** One attempt at the link, in one transaction: the order of steps of the sender's shell. */
function* deliverOnce(node: SimNode, process: NodeProcess): Work<Attempt> {
  const { channel, partner, world } = node
  if (!channel) return { kind: 'idle' }
  const { mode } = channel
  return yield* node.transaction(process, function* (tx): Work<Attempt> {
    const claimedAt = node.now()
    const queued = yield* claimHeadRuns(node, tx, mode, claimedAt)
    if (queued.length === 0) return { kind: 'idle' }
    const { send, expired } = world.rules.planFrame(queued, claimedAt)
    if (send.length + expired.length === 0) return { kind: 'idle' }
    world.checker.frameIsPlanned(node, mode, send)
    yield* node.step(process, 'claimed')
    const attempt = send.length > 0 ? yield* carry(node, mode, send) : {}
    yield* node.step(process, 'answered')
    const now = node.now()
    const effects: DeliveryEffect[] = [
      ...expired.map(({ id, lane }): DeliveryEffect => ({ kind: 'parked', id, lane, reason: 'EXPIRED' })),
      ...world.rules.decideDelivery(send, attempt.answer, {
        me: node.id,
        partner: partner.id,
        mode,
        keyring: partner.keyring(mode),
        policy: node.policy,
        random: () => node.random.next(),
      }),
    ]
    const answered = attempt.answer?.outcome === 'OK'
    const parked = effects.filter((effect) => effect.kind === 'parked')
    yield* markReceived(
      node,
      tx,
      effects.filter((effect) => effect.kind === 'received'),
    )
    yield* markParked(node, tx, mode, parked)
    yield* markRetried(
      node,
      tx,
      effects
        .filter((effect) => effect.kind === 'retry')
        .map(({ id, reason, delaySeconds }) => ({
          id,
          reason: attempt.failure ?? reason,
          notBefore: answered ? now.getTime() + delaySeconds * 1000 : now.getTime(),
        })),
    )
    for (const effect of effects) world.tally.add(`effect ${effect.kind}`)
    node.trace(
      `${process.name} sent ${send.length}: ${attempt.failure ?? attempt.answer?.outcome ?? '-'} ` +
        effects
          .map(
            (effect) =>
              `${effect.id.slice(-6)}=${effect.kind === 'received' ? 'RECEIVED' : `${effect.kind} ${effect.reason}`}`,
          )
          .join(' '),
    )
    return {
      kind: answered || send.length === 0 ? 'delivered' : 'unanswered',
      retryAfterSeconds: attempt.retryAfterSeconds ?? attempt.answer?.retryAfterSeconds,
    }
  })
}

interface Carried {
  readonly answer?: AnswerPayload
  readonly failure?: string
  readonly retryAfterSeconds?: number | undefined
}

function* carry(node: SimNode, mode: Mode, send: readonly QueuedMessage[]): Work<Carried> {
  const { partner, world } = node
  let requestDigest = ''
  try {
    // Nobody looks at a request that finds no connection: it is signed when there is one, which saves most of the time.
    const response = yield* world.wire.post(node, () => {
      const frame = writeFrame(send.map(({ message, parts }) => writeEntry(message, parts)))
      const request = signRequest(node, mode, frame)
      requestDigest = request.digest
      return request.text
    })
    const { retryAfterSeconds } = response
    if (response.status !== 200) return { failure: `HTTP_${response.status}`, retryAfterSeconds }
    const answer = world.rules.openAnswer(response.body(), {
      me: node.id,
      keyring: partner.keyring(mode),
      requestDigest,
    })
    return answer ? { answer, retryAfterSeconds } : { failure: 'ANSWER_INVALID', retryAfterSeconds }
  } catch (error) {
    if (error instanceof Fault)
      return { failure: error.code.replace('exchange/', '').replaceAll('-', '_').toUpperCase() }
    throw error
  }
}

/** The body of one POST to the partner: a signed request and the encrypted frame it names. */
export function signRequest(
  node: SimNode,
  mode: Mode,
  plain: Buffer,
): { readonly text: string; readonly digest: string } {
  const frame = sealSimulated(plain, node.partner.keyring(mode).decrypt[0]!.kid)
  const request = composeRequest(
    {
      iss: node.id,
      aud: node.partner.id,
      mode,
      iat: Math.floor(node.now().getTime() / 1000),
      jti: node.random.uuid(),
      operation: 'frames',
      contentDigest: sha256(frame),
    },
    node.signer(mode),
  )
  return { text: JSON.stringify({ request: request.compact, frame }), digest: request.digest }
}

function* drain(node: SimNode, process: NodeProcess): Work {
  for (;;) {
    const attempt = yield* deliverOnce(node, process)
    fold(node, process, attempt)
    if (attempt.kind !== 'delivered') return
  }
}

function fold(node: SimNode, process: NodeProcess, attempt: Attempt): void {
  if (attempt.kind === 'idle') return
  process.breaker = node.world.rules.foldBreaker(
    process.breaker,
    {
      answered: attempt.kind === 'delivered',
      now: node.now().getTime(),
      random: node.random.next(),
      retryAfterSeconds: attempt.retryAfterSeconds,
    },
    node.policy,
  )
}

/** The sender's loop of one process: it drains when it is woken or when something falls due, and never twice at once. */
export function wakeSender(node: SimNode, process: NodeProcess): void {
  if (!process.up) return
  if (process.sending) {
    process.again = true
    return
  }
  const wait = process.breaker.notBefore - node.now().getTime()
  if (wait > 0) {
    pollIn(node, process, wait)
    return
  }
  process.sending = true
  process.run(drain(node, process), (ending) => {
    process.sending = false
    if (ending.kind === 'stopped') return
    if (ending.kind === 'failed') {
      if (!(ending.error instanceof DatabaseFailure)) node.world.checker.bug(node, ending.error)
      fold(node, process, { kind: 'unanswered' })
      node.trace(`${process.name} could not send: ${(ending.error as Error).message}`)
    }
    if (process.again) {
      process.again = false
      pollIn(node, process, 1)
    } else pollWhenDue(node, process)
  })
}

/** Polls when the next message falls due, at the earliest in a second: what polling every second comes to. */
function pollWhenDue(node: SimNode, process: NodeProcess): void {
  const now = node.now().getTime()
  let due = Number.POSITIVE_INFINITY
  for (const row of node.store.outbound.values())
    if (
      row.state === 'queued' &&
      row.mode === node.channel?.mode &&
      !node.store.parkedLanes.has(`${row.mode}/${row.lane}`)
    )
      due = Math.min(due, row.notBefore)
  if (due < Number.POSITIVE_INFINITY)
    pollIn(node, process, Math.max(due - now, process.breaker.notBefore - now, seconds))
}

function pollIn(node: SimNode, process: NodeProcess, milliseconds: number): void {
  const { timeline } = node.world
  // A clock that was wrong when the time was set must not stop the sender for long: it looks again, as the real one does.
  const at = timeline.now + Math.min(milliseconds, 6 * hours)
  if (process.pollAt <= at) return
  process.pollAt = at
  timeline.at(at, () => {
    if (process.pollAt !== at) return
    process.pollAt = Number.POSITIVE_INFINITY
    wakeSender(node, process)
  })
}
