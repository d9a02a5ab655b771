import { v7 as uuidv7 } from 'uuid'
import { type AuditEvent, recordEvents } from '../audit/index.ts'
import { type AdministrationId, type Decision, Fault, type JsonValue, type Problem, readJson } from '../kernel/index.ts'
import { type Database, type Transaction, withActor } from '../platform/db/index.ts'
import { answerUse, writeAnswerBody } from './answers.ts'
import { codeOf, type RequestOutcome } from './codes.ts'
import {
  decideFrame,
  type EntryRefusal,
  type InboundContext,
  type InboundDecision,
  inspectEntry,
  placeOf,
} from './decide-inbound.ts'
import { type FrameEntry, frameLimits, readFrame } from './frame.ts'
import { openFrame } from './frame-cipher.ts'
import { type AnswerResult, composeAnswer, openRequest } from './link-request.ts'
import { type Mode, type PartContent, partBytesMax, type ReadMessage } from './message.ts'
import type { BodyDecision, MessageType } from './message-types.ts'
import type { ExchangeNode, OpenChannel, Partner } from './node.ts'
import { composeReceipt } from './receipt.ts'
import {
  type CountedRefusal,
  countDuplicates,
  countRefusals,
  findStored,
  type InboundRow,
  noteRequest,
  type OutboundDraft,
  saveInbound,
  saveOutbound,
} from './store.ts'
import { sha256 } from './strict-jws.ts'

/** How long the receiver waits for a trip to close before an answer expires. */
const answerExpiryDays = 120
/** A body is a document of a few hundred lines, not a bomb. */
const bodyLimits = { lengthMax: partBytesMax, depthMax: 16, otherNumbers: 'refuse' } as const
const NULL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export interface FrameAnswer {
  /** The signed answer to send back. */
  readonly answer: string
  readonly outcome: 'OK' | RequestOutcome
  readonly results: readonly AnswerResult[]
  /** Whether messages for the partner were put into the outbox. */
  readonly answersQueued: boolean
}

/**
 * Takes one request of a proven peer: reads it in the published order, stores what is good together with its receipts
 * in one commit, and gives the signed answer.
 */
export async function receiveFrame(
  node: ExchangeNode,
  db: Database,
  partner: Partner,
  request: { readonly request: string; readonly frame: string },
): Promise<FrameAnswer> {
  const now = node.now()
  const opened = openRequest(request.request, {
    me: node.me,
    partner: partner.id,
    contentDigest: sha256(request.frame),
    now,
    keyring: (mode) => partner.keyrings[mode],
  })
  const about = opened.ok
    ? { requestDigest: opened.value.digest, mode: opened.value.payload.mode }
    : (opened.refusal.about ?? { requestDigest: '', mode: 'test' as const })
  const { requestDigest, mode }: { requestDigest: string; mode: Mode } = about
  const answer = (
    outcome: 'OK' | RequestOutcome,
    results: readonly AnswerResult[] = [],
    answersQueued = false,
  ): FrameAnswer => ({
    outcome,
    results,
    answersQueued,
    answer: composeAnswer(
      {
        iss: node.me,
        aud: partner.id,
        mode,
        iat: Math.floor(now.getTime() / 1000),
        requestDigest,
        outcome,
        results: [...results],
      },
      node.signer(mode),
    ),
  })
  const refused = async (outcome: RequestOutcome): Promise<FrameAnswer> => {
    await asExchange(node, db, async (tx) => {
      const told = await countRefusals(tx, 'in', partner.id, [{ code: codeOf(outcome) }])
      await recordEvents(tx, { actor: node.me, purpose: 'exchange' }, refusalEvents(told, partner.id))
    })
    return answer(outcome)
  }
  if (!opened.ok) return refused(opened.refusal.code === 'exchange/request-stale' ? 'REQUEST_STALE' : 'REQUEST_INVALID')
  const { payload } = opened.value
  if (!(await asExchange(node, db, (tx) => noteRequest(tx, partner.id, payload.jti))))
    return refused('REQUEST_REPLAYED')
  const channel = await node.channel(partner.id)
  const keyring = partner.keyrings[mode]
  if (channel?.mode !== mode || !keyring) return refused('LINK_CLOSED')
  const plain = await openFrame(request.frame, node.decrypters(mode))
  const frame = plain.ok ? readFrame(plain.value) : plain
  if (!frame.ok) return refused('FRAME_UNREADABLE')
  const context: InboundContext = {
    me: node.me,
    partner: partner.id,
    mode,
    now,
    keyring,
    accepted: new Map([[channel.agreement.id, channel.acceptedConditions]]),
    types: node.types.names,
    retentionClasses: node.retentionClasses,
  }
  const { results, answersQueued } = await storeEntries(node, db, frame.value, context, channel)
  return answer('OK', results, answersQueued)
}

