import type { DeliveryEffect, QueuedMessage } from '../../src/exchange/decide-delivery.ts'
import { frameLimits, saltBytes } from '../../src/exchange/frame.ts'
import { composeMessage, type Mode, readMessage, type Use } from '../../src/exchange/message.ts'
import { agreementId, type SimNode } from './node.ts'
import { DatabaseFailure, laneKey, type OutboundRow, type OutboundState, placeKey, type Transaction } from './store.ts'
import type { Work } from './timeline.ts'
import { days } from './world.ts'

/** What a room wants sent. */
export interface Draft {
  readonly id?: string | undefined
  readonly mode: Mode
  readonly agreement?: string | undefined
  readonly conditions: string
  readonly type: string
  readonly subject: string
  readonly lane: string
  readonly ref?: string | undefined
  readonly body?: Buffer | undefined
  readonly use: Use
  readonly priority: number
  readonly expiresAt: Date
  readonly seq?: number | undefined
}

export const answerUse: Use = {
  purpose: 'CUSTOMS_CONTROL',
  classification: 'CONFIDENTIAL',
  retention: 'STOP-5Y',
  onward: 'NONE',
  personalData: false,
}

/** Signs messages and puts them into the outbox, each at the end of its lane or in the place that it fills. */
export function* saveOutbound(node: SimNode, tx: Transaction, drafts: readonly Draft[]): Work<readonly OutboundRow[]> {
  const { random, store } = node
  const now = node.now()
  const next = new Map<string, number>()
  const rows = drafts.map((draft) => {
    const key = laneKey(draft.mode, draft.lane)
    const last = Math.max(
      0,
      ...(store.outboundOfLane.get(key) ?? []).filter((row) => live(tx, row)).map(({ seq }) => seq),
    )
    const free = next.get(key) ?? last + 1
    const seq = draft.seq ?? free
    if (draft.seq === undefined) next.set(key, free + 1)
    const id = draft.id ?? random.uuidV7(now.getTime())
    const parts = draft.body
      ? [{ name: 'body', mediaType: 'application/json', salt: random.bytes(saltBytes), bytes: draft.body }]
      : []
    const signed = composeMessage(
      {
        id,
        iss: node.id,
        aud: node.partner.id,
        mode: draft.mode,
        agreement: { id: draft.agreement ?? agreementId, conditions: draft.conditions },
        type: draft.type,
        version: 1,
        subject: draft.subject,
        lane: draft.lane,
        seq,
        epoch: 1,
        ref: draft.ref,
        issuedAt: now.toISOString(),
        expiresAt: draft.expiresAt.toISOString(),
        use: draft.use,
        parts,
      },
      node.signer(draft.mode),
    )
    const row: OutboundRow = {
      id,
      mode: draft.mode,
      lane: draft.lane,
      epoch: 1,
      seq,
      type: draft.type,
      version: 1,
      subject: draft.subject,
      ref: draft.ref,
      message: signed.compact,
      digest: signed.digest,
      use: draft.use,
      expiresAt: draft.expiresAt.toISOString(),
      dueAt: now.getTime() - draft.priority * 60_000,
      parts,
      state: draft.seq === undefined && store.parkedLanes.has(key) ? 'waiting' : 'queued',
      notBefore: now.getTime(),
      attempts: 0,
    }
    return row
  })
  for (const row of rows) yield* insertOutbound(node, tx, row)
  return rows
}

/** A place in a lane is held by one message, those that gave it up aside: whoever comes second fails. */
function* insertOutbound(node: SimNode, tx: Transaction, row: OutboundRow): Work {
  const place = placeKey(row.mode, row)
  yield* node.acquire(tx, `place ${place}`)
  const others = node.store.outboundOfLane.get(laneKey(row.mode, row.lane)) ?? []
  if (others.some((other) => live(tx, other) && placeKey(other.mode, other) === place))
    throw new DatabaseFailure('refused', 'the place in the lane is held')
  tx.insertOutbound(row)
  const { digest, id, lane, seq, type } = row
  node.world.tally.add(`signed ${type}`)
  node.trace(`signs ${type} ${id.slice(-6)} lane ${lane.slice(0, 4)} seq ${seq} ${digest.slice(0, 8)}`)
}

