import type { RequestOutcome } from '../../src/exchange/codes.ts'
import {
  type InboundContext,
  type InboundDecision,
  placeOf,
  type StoredMessage,
} from '../../src/exchange/decide-inbound.ts'
import { type FrameEntry, frameLimits, readFrame } from '../../src/exchange/frame.ts'
import { type AnswerResult, composeAnswer } from '../../src/exchange/link-request.ts'
import type { MessagePayload, Mode, PartContent, ReadMessage } from '../../src/exchange/message.ts'
import { composeReceipt } from '../../src/exchange/receipt.ts'
import { sha256 } from '../../src/exchange/strict-jws.ts'
import type { Problem } from '../../src/kernel/index.ts'
import { type JsonValue, readJson } from '../../src/kernel/index.ts'
import { openSimulated } from './cipher.ts'
import { agreementId, type Channel, type NodeProcess, type SimNode } from './node.ts'
import { answerUse, type Draft, saveOutbound } from './outbox.ts'
import { DatabaseFailure, type InboundRow, placeKey, type Transaction } from './store.ts'
import type { Work } from './timeline.ts'
import { type BodyDecision, decideBody, isAnswered, keepRecord, readBody } from './trade.ts'
import type { HttpResponse } from './wire.ts'
import { days, minutes } from './world.ts'
import { spoilResults } from './wrong-answers.ts'

const bodyMembers = { lengthMax: frameLimits.wireBytesMax + 8192, depthMax: 1, otherNumbers: 'refuse' } as const
const requestIdKept = 10 * minutes

/** Answers one POST, in the order of steps of the receiver's shell. */
export function* answerFrames(node: SimNode, process: NodeProcess, peerPin: string, body: string): Work<HttpResponse> {
  const pins = (['test', 'live'] as const).flatMap((mode) => node.partner.keyring(mode).tlsPins)
  if (body.length > frameLimits.wireBytesMax) return problem(node, 413, 'FRAME_TOO_LARGE')
  if (!pins.includes(peerPin)) return problem(node, 403, 'PEER_UNKNOWN')
  const read = readJson(body, bodyMembers)
  const members =
    read.ok && read.value !== null && typeof read.value === 'object' && !Array.isArray(read.value) ? read.value : {}
  const { request, frame, ...others } = members as { [name: string]: JsonValue }
  if (typeof request !== 'string' || typeof frame !== 'string' || Object.keys(others).length > 0)
    return problem(node, 400, 'REQUEST_INVALID')
  return { status: 200, body: yield* receiveFrame(node, process, request, frame) }
}

function problem(node: SimNode, status: number, outcome: RequestOutcome): HttpResponse {
  node.world.tally.add(`answer ${outcome}`)
  return { status, body: () => outcome }
}

function* receiveFrame(node: SimNode, process: NodeProcess, request: string, frameText: string): Work<() => string> {
  const { partner, store, world } = node
  const now = node.now()
  const opened = world.rules.openRequest(request, {
    me: node.id,
    partner: partner.id,
    contentDigest: sha256(frameText),
    now,
    keyring: (mode) => partner.keyring(mode),
  })
  const about = opened.ok
    ? { requestDigest: opened.value.digest, mode: opened.value.payload.mode }
    : (opened.refusal.about ?? { requestDigest: '', mode: 'test' as const })
  const answer = (outcome: 'OK' | RequestOutcome, results: readonly AnswerResult[] = []) => {
    world.tally.add(`answer ${outcome}`)
    if (outcome !== 'OK') node.trace(`${process.name} refuses a request: ${outcome}`)
    for (const result of results) world.tally.add(`result ${result.outcome}`)
    world.checker.answers(node, about.mode, results)
    const told = world.faults.strikes('wrong-answer') ? spoilResults(node.random, results) : results
    const iat = Math.floor(now.getTime() / 1000)
    const payload = { iss: node.id, aud: partner.id, mode: about.mode, iat, requestDigest: about.requestDigest }
    return () => composeAnswer({ ...payload, outcome, results: [...told] }, node.signer(about.mode))
  }
  if (!opened.ok) return answer(opened.refusal.code === 'exchange/request-stale' ? 'REQUEST_STALE' : 'REQUEST_INVALID')
  const { jti } = opened.value.payload
  const noted = yield* node.transaction(process, function* (tx): Work<boolean> {
    yield* node.acquire(tx, `request ${jti}`)
    if (store.requestsSeen.has(jti)) return false
    tx.write(() => store.requestsSeen.set(jti, now.getTime()))
    for (const [id, at] of store.requestsSeen)
      if (at < now.getTime() - requestIdKept) tx.write(() => store.requestsSeen.delete(id))
    return true
  })
  if (!noted) return answer('REQUEST_REPLAYED')
  const { channel } = node
  if (!channel || (channel.mode !== about.mode && world.rules.keepsModesApart)) return answer('LINK_CLOSED')
  const { mode } = channel
  const plain = openSimulated(frameText, new Set(node.keyring(about.mode).decrypt.map(({ kid }) => kid)))
  const frame = plain.ok ? readFrame(plain.value) : plain
  if (!frame.ok) return answer('FRAME_UNREADABLE')
  yield* node.step(process, 'opened')
  const context: InboundContext = {
    me: node.id,
    partner: partner.id,
    mode,
    now,
    keyring: world.rules.keepsModesApart ? partner.keyring(mode) : partner.keyring(about.mode),
    accepted: new Map([[agreementId, node.acceptedConditions]]),
    types: node.types,
    retentionClasses: new Set(['STOP-5Y']),
  }
  return answer('OK', yield* storeEntries(node, process, frame.value, context, channel))
}