async function asExchange<Value>(
  node: ExchangeNode,
  db: Database,
  work: (tx: Transaction) => Promise<Value>,
): Promise<Value> {
  return await withActor(db, { actor: node.me, purpose: 'exchange' }, work)
}

/**
 * Stores the entries of a frame in one commit. When that commit fails on its content, each entry is tried alone, so that
 * one bad message never costs the others; the one that fails alone is answered BUSY and leaves nothing behind.
 */
async function storeEntries(
  node: ExchangeNode,
  db: Database,
  entries: readonly FrameEntry[],
  context: InboundContext,
  channel: OpenChannel,
): Promise<{ results: readonly AnswerResult[]; answersQueued: boolean }> {
  const inspected = entries.map((entry) => inspectEntry(entry, context))
  try {
    return await asExchange(node, db, (tx) => storeInspected(tx, node, entries, inspected, context, channel))
  } catch (error) {
    // When the database itself is away, nothing is tried one by one: the partner comes again.
    if (error instanceof Fault && error.code !== 'platform/database-busy') throw error
    if (entries.length === 1) {
      const only = inspected[0]
      const about = only?.ok ? { id: only.value.payload.id, digest: only.value.jws.digest } : {}
      node.report?.('exchange/busy', error, { id: about.id })
      return { results: [{ index: 0, outcome: 'BUSY', ...about }], answersQueued: false }
    }
    const results: AnswerResult[] = []
    let answersQueued = false
    for (const [index, entry] of entries.entries()) {
      const one = await storeEntries(node, db, [entry], context, channel)
      results.push(...one.results.map((result) => ({ ...result, index })))
      answersQueued ||= one.answersQueued
    }
    return { results, answersQueued }
  }
}

interface Kept {
  readonly index: number
  readonly message: ReadMessage
  readonly parts: readonly PartContent[]
  readonly type: MessageType
  readonly decision: BodyDecision<unknown>
  readonly row: InboundRow
}

async function storeInspected(
  tx: Transaction,
  node: ExchangeNode,
  entries: readonly FrameEntry[],
  inspected: ReadonlyArray<Decision<ReadMessage, EntryRefusal>>,
  context: InboundContext,
  channel: OpenChannel,
): Promise<{ results: readonly AnswerResult[]; answersQueued: boolean }> {
  const link = { partner: context.partner, mode: context.mode }
  const readable = inspected.flatMap((each) => (each.ok ? [each.value.payload] : []))
  const { stored, holders } = await findStored(tx, link, readable)
  const decisions = decideFrame(entries, inspected, stored, holders, context)
  const kept = decisions.flatMap((decision, index) =>
    decision.kind === 'store' ? [keep(node, decision, index, context, holders, decisions)] : [],
  )
  const fresh = await saveInbound(
    tx,
    link,
    kept.map(({ row }) => row),
    context.now,
  )
  const mine = kept.filter(({ message }) => fresh.has(message.payload.id))
  const told: AuditEvent[] = []
  for (const type of new Set(mine.map((each) => each.type))) {
    const saved = await type.save(
      tx,
      mine
        .filter((each) => each.type === type)
        .map((each) => ({
          payload: each.message.payload,
          partner: context.partner,
          receivedAt: context.now,
          gap: each.row.gap,
          decision: each.decision,
        })),
    )
    told.push(...saved)
  }
  const drafts = mine.flatMap((each) => (each.row.answerId ? [draftAnswer(each, context, channel)] : []))
  await saveOutbound(tx, node, drafts, context.now)
  const receiptOf = new Map(mine.map(({ index, row }) => [index, row.receipt]))
  const raced = kept.filter(({ message }) => !fresh.has(message.payload.id))
  if (raced.length > 0) {
    const now = await findStored(
      tx,
      link,
      raced.map(({ message }) => message.payload),
    )
    for (const { index, message, row } of raced) {
      const held = now.stored.get(message.payload.id)
      if (held?.digest === row.digest) receiptOf.set(index, held.receipt)
    }
  }
  const results = decisions.map((decision, index) => resultOf(decision, index, receiptOf))
  await countDuplicates(
    tx,
    link,
    decisions.flatMap((decision) => (decision.kind === 'duplicate' ? [decision.message.payload.id] : [])),
  )
  const refusals = decisions.flatMap((decision) => (decision.kind === 'refused' ? [decision.refusal] : []))
  const counted = await countRefusals(
    tx,
    'in',
    context.partner,
    refusals.map(({ outcome, id }) => ({ code: codeOf(outcome), messageId: id })),
  )
  await recordEvents(tx, { actor: node.me, purpose: 'exchange' }, [
    ...eventsOf(mine, context.partner),
    ...refusalEvents(counted, context.partner),
    ...told,
  ])
  return { results, answersQueued: drafts.length > 0 }
}

