import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import {
  type AdministrationId,
  accept,
  assert,
  type Decision,
  type Instant,
  type Problem,
  refuse,
} from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { QueuedMessage } from './decide-delivery.ts'
import { placeOf, type StoredMessage } from './decide-inbound.ts'
import { decideResend, type Place, placeInstead } from './decide-resend.ts'
import { frameLimits, saltBytes } from './frame.ts'
import {
  composeMessage,
  type MessagePayload,
  type Mode,
  type PartContent,
  partBytesMax,
  readMessage,
  type Use,
} from './message.ts'
import type { Signer } from './strict-jws.ts'

/** What a room wants sent. The outbox gives it its id, its place in the lane, its salts and its signature. */
export interface OutboundDraft {
  readonly id?: string
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly agreement: { readonly id: string; readonly conditions: string }
  readonly type: string
  readonly version: number
  readonly subject: string
  readonly lane: string
  readonly ref?: string | undefined
  readonly body?: Buffer | undefined
  readonly use: Use
  /** From 0 to 9; each step counts like one minute of waiting. */
  readonly priority: number
  readonly expiresAt: Date
  /** Takes the place of another message of the lane instead of a new one: a re-issue or a SKIP. */
  readonly seq?: number | undefined
}

export interface SignedMessage {
  readonly id: string
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly type: string
  readonly subject: string
  readonly lane: string
  readonly seq: number
  readonly digest: string
}

export interface OutboxIdentity {
  readonly me: AdministrationId
  signer(mode: Mode): Signer
}

/** What keeps the lanes of one partner in one mode apart from each other's. */
type LaneKey = string
const laneKey = (draft: { partner: string; mode: string; lane: string }): LaneKey =>
  `${draft.partner}|${draft.mode}|${draft.lane}`

/**
 * Signs messages and puts them into the outbox, in the transaction that made them necessary.
 *
 * Within a lane the caller must hold whatever row says that nobody else composes for that lane now (the declaration,
 * the leg); a race is caught by the ledger and fails the transaction.
 */