/** All entries in one commit; when it fails, each alone, so that one bad message never costs the others. */
function* storeEntries(
  node: SimNode,
  process: NodeProcess,
  entries: readonly FrameEntry[],
  context: InboundContext,
  channel: Channel,
): Work<readonly AnswerResult[]> {
  const { rules } = node.world
  const inspected = entries.map((entry) => rules.inspectEntry(entry, context))
  let early: readonly AnswerResult[] | undefined
  try {
    return yield* node.transaction(process, function* (tx): Work<readonly AnswerResult[]> {
      const results = yield* storeInspected(node, process, tx, entries, inspected, context, channel)
      if (!rules.answersAfterCommit) early = results
      return results
    })
  } catch (error) {
    if (early) return early
    // When the database itself is away, nothing is tried one by one: the partner comes again.
    if (!(error instanceof DatabaseFailure) || error.kind === 'away') throw error
    const only = inspected[0]
    if (entries.length === 1) {
      const about = only?.ok ? { id: only.value.payload.id, digest: only.value.jws.digest } : {}
      const busy: readonly AnswerResult[] = [{ index: 0, outcome: 'BUSY', ...about }]
      node.world.checker.judges(busy)
      return busy
    }
    const results: AnswerResult[] = []
    for (const [index, entry] of entries.entries()) {
      const one = yield* storeEntries(node, process, [entry], context, channel)
      results.push(...one.map((result) => ({ ...result, index })))
    }
    return results
  }
}

interface Kept {
  readonly index: number
  readonly message: ReadMessage
  readonly parts: readonly PartContent[]
  readonly decision: BodyDecision
  readonly row: InboundRow
}

function* storeInspected(
  node: SimNode,
  process: NodeProcess,
  tx: Transaction,
  entries: readonly FrameEntry[],
  inspected: Parameters<SimNode['world']['rules']['decideFrame']>[1],
  context: InboundContext,
  channel: Channel,
): Work<readonly AnswerResult[]> {
  const { world } = node
  const readable = inspected.flatMap((each) => (each.ok ? [each.value.payload] : []))
  const { stored, holders } = yield* findStored(node, process, context.mode, readable)
  const decisions = world.rules.decideFrame(entries, inspected, stored, holders, context)
  yield* node.step(process, 'judged')
  const kept = decisions.flatMap((decision, index) =>
    decision.kind === 'store' ? [keep(node, decision, index, context, holders, decisions)] : [],
  )
  const fresh = new Set<string>()
  for (const { row } of kept) if (yield* insertInbound(node, tx, row)) fresh.add(row.id)
  closeGaps(
    node,
    tx,
    context.mode,
    kept.filter(({ row }) => fresh.has(row.id)),
  )
  const mine = kept.filter(({ row }) => fresh.has(row.id))
  for (const { message, parts, decision } of mine) yield* keepRecord(node, tx, message.payload, parts, decision)
  if (world.rules.queuesAnswers)
    yield* saveOutbound(
      node,
      tx,
      mine.flatMap((each) => (each.row.answerId ? [draftAnswer(each, context, channel)] : [])),
    )
  if (mine.length > 0) tx.write(() => world.timeline.after(2, () => node.wake()))
  const receiptOf = new Map(mine.map(({ index, row }) => [index, row.receipt]))
  const raced = kept.filter(({ row }) => !fresh.has(row.id))
  for (const { index, row } of raced) {
    const held = node.store.inboundById.get(`${row.mode}/${row.id}`)
    if (held?.digest === row.digest) receiptOf.set(index, held.receipt)
  }
  for (const decision of decisions) {
    if (decision.kind !== 'duplicate') continue
    const row = node.store.inboundById.get(`${context.mode}/${decision.message.payload.id}`)
    if (row) tx.changeInbound(row, { duplicates: row.duplicates + 1 })
    world.tally.add('duplicates answered')
  }
  const results = decisions.map((decision, index) => resultOf(decision, index, receiptOf))
  world.checker.judges(results)
  const reasons = results.map(({ id, outcome }) => `${id?.slice(-6) ?? '-'}=${outcome}`)
  node.trace(`${process.name} judged ${entries.length}: ${reasons.join(' ')}`)
  return results
}