function live(tx: Transaction, row: OutboundRow): boolean {
  const state = tx.stateOf(row)
  return state !== 'skipped' && state !== 'reissued'
}

/**
 * Claims lanes that have something to send and reads their head runs, in order of urgency. Which lanes are due is read
 * when the statement begins, their locks are taken a moment later, and the rows are read when they are held.
 */
export function* claimHeadRuns(node: SimNode, tx: Transaction, mode: Mode, now: Date): Work<readonly QueuedMessage[]> {
  const { store } = node
  const goesOn = (lane: string) => !store.parkedLanes.has(laneKey(mode, lane))
  const due = [...store.outbound.values()]
    .filter((row) => row.mode === mode && row.state === 'queued' && row.notBefore <= now.getTime())
    .sort((a, b) => a.dueAt - b.dueAt)
    .slice(0, frameLimits.messagesMax * 4)
  const lanes = [...new Set(due.map(({ lane }) => lane))].filter(goesOn)
  if (lanes.length === 0) return []
  yield (wake) => node.world.timeline.after(node.random.integer(0, 3), () => wake.resume())
  const claimed = lanes
    .filter(goesOn)
    .filter((lane) => tx.tryLock(`lane ${laneKey(mode, lane)}`))
    .slice(0, frameLimits.messagesMax)
  const rows = claimed
    .flatMap((lane) => (store.outboundOfLane.get(laneKey(mode, lane)) ?? []).toSorted((a, b) => a.seq - b.seq))
    .filter(({ state }) => state === 'queued' || state === 'waiting')
    .slice(0, frameLimits.messagesMax)
  // A message that was put off holds back what stands behind it.
  const heldBack = new Set<string>()
  return rows
    .filter(({ lane, notBefore }) => {
      if (notBefore > now.getTime()) heldBack.add(lane)
      return !heldBack.has(lane)
    })
    .map((row) => ({ ...row }))
}

type Effects<Kind extends DeliveryEffect['kind']> = ReadonlyArray<Extract<DeliveryEffect, { kind: Kind }>>

export function* markReceived(node: SimNode, tx: Transaction, received: Effects<'received'>): Work {
  for (const { id, receipt, receivedAt } of received) {
    const row = yield* lockMessage(node, tx, id)
    tx.changeOutbound(row, {
      state: 'received',
      receipt,
      receivedAt,
      attempts: row.attempts + 1,
      lastOutcome: 'RECEIVED',
    })
  }
}

export function* markRetried(
  node: SimNode,
  tx: Transaction,
  retries: ReadonlyArray<{ id: string; reason: string; notBefore: number }>,
): Work {
  for (const { id, reason, notBefore } of retries) {
    const row = yield* lockMessage(node, tx, id)
    tx.changeOutbound(row, { attempts: row.attempts + 1, lastOutcome: reason, notBefore })
  }
}

export function* markParked(node: SimNode, tx: Transaction, mode: Mode, parked: Effects<'parked'>): Work {
  const { store } = node
  for (const { id, reason } of parked) {
    const row = yield* lockMessage(node, tx, id)
    tx.changeOutbound(row, { state: 'parked', lastOutcome: reason, attempts: row.attempts + 1 })
  }
  for (const { id, lane } of parked) {
    const key = laneKey(mode, lane)
    yield* node.acquire(tx, `lane ${key}`)
    tx.write(() => store.parkedLanes.set(key, id))
    yield* moveLane(node, tx, key, 'queued', 'waiting')
  }
}

/** Lets a lane go on once nothing in it is parked: what waited in it is queued again. */
function* releaseLane(node: SimNode, tx: Transaction, key: string): Work {
  yield* node.acquire(tx, `lane ${key}`)
  const still = (node.store.outboundOfLane.get(key) ?? []).find((row) => tx.stateOf(row) === 'parked')
  if (still) return tx.write(() => node.store.parkedLanes.set(key, still.id))
  tx.write(() => node.store.parkedLanes.delete(key))
  yield* moveLane(node, tx, key, 'waiting', 'queued')
}

