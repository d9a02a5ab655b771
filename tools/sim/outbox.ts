import type { DeliveryEffect, QueuedMessage } from '../../src/exchange/decide-delivery.ts'
import { frameLimits, saltBytes } from '../../src/exchange/frame.ts'
import { composeMessage, type Mode, readMessage, type Use } from '../../src/exchange/message.ts'
import { agreementId, type SimNode } from './node.ts'
import { laneKey, type OutboundRow, type Transaction } from './store.ts'
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
export function saveOutbound(node: SimNode, tx: Transaction, drafts: readonly Draft[]): readonly OutboundRow[] {
  const { random, store } = node
  const now = node.now()
  const next = new Map<string, number>()
  return drafts.map((draft) => {
    const key = laneKey(draft.mode, draft.lane)
    const last = Math.max(0, ...(store.outboundOfLane.get(key) ?? []).map(({ seq }) => seq))
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
    tx.insertOutbound(row)
    node.world.tally.add(`signed ${draft.type}`)
    node.trace(`signs ${draft.type} ${id.slice(-6)} lane ${draft.lane.slice(0, 4)} seq ${seq} ${signed.digest.slice(0, 8)}`)
    return row
  })
}

/**
 * Claims lanes that have something to send and reads their head runs, in order of urgency. The rows are read as they
 * stood when the statement began; the locks are taken a moment later, as in the database.
 */
export function* claimHeadRuns(node: SimNode, tx: Transaction, mode: Mode, now: Date): Work<readonly QueuedMessage[]> {
  const { store } = node
  const queued = [...store.outbound.values()]
    .filter((row) => row.mode === mode && row.state === 'queued')
    .map((row) => ({ ...row }))
  const dueOf = new Map<string, number>()
  const heads = queued
    .filter((row) => row.notBefore <= now.getTime())
    .sort((a, b) => a.dueAt - b.dueAt)
    .slice(0, frameLimits.messagesMax * 4)
  for (const { lane, dueAt } of heads) dueOf.set(lane, Math.min(dueAt, dueOf.get(lane) ?? dueAt))
  if (dueOf.size === 0) return []
  yield (wake) => node.world.timeline.after(node.random.integer(0, 3), () => wake.resume())
  const claimed = [...dueOf]
    .filter(([lane]) => !store.parkedLanes.has(laneKey(mode, lane)))
    .sort(([, a], [, b]) => a - b)
    .filter(([lane]) => tx.tryLock(`lane ${laneKey(mode, lane)}`))
    .slice(0, frameLimits.messagesMax)
  return claimed
    .flatMap(([lane]) => queued.filter((row) => row.lane === lane).sort((a, b) => a.seq - b.seq))
    .slice(0, frameLimits.messagesMax)
}

type Effects<Kind extends DeliveryEffect['kind']> = ReadonlyArray<Extract<DeliveryEffect, { kind: Kind }>>

export function markReceived(node: SimNode, tx: Transaction, received: Effects<'received'>): void {
  for (const { id, receipt, receivedAt } of received) {
    const row = node.store.outbound.get(id)!
    tx.changeOutbound(row, { state: 'received', receipt, receivedAt, attempts: row.attempts + 1, lastOutcome: 'RECEIVED' })
  }
}

export function markRetried(
  node: SimNode,
  tx: Transaction,
  retries: ReadonlyArray<{ id: string; reason: string; notBefore: number }>,
): void {
  for (const { id, reason, notBefore } of retries) {
    const row = node.store.outbound.get(id)!
    tx.changeOutbound(row, { attempts: row.attempts + 1, lastOutcome: reason, notBefore })
  }
}

export function* markParked(node: SimNode, tx: Transaction, mode: Mode, parked: Effects<'parked'>): Work {
  const { store } = node
  const ids = new Set(parked.map(({ id }) => id))
  for (const { id, lane, reason } of parked) {
    const row = store.outbound.get(id)!
    tx.changeOutbound(row, { state: 'parked', lastOutcome: reason, attempts: row.attempts + 1 })
    const key = laneKey(mode, lane)
    yield* node.acquire(tx, `lane ${key}`)
    tx.write(() => store.parkedLanes.set(key, id))
    for (const other of store.outboundOfLane.get(key) ?? [])
      if (other.state === 'queued' && !ids.has(other.id)) tx.changeOutbound(other, { state: 'waiting' })
  }
}

function* releaseLane(node: SimNode, tx: Transaction, key: string): Work {
  yield* node.acquire(tx, `lane ${key}`)
  tx.write(() => node.store.parkedLanes.delete(key))
  for (const row of node.store.outboundOfLane.get(key) ?? [])
    if (row.state === 'waiting') tx.changeOutbound(row, { state: 'queued' })
}

/** Parks everything that waits in one mode: it will never be sent as anything else. */
export function parkMode(node: SimNode, tx: Transaction, mode: Mode): void {
  for (const row of node.store.outbound.values())
    if (row.mode === mode && (row.state === 'queued' || row.state === 'waiting'))
      tx.changeOutbound(row, { state: 'parked', lastOutcome: 'MODE_LEFT' })
}

const needsReissue: ReadonlySet<string> = new Set([
  'EXPIRED',
  'SIGNATURE_INVALID',
  'ID_CONFLICT',
  'AGREEMENT_UNKNOWN',
  'CONDITIONS_NOT_ACCEPTED',
  'SEQUENCE_TAKEN',
])

/** An officer sends a parked message again: the same one, or a new one in its place. */
export function* resendMessage(node: SimNode, tx: Transaction, id: string, conditions: string): Work {
  const { store } = node
  yield* node.acquire(tx, `message ${id}`)
  const row = store.outbound.get(id)
  if (row?.state !== 'parked') return
  const now = node.now()
  const key = laneKey(row.mode, row.lane)
  if (Date.parse(row.expiresAt) > now.getTime() && !needsReissue.has(row.lastOutcome ?? '')) {
    yield* releaseLane(node, tx, key)
    tx.changeOutbound(row, { state: 'queued', notBefore: now.getTime() })
    node.trace(`officer sends ${id.slice(-6)} again after ${row.lastOutcome}`)
    return
  }
  const read = readMessage(row.message)
  tx.changeOutbound(row, { state: 'reissued' })
  const [signed] = saveOutbound(node, tx, [
    {
      mode: row.mode,
      conditions,
      type: row.type,
      subject: row.subject,
      lane: row.lane,
      ref: (read.ok ? read.value.payload.ref : undefined) ?? id,
      body: row.parts[0]?.bytes,
      use: row.use,
      priority: 5,
      expiresAt: new Date(now.getTime() + 120 * days),
      seq: row.seq,
    },
  ])
  yield* releaseLane(node, tx, key)
  node.trace(`officer issues ${id.slice(-6)} anew as ${signed?.id.slice(-6)} after ${row.lastOutcome}`)
}

/** An officer gives a parked message up: a signed SKIP fills its place. */
export function* skipMessage(node: SimNode, tx: Transaction, id: string, conditions: string): Work {
  const { store } = node
  yield* node.acquire(tx, `message ${id}`)
  const row = store.outbound.get(id)
  if (row?.state !== 'parked') return
  tx.changeOutbound(row, { state: 'skipped' })
  if (node.world.rules.fillsSkippedPlaces)
    saveOutbound(node, tx, [
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
        seq: row.seq,
      },
    ])
  yield* releaseLane(node, tx, laneKey(row.mode, row.lane))
  node.trace(`officer skips ${id.slice(-6)} after ${row.lastOutcome}`)
}