/** What the ledger holds about these ids, and which message holds each place in a lane. */
function* findStored(
  node: SimNode,
  process: NodeProcess,
  mode: Mode,
  payloads: readonly MessagePayload[],
): Work<{ stored: ReadonlyMap<string, StoredMessage>; holders: ReadonlyMap<string, string> }> {
  const stored = new Map<string, StoredMessage>()
  const holders = new Map<string, string>()
  if (!node.world.rules.knowsDuplicates) return { stored, holders }
  for (const payload of payloads) {
    const held = node.store.inboundById.get(`${mode}/${payload.id}`)
    if (held) stored.set(held.id, held)
  }
  // Two statements: what is committed in between is seen by the second only.
  yield* node.step(process, 'asked the ledger')
  for (const payload of payloads)
    for (const seq of [payload.seq, payload.seq - 1])
      for (const row of node.store.inboundAtPlace.get(placeKey(mode, { ...payload, seq })) ?? [])
        holders.set(placeOf(row), row.id)
  return { stored, holders }
}

function keep(
  node: SimNode,
  { message, parts }: { message: ReadMessage; parts: readonly PartContent[] },
  index: number,
  context: InboundContext,
  holders: ReadonlyMap<string, string>,
  decisions: readonly InboundDecision[],
): Kept {
  const { payload, jws } = message
  const decision = decideBody(readBody(parts))
  const before = { ...payload, seq: payload.seq - 1 }
  const gap =
    payload.seq > 1 &&
    !holders.has(placeOf(before)) &&
    !decisions.some((other) => other.kind === 'store' && placeOf(other.message.payload) === placeOf(before))
  const answered = isAnswered(payload.type)
  return {
    index,
    message,
    parts,
    decision,
    row: {
      mode: context.mode,
      id: payload.id,
      lane: payload.lane,
      epoch: payload.epoch,
      seq: payload.seq,
      type: payload.type,
      subject: payload.subject,
      message: jws.compact,
      digest: jws.digest,
      receipt: composeReceipt(payload, jws.digest, context.now.toISOString(), node.signer(context.mode)),
      state: answered ? decision.kind : 'received',
      answerId: answered ? node.random.uuidV7(context.now.getTime()) : undefined,
      gap,
      duplicates: 0,
    },
  }
}

/** Inserts a row as the primary key lets it: whoever inserts the same id at the same time is waited for. */
function* insertInbound(node: SimNode, tx: Transaction, row: InboundRow): Work<boolean> {
  const key = `${row.mode}/${row.id}`
  if (node.world.rules.knowsDuplicates) {
    if (!node.store.inboundById.has(key)) yield* node.acquire(tx, `inbound ${key}`)
    if (node.store.inboundById.has(key)) return false
  }
  tx.insertInbound(row)
  return true
}

/** A message that came fills the gap in front of the one behind it, where this transaction sees that one. */
function closeGaps(node: SimNode, tx: Transaction, mode: Mode, kept: readonly Kept[]): void {
  if (!node.world.rules.closesGaps) return
  for (const { row } of kept) {
    const behind = { ...row, seq: row.seq + 1 }
    for (const other of [...(node.store.inboundAtPlace.get(placeKey(mode, behind)) ?? []), ...tx.insertedInbound])
      if (other.gap && placeOf(other) === placeOf(behind)) tx.changeInbound(other, { gap: false })
  }
}

function draftAnswer({ message, decision, row }: Kept, context: InboundContext, channel: Channel): Draft {
  const { payload } = message
  const problems: readonly Problem[] = decision.problems
  return {
    id: row.answerId,
    mode: context.mode,
    conditions: channel.conditions,
    type: decision.kind === 'accepted' ? 'ACCEPTED' : 'REJECTED',
    subject: payload.subject,
    lane: payload.lane,
    ref: payload.id,
    body: problems.length > 0 ? Buffer.from(JSON.stringify({ problems })) : undefined,
    use: answerUse,
    priority: 3,
    expiresAt: new Date(context.now.getTime() + 120 * days),
  }
}

function resultOf(decision: InboundDecision, index: number, receiptOf: ReadonlyMap<number, string>): AnswerResult {
  if (decision.kind === 'refused') {
    const { outcome, id, digest } = decision.refusal
    return { index, outcome, ...(id && { id }), ...(digest && { digest }) }
  }
  const { payload, jws } = decision.message
  const about = { index, id: payload.id, digest: jws.digest }
  const receipt =
    decision.kind === 'duplicate'
      ? decision.receipt
      : receiptOf.get(decision.kind === 'repeated' ? decision.ofIndex : index)
  return receipt ? { ...about, outcome: 'RECEIVED', receipt } : { ...about, outcome: 'ID_CONFLICT' }
}