export async function saveOutbound(
  tx: Transaction,
  identity: OutboxIdentity,
  drafts: readonly OutboundDraft[],
  now: Date,
): Promise<readonly SignedMessage[]> {
  if (drafts.length === 0) return []
  assert(
    drafts.every(({ body }) => (body?.length ?? 0) <= partBytesMax),
    'a body fits a part: whoever composes it refuses what does not',
  )
  const lanes = [...new Map(drafts.map((draft) => [laneKey(draft), draft])).values()]
  const partners = lanes.map((draft) => draft.partner)
  const modes = lanes.map((draft) => draft.mode)
  const ids = lanes.map((draft) => draft.lane)
  const known = await sql<{
    partner: string
    mode: Mode
    lane: string
    epoch: number
    last: number | null
    parked: boolean
  }>`
    with wanted as (
      select * from unnest(${partners}::text[], ${modes}::text[], ${ids}::uuid[]) as w (partner, mode, lane)
    ), made as (
      insert into exchange.lane (partner, mode, id) select partner, mode, lane from wanted on conflict do nothing
    )
    select w.partner, w.mode, w.lane, (select max(number) from exchange.epoch) as epoch,
      (select max(o.seq) from exchange.outbound o
        where o.partner = w.partner and o.mode = w.mode and o.lane = w.lane
          and o.state not in ('skipped', 'reissued')) as last,
      coalesce((select l.parked_by is not null from exchange.lane l
        where l.partner = w.partner and l.mode = w.mode and l.id = w.lane), false) as parked
    from wanted w`.execute(tx)
  const state = new Map(
    known.rows.map((row) => [laneKey(row), { next: (row.last ?? 0) + 1, epoch: row.epoch, parked: row.parked }]),
  )
  const issuedAt = now.toISOString()
  const rows = drafts.map((draft) => {
    const lane = state.get(laneKey(draft)) ?? { next: 1, epoch: 1, parked: false }
    const seq = draft.seq ?? lane.next
    if (draft.seq === undefined) lane.next += 1
    const id = draft.id ?? uuidv7({ msecs: now.getTime() })
    const parts = draft.body
      ? [{ name: 'body', mediaType: 'application/json', salt: randomBytes(saltBytes), bytes: draft.body }]
      : []
    const signed = composeMessage(
      {
        id,
        iss: identity.me,
        aud: draft.partner,
        mode: draft.mode,
        agreement: draft.agreement,
        type: draft.type,
        version: draft.version,
        subject: draft.subject,
        lane: draft.lane,
        seq,
        epoch: lane.epoch,
        ref: draft.ref,
        issuedAt,
        expiresAt: draft.expiresAt.toISOString(),
        use: draft.use,
        parts,
      },
      identity.signer(draft.mode),
    )
    return { draft, id, seq, epoch: lane.epoch, parts, ...signed, waiting: lane.parked && draft.seq === undefined }
  })
  await sql`
    insert into exchange.outbound (id, partner, mode, lane, epoch, seq, type, type_version, subject, ref, message, digest,
      issued_at, expires_at, due_at, not_before, state)
    select id, partner, mode, lane, epoch, seq, type, type_version, subject, ref, message, digest,
      ${issuedAt}::timestamptz, expires_at, ${issuedAt}::timestamptz - priority * interval '1 minute', ${issuedAt}::timestamptz, state
    from unnest(
      ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.draft.partner)}::text[],
      ${rows.map((row) => row.draft.mode)}::text[], ${rows.map((row) => row.draft.lane)}::uuid[],
      ${rows.map((row) => row.epoch)}::int[], ${rows.map((row) => row.seq)}::bigint[],
      ${rows.map((row) => row.draft.type)}::text[], ${rows.map((row) => row.draft.version)}::int[],
      ${rows.map((row) => row.draft.subject)}::uuid[], ${rows.map((row) => row.draft.ref ?? null)}::uuid[],
      ${rows.map((row) => row.compact)}::text[], ${rows.map((row) => row.digest)}::text[],
      ${rows.map((row) => row.draft.expiresAt.toISOString())}::timestamptz[],
      ${rows.map((row) => row.draft.priority)}::int[], ${rows.map((row) => (row.waiting ? 'waiting' : 'queued'))}::text[]
    ) as r (id, partner, mode, lane, epoch, seq, type, type_version, subject, ref, message, digest, expires_at, priority, state)
  `.execute(tx)
  await saveParts(
    tx,
    'out',
    rows.flatMap(({ id, draft, parts }) => parts.map((part) => ({ ...part, messageId: id, ...draft }))),
  )
  return rows.map(({ id, seq, digest, draft }) => ({
    id,
    partner: draft.partner,
    mode: draft.mode,
    type: draft.type,
    subject: draft.subject,
    lane: draft.lane,
    seq,
    digest,
  }))
}

interface PartRow extends PartContent {
  readonly messageId: string
  readonly partner: string
  readonly mode: Mode
  readonly mediaType: string
}

async function saveParts(tx: Transaction, direction: 'out' | 'in', parts: readonly PartRow[]): Promise<void> {
  if (parts.length === 0) return
  await sql`
    insert into exchange.part (direction, partner, mode, message_id, name, media_type, salt, bytes)
    select ${direction}, * from unnest(
      ${parts.map((part) => part.partner)}::text[], ${parts.map((part) => part.mode)}::text[],
      ${parts.map((part) => part.messageId)}::uuid[], ${parts.map((part) => part.name)}::text[],
      ${parts.map((part) => part.mediaType)}::text[], ${parts.map((part) => part.salt)}::bytea[],
      ${parts.map((part) => part.bytes)}::bytea[])`.execute(tx)
}

/**
 * Claims lanes that have something to send and reads their head runs, in order of urgency.
 *
 * Locks the lane rows until the transaction ends: other processes on this database pass them by, and when this process
 * dies its locks die with it.
 */
