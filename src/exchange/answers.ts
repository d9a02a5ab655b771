import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { JsonValue, Problem } from '../kernel/index.ts'
import { partBytesMax, type Use } from './message.ts'
import type { BodyDecision } from './message-types.ts'

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
export function decideAnswer(body: JsonValue | undefined): BodyDecision<readonly Problem[]> {
  if (body === undefined) return { kind: 'accepted', content: [], warnings: [] }
  if (validator.Check(body)) return { kind: 'accepted', content: body.problems, warnings: [] }
  return { kind: 'rejected', problems: [{ code: 'exchange/body-unreadable', pointer: '' }] }
}
