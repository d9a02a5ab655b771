import { sql } from 'kysely'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AuditEvent } from '../audit/index.ts'
import type { JsonValue, Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import { partBytesMax, type Use } from './message.ts'
import type { BodyDecision, MessageType, ReceivedMessage } from './message-types.ts'

const problemsMax = 2000

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
      { maxItems: problemsMax },
    ),
  },
  { additionalProperties: false, $id: 'Answer' },
)
export type AnswerBody = Static<typeof AnswerBody>
const validator = Compile(AnswerBody)
const factsMax = 10

/**
 * Writes the body of an answer, or nothing when there is nothing to say.
 *
 * Why it shortens: pointers and facts repeat what a partner wrote, and a body full of defects must not make an answer
 * that its own sender cannot read. What is left out here stands in the receiver's own record.
 */
export function writeAnswerBody(problems: readonly Problem[]): Buffer | undefined {
  const short = (text: string, length: number): string => text.slice(0, length).toWellFormed()
  // Signed content has no number but safe integers; another one travels as its text.
  const plain = (value: string | number | boolean): string | number | boolean =>
    typeof value === 'boolean' || Number.isSafeInteger(value) ? value : short(String(value), 200)
  let kept = problems.slice(0, problemsMax).map(({ code, pointer, facts }) => ({
    code,
    pointer: short(pointer, 200),
    ...(facts && {
      facts: Object.fromEntries(
        Object.entries(facts)
          .slice(0, factsMax)
          .map(([name, value]) => [short(name, 40), plain(value)]),
      ),
    }),
  }))
  while (kept.length > 0) {
    const body = Buffer.from(JSON.stringify({ problems: kept }))
    if (body.length <= partBytesMax) return body
    kept = kept.slice(0, kept.length >> 1)
  }
  return undefined
}

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