function* moveLane(node: SimNode, tx: Transaction, key: string, from: OutboundState, to: OutboundState): Work {
  const own = tx.insertedOutbound.filter(({ lane, mode }) => laneKey(mode, lane) === key)
  for (const row of [...(node.store.outboundOfLane.get(key) ?? []), ...own]) {
    if (tx.stateOf(row) !== from) continue
    yield* node.acquire(tx, `message ${row.id}`)
    if (tx.stateOf(row) === from) tx.changeOutbound(row, { state: to })
  }
}

function* lockMessage(node: SimNode, tx: Transaction, id: string): Work<OutboundRow> {
  yield* node.acquire(tx, `message ${id}`)
  return node.store.outbound.get(id)!
}

/** Parks everything that waits in one mode: it will never be sent as anything else. */
export function* parkMode(node: SimNode, tx: Transaction, mode: Mode): Work {
  for (const row of [...node.store.outbound.values()]) {
    if (row.mode !== mode || (row.state !== 'queued' && row.state !== 'waiting')) continue
    yield* lockMessage(node, tx, row.id)
    if (row.state === 'queued' || row.state === 'waiting')
      tx.changeOutbound(row, { state: 'parked', lastOutcome: 'MODE_CLOSED' })
  }
}

/** An officer sends a parked message again: the same one, or a new one. What cannot be sent again is given up. */
export function* resendMessage(node: SimNode, tx: Transaction, id: string, conditions: string): Work {
  const row = yield* lockMessage(node, tx, id)
  if (row.state !== 'parked') return
  const now = node.now()
  const key = laneKey(row.mode, row.lane)
  const read = readMessage(row.message)
  const signed = read.ok ? read.value.payload.parts : []
  const { expiresAt, parts: held, lastOutcome: reason = '' } = row
  const decision = node.world.rules.decideResend({ reason, expiresAt: new Date(expiresAt), signed, held }, now)
  if (!decision.ok) return yield* skipMessage(node, tx, id, conditions)
  if (decision.value.kind === 'again') {
    tx.changeOutbound(row, { state: 'queued', notBefore: now.getTime() })
    yield* releaseLane(node, tx, key)
    node.trace(`officer sends ${id.slice(-6)} again after ${reason}`)
    return
  }
  const { place } = decision.value
  if (place === 'same') tx.changeOutbound(row, { state: 'reissued' })
  const [anew] = yield* saveOutbound(node, tx, [
    {
      mode: row.mode,
      conditions,
      type: row.type,
      subject: row.subject,
      lane: row.lane,
      ref: (read.ok ? read.value.payload.ref : undefined) ?? id,
      body: held[0]?.bytes,
      use: row.use,
      priority: 5,
      expiresAt: new Date(now.getTime() + 120 * days),
      seq: place === 'same' ? row.seq : undefined,
    },
  ])
  // The numbers go on behind the refused message, so it keeps its number until the new one has the next.
  if (place === 'next') tx.changeOutbound(row, { state: 'reissued' })
  yield* releaseLane(node, tx, key)
  node.trace(`officer issues ${id.slice(-6)} anew as ${anew?.id.slice(-6)} after ${reason}`)
}

/** An officer gives a parked message up: a signed SKIP fills its place. */
export function* skipMessage(node: SimNode, tx: Transaction, id: string, conditions: string): Work {
  const { rules } = node.world
  const row = yield* lockMessage(node, tx, id)
  if (row.state !== 'parked') return
  const place = rules.placeInstead(row.lastOutcome ?? '')
  if (place === 'same') tx.changeOutbound(row, { state: 'skipped' })
  if (rules.fillsSkippedPlaces)
    yield* saveOutbound(node, tx, [
      {
        mode: row.mode,
        conditions,
        type: 'SKIP',
        subject: row.subject,
        lane: row.lane,
        ref: id,
        use: answerUse,
        priority: 5,
        expiresAt: new Date(node.now().getTime() + 120 * days),
        seq: place === 'same' ? row.seq : undefined,
      },
    ])
  if (place === 'next') tx.changeOutbound(row, { state: 'skipped' })
  yield* releaseLane(node, tx, laneKey(row.mode, row.lane))
  node.trace(`officer skips ${id.slice(-6)} after ${row.lastOutcome}`)
}
