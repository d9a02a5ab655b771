import { sql } from 'kysely'
import type { AuditEvent } from '../audit/index.ts'
import type { Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import { decideAnswer } from './answers.ts'
import type { Mode } from './message.ts'
import type { MessageType, ReceivedMessage } from './message-types.ts'

type Answers = ReadonlyArray<ReceivedMessage<readonly Problem[]>>

/** What answers say about which message, in the order in which the outbox is locked everywhere. */
function byMessage(messages: Answers) {
  const about = messages.flatMap((message) => (message.payload.ref ? [{ ...message, ref: message.payload.ref }] : []))
  return about.toSorted((a, b) => (a.ref < b.ref ? -1 : a.ref > b.ref ? 1 : 0))
}

async function saveAnswers(
  tx: Transaction,
  answer: 'accepted' | 'rejected',
  messages: Answers,
): Promise<readonly AuditEvent[]> {
  const answers = byMessage(messages)
  const { rows } = await sql<AnsweredRow>`
    update exchange.outbound o set answer = ${answer}, answer_id = r.id, answered_at = r.at, problems = r.problems
    from unnest(
      ${answers.map(({ ref }) => ref)}::uuid[], ${answers.map(({ payload }) => payload.id)}::uuid[],
      ${answers.map(({ receivedAt }) => receivedAt.toISOString())}::timestamptz[],
      ${answers.map(({ decision }) =>
        decision.kind === 'accepted' && decision.content.length > 0 ? JSON.stringify(decision.content) : null,
      )}::jsonb[],
      ${answers.map(({ partner }) => partner)}::text[], ${answers.map(({ payload }) => payload.mode)}::text[]
    ) as r (ref, id, at, problems, partner, mode)
    where o.id = r.ref and o.partner = r.partner and o.mode = r.mode and o.answer is null
    returning o.id, o.partner, o.mode`.execute(tx)
  return tell(answer === 'accepted' ? 'message.accepted' : 'message.rejected', rows)
}

async function saveUsed(tx: Transaction, messages: Answers): Promise<readonly AuditEvent[]> {
  const answers = byMessage(messages)
  const { rows } = await sql<AnsweredRow>`
    update exchange.outbound o set used_at = r.at
    from unnest(${answers.map(({ ref }) => ref)}::uuid[],
      ${answers.map(({ receivedAt }) => receivedAt.toISOString())}::timestamptz[],
      ${answers.map(({ partner }) => partner)}::text[], ${answers.map(({ payload }) => payload.mode)}::text[]
    ) as r (ref, at, partner, mode)
    where o.id = r.ref and o.partner = r.partner and o.mode = r.mode and o.used_at is null
    returning o.id, o.partner, o.mode`.execute(tx)
  return tell('message.used', rows)
}

interface AnsweredRow {
  readonly id: string
  readonly partner: string
  readonly mode: Mode
}

/** Tells of messages of ours only, and once: what a partner says of anything else changes nothing. */
function tell(
  type: 'message.accepted' | 'message.rejected' | 'message.used',
  rows: readonly AnsweredRow[],
): readonly AuditEvent[] {
  return rows.map(({ id, partner, mode }) => ({ type, subject: id, facts: { partner, mode } }))
}

type Save = MessageType<readonly Problem[]>['save']

const answerType = (type: string, save: Save): MessageType =>
  ({
    type,
    version: 1,
    legalBasis: ['STOP-2021/1.4-r3'],
    priority: 3,
    answered: false,
    decide: decideAnswer,
    save,
  }) satisfies MessageType<readonly Problem[]> as MessageType

/** The messages every partner can send about another message: they earn RECEIVED and nothing more. */
export const answerTypes: readonly MessageType[] = [
  answerType('ACCEPTED', (tx, messages) => saveAnswers(tx, 'accepted', messages)),
  answerType('REJECTED', (tx, messages) => saveAnswers(tx, 'rejected', messages)),
  answerType('USED', saveUsed),
  // A signed tombstone: the place in the lane is filled, and nothing is to be expected there.
  answerType('SKIP', async () => []),
]