/** Judges one message that will be stored, and makes its receipt. */
function keep(
  node: ExchangeNode,
  { message, parts }: { message: ReadMessage; parts: readonly PartContent[] },
  index: number,
  context: InboundContext,
  holders: ReadonlyMap<string, string>,
  decisions: readonly InboundDecision[],
): Kept {
  const { payload, jws } = message
  const type = node.types.find(payload.type, payload.version)
  if (!type) throw new Error(`Bug: ${payload.type}@${payload.version} was admitted and is not registered`)
  const decision = decideBody(type, parts, context)
  const before = { ...payload, seq: payload.seq - 1 }
  const gap =
    payload.seq > 1 &&
    !holders.has(placeOf(before)) &&
    !decisions.some((other) => other.kind === 'store' && placeOf(other.message.payload) === placeOf(before))
  return {
    index,
    message,
    parts,
    type,
    decision,
    row: {
      payload,
      message: jws.compact,
      digest: jws.digest,
      receipt: composeReceipt(payload, jws.digest, context.now.toISOString(), node.signer(context.mode)),
      parts,
      gap,
      state: type.answered ? decision.kind : 'received',
      problems: decision.kind === 'accepted' ? decision.warnings : decision.problems,
      answerId: type.answered ? uuidv7({ msecs: context.now.getTime() }) : undefined,
    },
  }
}

function decideBody(type: MessageType, parts: readonly PartContent[], context: InboundContext): BodyDecision<unknown> {
  const part = parts.find(({ name }) => name === 'body')
  let body: JsonValue | undefined
  if (part) {
    const read = readBody(part.bytes)
    if (!read.ok) {
      return { kind: 'rejected', problems: [{ code: 'exchange/body-unreadable', pointer: '', facts: read.refusal }] }
    }
    body = read.value
  }
  return type.decide(body, { partner: context.partner, mode: context.mode, now: context.now })
}

function readBody(bytes: Buffer): Decision<JsonValue, { reason: string; at: number }> {
  let text: string
  try {
    text = strictUtf8.decode(bytes)
  } catch {
    return { ok: false, refusal: { reason: 'utf-8', at: 0 } }
  }
  // No table keeps U+0000 in text or JSON; a body with it could be acknowledged and never stored.
  if (NULL_ESCAPE.test(text)) return { ok: false, refusal: { reason: 'null-character', at: text.search(NULL_ESCAPE) } }
  const read = readJson(text, bodyLimits)
  return read.ok ? read : { ok: false, refusal: { reason: read.refusal.code, at: read.refusal.at } }
}

