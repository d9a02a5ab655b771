import { sql } from 'kysely'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AuditEvent } from '../audit/index.ts'
import type { JsonValue, Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { Use } from './message.ts'
import type { BodyDecision, MessageType, ReceivedMessage } from './message-types.ts'

/** The body of ACCEPTED (warnings, where there are any) and of REJECTED (the problems, with JSON pointers). */
export const AnswerBody = Type.Object(
  {
    problems: Type.Array(
      Type.Object(
        {
          code: Type.String({ pattern: '^[a-z0-9-]+/[a-z0-9-]+$', maxLength: 80 }),
          pointer: Type.String({ maxLength: 200 }),
          facts: Type.Optional(
            Type.Record(
              Type.String({ maxLength: 40 }),
              Type.Union([Type.String({ maxLength: 200 }), Type.Number(), Type.Boolean()]),
            ),
          ),
        },
        { additionalProperties: false },
      ),
      { maxItems: 2000 },
    ),
  },
  { additionalProperties: false, $id: 'Answer' },
)
export type AnswerBody = Static<typeof AnswerBody>
const validator = Compile(AnswerBody)

/** What an answer may be used for: it holds codes and places, no content. */
export const answerUse: Use = {
  purpose: 'CUSTOMS_CONTROL',
  classification: 'CONFIDENTIAL',
  retention: 'STOP-5Y',
  onward: 'NONE',
  personalData: false,
}

/** Reads an answer's problems; an answer without a body has none. */
function decideAnswer(body: JsonValue | undefined): BodyDecision<readonly Problem[]> {
  if (body === undefined) return { kind: 'accepted', content: [], warnings: [] }
  if (validator.Check(body)) return { kind: 'accepted', content: body.problems, warnings: [] }
  return { kind: 'rejected', problems: [{ code: 'exchange/body-unreadable', pointer: '' }] }
}

async function saveAnswers(
  tx: Transaction,
  answer: 'accepted' | 'rejected',
  messages: ReadonlyArray<ReceivedMessage<readonly Problem[]>>,
): Promise<readonly AuditEvent[]> {
  await sql`
    update exchange.outbound o set answer = ${answer}, answer_id = r.id, answered_at = r.at, problems = r.problems
    from unnest(
      ${messages.map(({ payload }) => payload.ref ?? null)}::uuid[], ${messages.map(({ payload }) => payload.id)}::uuid[],
      ${messages.map(({ receivedAt }) => receivedAt.toISOString())}::timestamptz[],
      ${messages.map(({ decision }) =>
        decision.kind === 'accepted' && decision.content.length > 0 ? JSON.stringify(decision.content) : null,
      )}::jsonb[],
      ${messages.map(({ partner }) => partner)}::text[], ${messages.map(({ payload }) => payload.mode)}::text[]
    ) as r (ref, id, at, problems, partner, mode)
    where o.id = r.ref and o.partner = r.partner and o.mode = r.mode and o.answer is null`.execute(tx)
  return tell(answer === 'accepted' ? 'message.accepted' : 'message.rejected', messages)
}

function tell(
  type: 'message.accepted' | 'message.rejected' | 'message.used',
  messages: ReadonlyArray<ReceivedMessage<readonly Problem[]>>,
): readonly AuditEvent[] {
  return messages.flatMap(({ payload, partner }) =>
    payload.ref ? [{ type, subject: payload.ref, facts: { partner, mode: payload.mode } }] : [],
  )
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
  answerType('USED', async (tx, messages) => {
    await sql`
      update exchange.outbound o set used_at = r.at
      from unnest(${messages.map(({ payload }) => payload.ref ?? null)}::uuid[],
        ${messages.map(({ receivedAt }) => receivedAt.toISOString())}::timestamptz[],
        ${messages.map(({ partner }) => partner)}::text[], ${messages.map(({ payload }) => payload.mode)}::text[]
      ) as r (ref, at, partner, mode)
      where o.id = r.ref and o.partner = r.partner and o.mode = r.mode and o.used_at is null`.execute(tx)
    return tell('message.used', messages)
  }),
  // A signed tombstone: the place in the lane is filled, and nothing is to be expected there.
  answerType('SKIP', async () => []),
]
