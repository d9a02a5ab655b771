import { sql } from 'kysely'
import type { AdministrationId, Instant, Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { Mode } from './message.ts'

/** The fate of one message as both sides know it: envelope and states, no content. */
export interface MessageFate {
  readonly direction: 'out' | 'in'
  readonly id: string
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly type: string
  readonly subject: string
  readonly ref: string | null
  readonly lane: string
  readonly epoch: number
  readonly seq: number
  readonly digest: string
  /** Out: queued, waiting, received, parked, skipped, reissued. In: received, accepted, rejected, quarantined. */
  readonly state: string
  readonly attempts: number
  readonly lastOutcome: string | null
  readonly signedAt: Instant
  readonly firstSentAt: Instant | null
  readonly receivedAt: Instant | null
  readonly answer: 'accepted' | 'rejected' | null
  readonly answerId: string | null
  readonly answeredAt: Instant | null
  readonly usedAt: Instant | null
  readonly gap: boolean
  readonly duplicates: number
  readonly problems: readonly Problem[] | null
}

/** The message's proof: the signed text and the partner's signed receipt (or ours, for what came in). */
export interface MessageProof {
  readonly message: string
  readonly receipt: string | null
}

const outbound = sql`
  select 'out' as direction, id, partner, mode, type, subject, ref, lane, epoch, seq, digest, state, attempts,
    last_outcome as "lastOutcome", issued_at as "signedAt", first_sent_at as "firstSentAt", received_at as "receivedAt",
    answer, answer_id as "answerId", answered_at as "answeredAt", used_at as "usedAt", false as gap, 0 as duplicates,
    problems from exchange.outbound`
const inbound = sql`
  select 'in' as direction, id, partner, mode, type, subject, ref, lane, epoch, seq, digest, state, 1 as attempts,
    null as "lastOutcome", issued_at as "signedAt", null::timestamptz as "firstSentAt", received_at as "receivedAt",
    case when state in ('accepted', 'rejected') then state when state = 'quarantined' then 'rejected' end as answer,
    answer_id as "answerId", case when answer_id is not null then received_at end as "answeredAt", used_at as "usedAt",
    gap, duplicates, problems from exchange.inbound`

type FateRow = Omit<MessageFate, 'seq'> & { readonly seq: string }
const fate = (row: FateRow): MessageFate => ({ ...row, seq: Number(row.seq) })

export interface MessageFilter {
  readonly direction?: 'out' | 'in' | undefined
  readonly state?: string | undefined
  readonly type?: string | undefined
  readonly partner?: string | undefined
  readonly subject?: string | undefined
  /** Only messages with an id before this one: ids of version 7 rise with time. */
  readonly before?: string | undefined
  readonly limit: number
}

/** Messages of both directions, newest first. */
export async function listMessages(tx: Transaction, filter: MessageFilter): Promise<readonly MessageFate[]> {
  const { direction = null, state = null, type = null, partner = null, subject = null, before = null } = filter
  const where = sql`
    where (${state}::text is null or state = ${state}) and (${type}::text is null or type = ${type})
      and (${partner}::text is null or partner = ${partner}) and (${subject}::uuid is null or subject = ${subject}::uuid)
      and (${before}::uuid is null or id < ${before}::uuid)
    order by id desc limit ${filter.limit}`
  const { rows } = await sql<FateRow>`
    select * from (
      (select * from (${outbound}) o ${where}) union all (select * from (${inbound}) i ${where})
    ) m where ${direction}::text is null or direction = ${direction}
    order by id desc limit ${filter.limit}`.execute(tx)
  return rows.map(fate)
}

/** One message by its id, whichever way it went, with its proof. */
export async function findMessage(tx: Transaction, id: string): Promise<(MessageFate & MessageProof) | undefined> {
  const { rows } = await sql<FateRow & MessageProof>`
    select m.*, coalesce(o.message, i.message) as message, coalesce(o.receipt, i.receipt) as receipt
    from ((select * from (${outbound}) o where id = ${id}) union all (select * from (${inbound}) i where id = ${id})) m
    left join exchange.outbound o on m.direction = 'out' and o.id = m.id
    left join exchange.inbound i on m.direction = 'in' and i.id = m.id and i.partner = m.partner and i.mode = m.mode
    limit 1`.execute(tx)
  const row = rows[0]
  return row && { ...fate(row), message: row.message, receipt: row.receipt }
}

export interface LinkSummary {
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly queued: number
  readonly waiting: number
  readonly parked: number
  readonly received: number
  readonly accepted: number
  readonly rejected: number
  readonly used: number
  readonly retried: number
  readonly inbound: number
  readonly oldestQueuedAt: Instant | null
  readonly lastAttemptAt: Instant | null
  readonly lastAnswerAt: Instant | null
  readonly failingSince: Instant | null
  readonly lastFailure: string | null
  readonly clockOffsetMs: number | null
}

/** How each link stands: what waits, what was received, answered and used, and how the partner last answered. */
export async function summariseLinks(tx: Transaction): Promise<readonly LinkSummary[]> {
  const { rows } = await sql<Record<string, string | number | null>>`
    with out as (
      select partner, mode, count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'parked') as parked,
        count(*) filter (where state = 'received') as received, count(*) filter (where answer = 'accepted') as accepted,
        count(*) filter (where answer = 'rejected') as rejected, count(*) filter (where used_at is not null) as used,
        count(*) filter (where attempts > 1) as retried,
        min(issued_at) filter (where state = 'queued') as "oldestQueuedAt"
      from exchange.outbound group by partner, mode
    ), came as (select partner, mode, count(*) as inbound from exchange.inbound group by partner, mode)
    select coalesce(o.partner, i.partner, l.partner) as partner, coalesce(o.mode, i.mode, l.mode) as mode, o.queued,
      o.waiting, o.parked, o.received, o.accepted, o.rejected, o.used, o.retried, o."oldestQueuedAt", i.inbound,
      l.last_attempt_at as "lastAttemptAt", l.last_answer_at as "lastAnswerAt", l.failing_since as "failingSince",
      l.last_failure as "lastFailure", l.clock_offset_ms as "clockOffsetMs"
    from out o full join came i using (partner, mode) full join exchange.link l using (partner, mode)
    order by 1, 2`.execute(tx)
  const number = (value: unknown): number => Number(value ?? 0)
  return rows.map((row) => ({
    ...(row as unknown as LinkSummary),
    queued: number(row['queued']),
    waiting: number(row['waiting']),
    parked: number(row['parked']),
    received: number(row['received']),
    accepted: number(row['accepted']),
    rejected: number(row['rejected']),
    used: number(row['used']),
    retried: number(row['retried']),
    inbound: number(row['inbound']),
    clockOffsetMs: row['clockOffsetMs'] === null ? null : number(row['clockOffsetMs']),
  }))
}

export interface RefusalCount {
  readonly direction: 'in' | 'out'
  readonly partner: string
  readonly code: string
  readonly count: number
  readonly lastAt: Instant
  readonly lastMessageId: string | null
}

/** What the exchange refused, by code, over everything that is kept. */
export async function listRefusals(tx: Transaction): Promise<readonly RefusalCount[]> {
  const { rows } = await sql<RefusalCount & { count: string | number }>`
    select direction, partner, code, sum(count)::bigint as count, max(last_at) as "lastAt",
      max(last_message_id) as "lastMessageId"
    from exchange.refusal group by direction, partner, code order by code`.execute(tx)
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}