function draftAnswer({ message, decision, row }: Kept, context: InboundContext, channel: OpenChannel): OutboundDraft {
  const { payload } = message
  const problems: readonly Problem[] = decision.kind === 'accepted' ? decision.warnings : decision.problems
  return {
    ...(row.answerId && { id: row.answerId }),
    partner: context.partner,
    mode: context.mode,
    agreement: channel.agreement,
    type: decision.kind === 'accepted' ? 'ACCEPTED' : 'REJECTED',
    version: 1,
    subject: payload.subject,
    lane: payload.lane,
    ref: payload.id,
    body: writeAnswerBody(problems),
    use: answerUse,
    priority: 3,
    expiresAt: new Date(context.now.getTime() + answerExpiryDays * 86_400_000),
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

function eventsOf(kept: readonly Kept[], partner: AdministrationId): AuditEvent[] {
  return kept.flatMap(({ message, decision, type }): AuditEvent[] => {
    const facts = { partner, type: message.payload.type, mode: message.payload.mode }
    const received: AuditEvent = { type: 'inbound.received', subject: message.payload.id, facts }
    return type.answered
      ? [received, { type: `inbound.${decision.kind}`, subject: message.payload.id, facts }]
      : [received]
  })
}

function refusalEvents(refusals: readonly CountedRefusal[], partner: AdministrationId): AuditEvent[] {
  return refusals.map(({ code, messageId, nth }) => ({
    type: code === codeOf('ID_CONFLICT') ? 'inbound.conflict' : 'inbound.refused',
    subject: messageId ?? partner,
    facts: { partner, code, ...(nth > 1 && { records: nth }) },
  }))
}

/** One request as the edge hands it over: who the TLS key is, and the bytes. */
export interface ExchangeRequest {
  /** SHA-256 of the peer certificate's SubjectPublicKeyInfo, base64url; undefined when it showed none. */
  readonly peerPin: string | undefined
  readonly body: string
}

export interface ExchangeResponse {
  readonly status: 200 | 400 | 403 | 413
  readonly contentType: 'application/jose' | 'application/problem+json'
  readonly body: string
  readonly outcome: 'OK' | RequestOutcome
  readonly answersQueued: boolean
}

const bodyMembers = { lengthMax: frameLimits.wireBytesMax + 8192, depthMax: 1, otherNumbers: 'refuse' } as const

/**
 * Answers one POST to `/exchange/v1/frames`: the peer is the partner whose keyset pins its TLS key; the body is exactly
 * {request, frame}. Until the peer is known nothing is signed for it and nothing of the body is read.
 */
export async function answerFrames(
  node: ExchangeNode,
  db: Database,
  request: ExchangeRequest,
): Promise<ExchangeResponse> {
  if (request.body.length > frameLimits.wireBytesMax) return problem(413, 'FRAME_TOO_LARGE')
  const partner = await findPeer(node, request.peerPin)
  if (!partner) return problem(403, 'PEER_UNKNOWN')
  const read = readJson(request.body, bodyMembers)
  const members =
    read.ok && read.value !== null && typeof read.value === 'object' && !Array.isArray(read.value) ? read.value : {}
  const { request: signed, frame, ...others } = members as { [name: string]: JsonValue }
  if (typeof signed !== 'string' || typeof frame !== 'string' || Object.keys(others).length > 0)
    return problem(400, 'REQUEST_INVALID')
  const { answer, outcome, answersQueued } = await receiveFrame(node, db, partner, { request: signed, frame })
  return { status: 200, contentType: 'application/jose', body: answer, outcome, answersQueued }
}

/** Whether a partner's newest keysets pin this TLS key: of anybody else no body is read. */
export async function isPeerKnown(node: ExchangeNode, pin: string): Promise<boolean> {
  return (await findPeer(node, pin)) !== undefined
}

async function findPeer(node: ExchangeNode, pin: string | undefined): Promise<Partner | undefined> {
  if (!pin) return undefined
  return (await node.partners()).find(({ keyrings }) =>
    Object.values(keyrings).some((keyring) => keyring?.tlsPins.includes(pin)),
  )
}

function problem(status: 400 | 403 | 413, outcome: RequestOutcome): ExchangeResponse {
  const code = codeOf(outcome)
  return {
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: `urn:dostyk:refusal:${code}`, status, code }),
    outcome,
    answersQueued: false,
  }
}