export async function claimHeadRuns(
  tx: Transaction,
  link: { partner: AdministrationId; mode: Mode },
  now: Date,
): Promise<readonly QueuedMessage[]> {
  const at = now.toISOString()
  const lanes = await sql<{ id: string }>`
    with due as (
      select lane, min(due_at) as due_at from (
        select lane, due_at from exchange.outbound
        where partner = ${link.partner} and mode = ${link.mode} and state = 'queued' and not_before <= ${at}::timestamptz
        order by due_at limit ${frameLimits.messagesMax * 4}
      ) head group by lane
    )
    select l.id from due d join exchange.lane l on l.id = d.lane
    where l.partner = ${link.partner} and l.mode = ${link.mode} and l.parked_by is null
    order by d.due_at limit ${frameLimits.messagesMax} for no key update of l skip locked`.execute(tx)
  if (lanes.rows.length === 0) return []
  // Read once the lanes are ours, lane by lane. Nothing waits in a lane that is not parked; but with `queued` alone the
  // index of the whole queue would serve this too, and be walked once for each lane.
  const { rows } = await sql<{
    id: string
    digest: string
    message: string
    lane: string
    seq: number
    expires_at: Instant
    attempts: number
    due: boolean
  }>`
    select o.id, o.digest, o.message, o.lane, o.seq, o.expires_at, o.attempts, o.not_before <= ${at}::timestamptz as due
    from unnest(${lanes.rows.map(({ id }) => id)}::uuid[]) with ordinality as c (lane, place)
    cross join lateral (
      select * from exchange.outbound o
      where o.lane = c.lane and o.partner = ${link.partner} and o.mode = ${link.mode} and o.state in ('queued', 'waiting')
      order by o.seq limit ${frameLimits.messagesMax}
    ) o
    order by c.place, o.seq limit ${frameLimits.messagesMax}`.execute(tx)
  // A message that was put off holds back what stands behind it, also what was queued since.
  const heldBack = new Set<string>()
  const run = rows.filter(({ lane, due }) => {
    if (!due) heldBack.add(lane)
    return !heldBack.has(lane)
  })
  const parts = await readParts(
    tx,
    'out',
    link,
    run.map((row) => row.id),
  )
  return run.map((row) => ({
    id: row.id,
    digest: row.digest,
    message: row.message,
    lane: row.lane,
    seq: row.seq,
    expiresAt: row.expires_at,
    attempts: row.attempts,
    parts: parts.get(row.id) ?? [],
  }))
}

