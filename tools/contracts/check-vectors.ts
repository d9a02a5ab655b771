import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import {
  type Conditions,
  checkClearance,
  checkDeparture,
  decideAdmission,
  isClearanceBody,
  messageTypes,
  parseBody,
  type Reference,
} from '../../src/clearance/index.ts'
import { answerTypes } from '../../src/exchange/index.ts'
import { type Problem, readJson } from '../../src/kernel/index.ts'

const closed = { additionalProperties: false } as const
const Finding = Type.Object({ code: Type.String(), pointer: Type.String() }, closed)

/** What a vector is and what every implementation must say of it. */
export const VectorsIndex = Type.Object(
  {
    /** The instant at which the dates in the vectors are looked at. */
    checkedAt: Type.String(),
    vectors: Type.Array(
      Type.Object(
        {
          /** Null for a message without a body. */
          file: Type.Union([Type.String({ pattern: '^(valid|invalid)/[a-z0-9-]+\\.json$' }), Type.Null()]),
          type: Type.Enum(messageTypes),
          shows: Type.String({ minLength: 1 }),
          /** Why the body is refused, all of it and in this order; absent for a body that is taken. */
          problems: Type.Optional(Type.Array(Finding, { minItems: 1 })),
          /** What the checks warn of, in any order; absent where the vector says nothing about it. */
          warnings: Type.Optional(Type.Array(Finding)),
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
)
export type VectorsIndex = Static<typeof VectorsIndex>
type Vector = VectorsIndex['vectors'][number]
const form = Compile(VectorsIndex)

/** What this program says of a body. */
interface Verdict {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

function judge(
  type: string,
  text: string | undefined,
  conditions: Conditions,
  reference: Reference,
  now: string,
): Verdict {
  const read =
    text === undefined ? undefined : readJson(text, { lengthMax: 2 ** 21, depthMax: 16, otherNumbers: 'refuse' })
  if (read && !read.ok) return { problems: [{ code: read.refusal.code, pointer: '' }], warnings: [] }
  const answer = answerTypes.find((known) => known.type === type)
  if (answer) {
    const decision = answer.decide(read?.value, { partner: 'CN-GACC', mode: 'test', now: new Date(now) })
    return { problems: decision.kind === 'accepted' ? [] : decision.problems, warnings: [] }
  }
  if (!read) return { problems: [{ code: 'clearance/body-missing', pointer: '' }], warnings: [] }
  const parsed = parseBody(type, read.value)
  if (!parsed.ok) return { problems: parsed.refusal.problems, warnings: [] }
  const body = parsed.value
  const admission = decideAdmission(body, reference)
  if (!admission.ok)
    return { problems: [{ code: admission.refusal.code, pointer: admission.refusal.pointer }], warnings: [] }
  if (isClearanceBody(body))
    return { problems: [], warnings: checkClearance(body.content, reference, conditions.rules, now) }
  if (body.type === 'DEP')
    return { problems: [], warnings: checkDeparture(body.content, reference, conditions.rules, now) }
  return { problems: [], warnings: [] }
}

const said = (findings: ReadonlyArray<{ code: string; pointer: string }>) =>
  findings.map(({ code, pointer }) => `${code} at "${pointer}"`)

/**
 * Runs every vector of a package through the program and lists where it differs from what the index says.
 *
 * @param texts the files of the `vectors` folder by path from it
 */
export function checkVectors(
  texts: ReadonlyMap<string, string>,
  conditions: Conditions,
  reference: Reference,
): readonly string[] {
  const index: unknown = JSON.parse(texts.get('index.json') ?? 'null')
  if (!form.Check(index)) return ['vectors/index.json is missing or does not have its form']
  const differences = index.vectors.flatMap((vector) =>
    differenceOf(vector, texts, conditions, reference, index.checkedAt),
  )
  const named = new Set(index.vectors.map(({ file }) => file))
  const strangers = [...texts.keys()].filter((file) => file !== 'index.json' && !named.has(file))
  const few = messageTypes.flatMap((type) => {
    const ofType = index.vectors.filter((vector) => vector.type === type)
    const invalid = ofType.filter(({ problems }) => problems).length
    return ofType.length - invalid >= 2 && invalid >= 4 ? [] : [`${type} has fewer than 2 valid or 4 invalid vectors`]
  })
  return [...differences, ...strangers.map((file) => `vectors/${file} is not in the index`), ...few]
}

function differenceOf(
  { file, type, problems, warnings }: Vector,
  texts: ReadonlyMap<string, string>,
  conditions: Conditions,
  reference: Reference,
  now: string,
): string[] {
  const text = file === null ? undefined : texts.get(file)
  if (file !== null && text === undefined) return [`vectors/${file} is missing`]
  if (file?.startsWith('invalid/') !== (problems !== undefined) && file !== null)
    return [`vectors/${file} stands in the wrong folder`]
  const verdict = judge(type, text, conditions, reference, now)
  const wanted = said(problems ?? [])
  const got = said(verdict.problems)
  if (wanted.join() !== got.join())
    return [`vectors/${file}: the index says ${wanted.join(', ') || 'taken'}, the program ${got.join(', ') || 'taken'}`]
  if (!warnings) return []
  const wantedWarnings = said(warnings).sort()
  const gotWarnings = said(verdict.warnings).sort()
  if (wantedWarnings.join() === gotWarnings.join()) return []
  return [`vectors/${file}: the index warns ${wantedWarnings.join(', ')}, the program ${gotWarnings.join(', ')}`]
}