/** The parts of messages by message id. */
export async function readParts(
  tx: Transaction,
  direction: 'out' | 'in',
  link: { partner: AdministrationId; mode: Mode },
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly PartContent[]>> {
  const parts = new Map<string, PartContent[]>()
  if (ids.length === 0) return parts
  const { rows } = await sql<{ message_id: string; name: string; salt: Buffer; bytes: Buffer }>`
    select message_id, name, salt, bytes from exchange.part
    where message_id = any(${ids}::uuid[]) and direction = ${direction} and partner = ${link.partner} and mode = ${link.mode}
    order by message_id, name`.execute(tx)
  for (const { message_id, name, salt, bytes } of rows) {
    const list = parts.get(message_id) ?? []
    list.push({ name, salt, bytes })
    parts.set(message_id, list)
  }
  return parts
}

export async function markReceived(
  tx: Transaction,
  receipts: ReadonlyArray<{ id: string; receipt: string; receivedAt: string }>,
  now: Date,
): Promise<void> {
  if (receipts.length === 0) return
  // In the order in which an answer to these messages, arriving meanwhile, locks them.
  const sorted = receipts.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  await sql`
    update exchange.outbound o set state = 'received', receipt = r.receipt, received_at = r.at, attempts = o.attempts + 1,
      first_sent_at = coalesce(o.first_sent_at, ${now.toISOString()}::timestamptz), last_outcome = 'RECEIVED'
    from unnest(${sorted.map((each) => each.id)}::uuid[], ${sorted.map((each) => each.receipt)}::text[],
      ${sorted.map((each) => each.receivedAt)}::timestamptz[]) as r (id, receipt, at)
    where o.id = r.id`.execute(tx)
}

export async function markRetried(
  tx: Transaction,
  retries: ReadonlyArray<{ id: string; reason: string; notBefore: Date }>,
  now: Date,
): Promise<void> {
  if (retries.length === 0) return
  await sql`
    update exchange.outbound o set attempts = o.attempts + 1, last_outcome = r.reason, not_before = r.not_before,
      first_sent_at = coalesce(o.first_sent_at, ${now.toISOString()}::timestamptz)
    from unnest(${retries.map((each) => each.id)}::uuid[], ${retries.map((each) => each.reason)}::text[],
      ${retries.map((each) => each.notBefore.toISOString())}::timestamptz[]) as r (id, reason, not_before)
    where o.id = r.id`.execute(tx)
}

/** Parks messages with a reason a person can act on; what stands behind them in their lanes waits. */
export async function markParked(
  tx: Transaction,
  parked: ReadonlyArray<{ id: string; reason: string }>,
): Promise<void> {
  if (parked.length === 0) return
  await sql`
    with parked as (
      update exchange.outbound o set state = 'parked', last_outcome = r.reason, attempts = o.attempts + 1
      from unnest(${parked.map((each) => each.id)}::uuid[], ${parked.map((each) => each.reason)}::text[]) as r (id, reason)
      where o.id = r.id returning o.id, o.partner, o.mode, o.lane
    ), lanes as (
      update exchange.lane l set parked_by = p.id from parked p
      where l.partner = p.partner and l.mode = p.mode and l.id = p.lane
    )
    update exchange.outbound o set state = 'waiting' from parked p
    where o.partner = p.partner and o.mode = p.mode and o.lane = p.lane and o.state = 'queued' and o.id <> p.id`.execute(
    tx,
  )
}

/**
 * Lets a parked lane go on, once the message that parked it has its new state: what waited in it is queued again, unless
 * another message of the lane is parked as well.
 */
export async function releaseLane(tx: Transaction, lane: { partner: string; mode: Mode; lane: string }): Promise<void> {
  await sql`
    with other as (
      select id from exchange.outbound
      where partner = ${lane.partner} and mode = ${lane.mode} and lane = ${lane.lane} and state = 'parked'
      order by seq limit 1
    ), released as (
      update exchange.lane set parked_by = (select id from other)
      where partner = ${lane.partner} and mode = ${lane.mode} and id = ${lane.lane}
    )
    update exchange.outbound set state = 'queued'
    where partner = ${lane.partner} and mode = ${lane.mode} and lane = ${lane.lane} and state = 'waiting'
      and not exists (select from other)`.execute(tx)
}

/** Parks everything that waits in one mode, when the channel leaves that mode: it will never be sent as anything else. */
export async function parkMode(
  tx: Transaction,
  partner: AdministrationId,
  mode: Mode,
  reason: string,
): Promise<number> {
  const result = await sql`
    update exchange.outbound set state = 'parked', last_outcome = ${reason}
    where partner = ${partner} and mode = ${mode} and state in ('queued', 'waiting')`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}

/**
 * What the ledger holds about these ids, and which message holds each place in a lane.
 *
 * Each place is looked up by itself (the limit keeps it so): joined, a planner without statistics reads the whole ledger.
 */
export async function findStored(
  tx: Transaction,
  link: { partner: AdministrationId; mode: Mode },
  payloads: readonly MessagePayload[],
): Promise<{ stored: ReadonlyMap<string, StoredMessage>; holders: ReadonlyMap<string, string> }> {
  const held = await sql<StoredMessage>`
    select id, digest, receipt from exchange.inbound
    where partner = ${link.partner} and mode = ${link.mode} and id = any(${payloads.map(({ id }) => id)}::uuid[])`.execute(
    tx,
  )
  const places = await sql<{ id: string; lane: string; epoch: number; seq: number }>`
    select i.id, i.lane, i.epoch, i.seq
    from unnest(${payloads.map(({ lane }) => lane)}::uuid[], ${payloads.map(({ epoch }) => epoch)}::int[],
      ${payloads.map(({ seq }) => seq)}::bigint[]) as w (lane, epoch, seq)
    cross join lateral (
      select * from exchange.inbound i
      where i.lane = w.lane and i.epoch = w.epoch and i.seq between w.seq - 1 and w.seq
        and i.partner = ${link.partner} and i.mode = ${link.mode}
      limit ${2 * frameLimits.messagesMax}
    ) i`.execute(tx)
  return {
    stored: new Map(held.rows.map((row) => [row.id, row])),
    holders: new Map(places.rows.map((row) => [placeOf(row), row.id])),
  }
}

export interface InboundRow {
  readonly payload: MessagePayload
  readonly message: string
  readonly digest: string
  readonly receipt: string
  readonly parts: readonly PartContent[]
  readonly gap: boolean
  readonly state: 'received' | 'accepted' | 'rejected' | 'quarantined'
  readonly problems: readonly Problem[]
  readonly answerId: string | undefined
}

/**
 * Stores messages with their receipts and parts.
 * @returns the ids that were new; an id that another request stored in the meantime is not among them
 */
export async function saveInbound(
  tx: Transaction,
  link: { partner: AdministrationId; mode: Mode },
  rows: readonly InboundRow[],
  now: Date,
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const of = <Value>(take: (row: InboundRow) => Value) => rows.map(take)
  const inserted = await sql<{ id: string }>`
    insert into exchange.inbound (partner, mode, id, lane, epoch, seq, type, type_version, conditions, subject, ref,
      message, digest, receipt, issued_at, received_at, gap, state, problems, answer_id)
    select ${link.partner}, ${link.mode}, id, lane, epoch, seq, type, type_version, conditions, subject, ref,
      message, digest, receipt, issued_at, ${now.toISOString()}::timestamptz, gap, state, problems, answer_id
    from unnest(
      ${of(({ payload }) => payload.id)}::uuid[], ${of(({ payload }) => payload.lane)}::uuid[],
      ${of(({ payload }) => payload.epoch)}::int[], ${of(({ payload }) => payload.seq)}::bigint[],
      ${of(({ payload }) => payload.type)}::text[], ${of(({ payload }) => payload.version)}::int[],
      ${of(({ payload }) => payload.agreement.conditions)}::text[], ${of(({ payload }) => payload.subject)}::uuid[],
      ${of(({ payload }) => payload.ref ?? null)}::uuid[], ${of((row) => row.message)}::text[],
      ${of((row) => row.digest)}::text[], ${of((row) => row.receipt)}::text[],
      ${of(({ payload }) => payload.issuedAt)}::timestamptz[], ${of((row) => row.gap)}::boolean[],
      ${of((row) => row.state)}::text[],
      ${of((row) => (row.problems.length > 0 ? JSON.stringify(row.problems) : null))}::jsonb[],
      ${of((row) => row.answerId ?? null)}::uuid[]
    ) as r (id, lane, epoch, seq, type, type_version, conditions, subject, ref, message, digest, receipt, issued_at, gap,
      state, problems, answer_id)
    on conflict do nothing returning id`.execute(tx)
  const fresh = new Set(inserted.rows.map((row) => row.id))
  await saveParts(
    tx,
    'in',
    rows
      // What is prohibited is not kept: the message proves that it came, and nobody can read it.
      .filter((row) => fresh.has(row.payload.id) && row.state !== 'quarantined')
      .flatMap((row) =>
        row.parts.map((part) => ({
          ...part,
          messageId: row.payload.id,
          partner: link.partner,
          mode: link.mode,
          mediaType: row.payload.parts.find(({ name }) => name === part.name)?.mediaType ?? 'application/octet-stream',
        })),
      ),
  )
  const behind = rows.filter((row) => fresh.has(row.payload.id))
  const waited = await sql<{ id: string }>`
    select i.id
    from unnest(${behind.map(({ payload }) => payload.lane)}::uuid[], ${behind.map(({ payload }) => payload.epoch)}::int[],
      ${behind.map(({ payload }) => payload.seq + 1)}::bigint[]) as r (lane, epoch, seq)
    cross join lateral (
      select id from exchange.inbound i
      where i.lane = r.lane and i.epoch = r.epoch and i.seq = r.seq and i.partner = ${link.partner}
        and i.mode = ${link.mode} and i.gap
      limit ${frameLimits.messagesMax}
    ) i`.execute(tx)
  if (waited.rows.length > 0)
    await sql`update exchange.inbound set gap = false
      where partner = ${link.partner} and mode = ${link.mode} and id = any(${waited.rows.map(({ id }) => id)}::uuid[])`.execute(
      tx,
    )
  return fresh
}

export async function countDuplicates(
  tx: Transaction,
  link: { partner: AdministrationId; mode: Mode },
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await sql`update exchange.inbound set duplicates = duplicates + 1
    where partner = ${link.partner} and mode = ${link.mode} and id = any(${ids}::uuid[])`.execute(tx)
}

/** Notes a request id. @returns false when it was seen before */
export async function noteRequest(tx: Transaction, partner: AdministrationId, jti: string): Promise<boolean> {
  const noted = await sql`insert into exchange.request_seen (partner, jti) values (${partner}, ${jti})
    on conflict do nothing`.execute(tx)
  return noted.numAffectedRows === 1n
}

export interface CountedRefusal {
  readonly code: string
  readonly messageId: string | undefined
  /** Which of its code this is in this hour. */
  readonly nth: number
}

/** The record tells of the first ten refusals of a code in an hour, then of the hundredth, the thousandth … */
const isTold = ({ nth }: CountedRefusal): boolean => nth <= 10 || /^10+$/.test(String(nth))

/**
 * Counts refusals by hour and code: a flood of bad input grows nothing.
 * @returns those of which the record is to tell, so that it does not grow with the flood either
 */
export async function countRefusals(
  tx: Transaction,
  direction: 'in' | 'out',
  partner: string,
  refusals: ReadonlyArray<{ code: string; messageId?: string | undefined }>,
): Promise<readonly CountedRefusal[]> {
  const counts = new Map<string, { count: number; last: string | null }>()
  for (const { code, messageId } of refusals)
    counts.set(code, { count: (counts.get(code)?.count ?? 0) + 1, last: messageId ?? counts.get(code)?.last ?? null })
  if (counts.size === 0) return []
  const codes = [...counts.keys()].sort()
  const { rows } = await sql<{ code: string; count: number }>`
    insert into exchange.refusal (direction, partner, code, hour, count, last_message_id)
    select ${direction}, ${partner}, code, date_trunc('hour', now()), count, last
    from unnest(${codes}::text[], ${codes.map((code) => counts.get(code)?.count ?? 0)}::bigint[],
      ${codes.map((code) => counts.get(code)?.last ?? null)}::text[]) as r (code, count, last)
    on conflict (direction, partner, code, hour) do update
      set count = refusal.count + excluded.count, last_at = now(),
        last_message_id = coalesce(excluded.last_message_id, refusal.last_message_id)
    returning code, count`.execute(tx)
  const before = new Map(rows.map(({ code, count }) => [code, count - (counts.get(code)?.count ?? 0)]))
  return refusals
    .map(({ code, messageId }): CountedRefusal => {
      const nth = (before.get(code) ?? 0) + 1
      before.set(code, nth)
      return { code, messageId, nth }
    })
    .filter(isTold)
}

export async function saveLinkState(
  tx: Transaction,
  link: { partner: AdministrationId; mode: Mode },
  attempt: { answered: boolean; at: Date; failure?: string | undefined; clockOffsetMs?: number | undefined },
): Promise<void> {
  const at = attempt.at.toISOString()
  await sql`
    insert into exchange.link as l (partner, mode, last_attempt_at, last_answer_at, failing_since, last_failure, clock_offset_ms)
    values (${link.partner}, ${link.mode}, ${at}, ${attempt.answered ? at : null}, ${attempt.answered ? null : at},
      ${attempt.failure ?? null}, ${attempt.clockOffsetMs ?? null})
    on conflict (partner, mode) do update set last_attempt_at = excluded.last_attempt_at,
      last_answer_at = coalesce(excluded.last_answer_at, l.last_answer_at),
      failing_since = case when excluded.last_answer_at is null then coalesce(l.failing_since, excluded.failing_since) end,
      last_failure = coalesce(excluded.last_failure, l.last_failure),
      clock_offset_ms = coalesce(excluded.clock_offset_ms, l.clock_offset_ms)`.execute(tx)
}

export type ParkedRefusal =
  | { readonly code: 'exchange/message-unknown'; readonly id: string }
  | { readonly code: 'exchange/message-not-parked'; readonly id: string; readonly state: string }
  | { readonly code: 'exchange/part-damaged'; readonly id: string; readonly part: string }

interface ParkedRow {
  readonly id: string
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly type: string
  readonly type_version: number
  readonly subject: string
  readonly lane: string
  readonly seq: number
  readonly message: string
  readonly state: string
  readonly last_outcome: string | null
  readonly expires_at: Instant
}

async function getParked(tx: Transaction, id: string): Promise<Decision<ParkedRow, ParkedRefusal>> {
  const { rows } = await sql<ParkedRow>`
    select id, partner, mode, type, type_version, subject, lane, seq, message, state, last_outcome, expires_at
    from exchange.outbound where id = ${id} for update`.execute(tx)
  const row = rows[0]
  if (!row) return refuse({ code: 'exchange/message-unknown' as const, id })
  if (row.state !== 'parked') return refuse({ code: 'exchange/message-not-parked' as const, id, state: row.state })
  return accept(row)
}

/**
 * Sends a parked message again. The same message, where it can still be taken; otherwise it is issued anew with a new id
 * that refers to the old one and stands in its place of the lane.
 * @returns the id of the message that now waits
 */
export async function resendMessage(
  tx: Transaction,
  identity: OutboxIdentity,
  id: string,
  renewal: { readonly agreement: { id: string; conditions: string }; readonly expiresAt: Date },
  now: Date,
): Promise<Decision<{ id: string; reissued: boolean }, ParkedRefusal>> {
  const parked = await getParked(tx, id)
  if (!parked.ok) return parked
  const row = parked.value
  const link = { partner: row.partner, mode: row.mode, lane: row.lane }
  const read = readMessage(row.message)
  assert(read.ok, 'a message of our own outbox is readable')
  const { payload } = read.value
  const held = (await readParts(tx, 'out', row, [id])).get(id) ?? []
  const decided = decideResend(
    { reason: row.last_outcome ?? '', expiresAt: new Date(row.expires_at), signed: payload.parts, held },
    now,
  )
  if (!decided.ok) return refuse({ ...decided.refusal, id })
  if (decided.value.kind === 'again') {
    await sql`update exchange.outbound set state = 'queued', not_before = ${now.toISOString()}::timestamptz
      where id = ${id}`.execute(tx)
    await releaseLane(tx, link)
    return accept({ id, reissued: false })
  }
  const instead = await issueInstead(tx, identity, row, decided.value.place, 'reissued', now, {
    agreement: renewal.agreement,
    type: row.type,
    version: row.type_version,
    ref: payload.ref ?? id,
    body: held.find(({ name }) => name === 'body')?.bytes,
    use: payload.use,
    expiresAt: renewal.expiresAt,
  })
  return accept({ id: instead, reissued: true })
}

/** Signs a message that comes instead of a parked one, and lets the lane go on. */
async function issueInstead(
  tx: Transaction,
  identity: OutboxIdentity,
  row: ParkedRow,
  place: Place,
  state: 'reissued' | 'skipped',
  now: Date,
  draft: Pick<OutboundDraft, 'agreement' | 'type' | 'version' | 'ref' | 'body' | 'use' | 'expiresAt'>,
): Promise<string> {
  const { partner, mode, lane, subject } = row
  const leave = () => sql`update exchange.outbound set state = ${state} where id = ${row.id}`.execute(tx)
  const issue = (seq: number | undefined) =>
    saveOutbound(tx, identity, [{ partner, mode, lane, subject, priority: 5, ...draft, seq }], now)
  // The same place must be free before it is taken; the next one is counted while the old message still holds its own.
  if (place === 'same') await leave()
  const [signed] = await issue(place === 'same' ? row.seq : undefined)
  if (place === 'next') await leave()
  await releaseLane(tx, { partner, mode, lane })
  assert(signed, 'one draft gives one message')
  return signed.id
}

/** Gives a parked message up: a signed SKIP fills its place, so that the lane goes on and the partner knows. */
export async function skipMessage(
  tx: Transaction,
  identity: OutboxIdentity,
  id: string,
  renewal: { readonly agreement: { id: string; conditions: string }; readonly expiresAt: Date; readonly use: Use },
  now: Date,
): Promise<Decision<{ id: string }, ParkedRefusal>> {
  const parked = await getParked(tx, id)
  if (!parked.ok) return parked
  const row = parked.value
  const instead = await issueInstead(tx, identity, row, placeInstead(row.last_outcome ?? ''), 'skipped', now, {
    agreement: renewal.agreement,
    type: 'SKIP',
    version: 1,
    ref: id,
    use: renewal.use,
    expiresAt: renewal.expiresAt,
  })
  return accept({ id: instead })
}
