/**
 * Decides what of a declaration may be sent to the partner, and says why not where not.
 *
 * In order of precedence: what the Protocol does not concern, what it prohibits, what an officer must answer, and then
 * what remains. A declaration outside the Protocol is not called prohibited, and no officer is asked about it.
 */
import { type Static, Type } from 'typebox'
import type { ClauseRef, Instant } from '../kernel/index.ts'
import { shareUnion } from './customs-unions.ts'
import { type BorderContext, decideNexus, decideRailExit } from './decide-rail-exit.ts'
import { areSeparable, leaveOutLines, withoutExclusions } from './leave-out-lines.ts'
import { type Clearance, DocumentReference, type HomeDeclaration } from './model.ts'
import {
  isPersonWithoutContract,
  personalLineDoubt,
  personalLineSign,
  personalUseDoubt,
  personalUseSign,
  postalSign,
  secrecySign,
} from './read-exclusion-signs.ts'
import type { ExclusionMarks } from './reference/index.ts'
import { aheadSecondsAllowed } from './rule-profile.ts'

/** Ground → clause. Grounds of one outcome stand together, in order of precedence. */
export const eligibilityGrounds = {
  notConcerned: {
    'clearance/not-cleared': 'STOP-2021/1.2-r2',
    'clearance/withdrawn': 'STOP-2021/1.2-r2',
    'clearance/not-leaving': 'STOP-2021/2.1-r2',
    'clearance/not-our-export': 'STOP-2021/2.1-r2',
    'clearance/no-nexus': 'STOP-2021/2.1-r3',
    'clearance/not-rail': 'STOP-2021/1.2-r1',
    'clearance/other-border': 'STOP-2021/4-r1',
  },
  withheld: {
    'clearance/state-secret': 'STOP-2021/6.4',
    'clearance/own-law': 'STOP-2021/2.5-r1',
    'clearance/postal': 'STOP-2021/2.3-r2',
    'clearance/personal-use': 'STOP-2021/2.3-r1',
    'clearance/withheld-by-officer': 'STOP-2021/2.5-r1',
  },
  held: {
    'clearance/release-unknown': 'STOP-2021/1.2-r2',
    'clearance/release-not-reached': 'STOP-2021/1.2-r2',
    'clearance/union-export-pending': 'STOP-2021/3.a',
    'clearance/route-unknown': 'STOP-2021/2.1-r3',
    'clearance/rail-unknown': 'STOP-2021/1.2-r1',
    'clearance/personal-use-unknown': 'STOP-2021/2.3-r1',
    'clearance/commercial-document-missing': 'STOP-2021/2.3-r1',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ClauseRef>>>>

export type NotConcernedGround = keyof typeof eligibilityGrounds.notConcerned
export type WithheldGround = keyof typeof eligibilityGrounds.withheld
export type HeldGround = keyof typeof eligibilityGrounds.held
type LineGround = Exclude<WithheldGround, 'clearance/withheld-by-officer'>

/** A line that stays at home: its position from 0 and its number in the declaration, and why. */
export interface LeftOutLine {
  readonly index: number
  readonly sequence: number
  readonly ground: LineGround
  readonly clause: ClauseRef
}

export type EligibilityDecision =
  | { readonly outcome: 'not-concerned'; readonly ground: NotConcernedGround; readonly clause: ClauseRef }
  | {
      readonly outcome: 'withheld'
      readonly ground: WithheldGround
      readonly clause: ClauseRef
      /** Only some lines are exempt, and they cannot be told apart from the rest. */
      readonly inseparable: boolean
    }
  | {
      readonly outcome: 'held'
      readonly ground: HeldGround
      readonly clause: ClauseRef
      /** All that an officer must answer, in order of precedence; the first is the ground. */
      readonly questions: readonly HeldGround[]
    }
  | { readonly outcome: 'partial'; readonly declaration: Clearance; readonly leftOut: readonly LeftOutLine[] }
  | { readonly outcome: 'eligible'; readonly declaration: Clearance }

export interface EligibilityContext extends BorderContext {
  readonly now: Instant
  /** What the working group decided about goods that another state of our customs union cleared for export. */
  readonly unionExports?: 'pending' | 'send'
}

const YesNo = Type.Union([Type.Literal('yes'), Type.Literal('no')])
const closed = { additionalProperties: false } as const

/**
 * An officer's decision on a held record. `release` answers the open questions: for the sending, unless `answers` say
 * otherwise. What asks for a paper is answered by its reference only.
 */
export const OfficerDecision = Type.Object(
  {
    decision: Type.Union([Type.Literal('release'), Type.Literal('withhold')]),
    reason: Type.String({ minLength: 1, maxLength: 500 }),
    answers: Type.Optional(
      Type.Object(
        {
          personalUse: Type.Optional(YesNo),
          /** Answers for single lines, by their number in the declaration; they prevail over the answer for all. */
          lines: Type.Optional(
            Type.Array(Type.Object({ sequence: Type.Integer({ minimum: 1 }), personalUse: YesNo }, closed), {
              maxItems: 9999,
            }),
          ),
          released: Type.Optional(YesNo),
          rail: Type.Optional(YesNo),
          route: Type.Optional(YesNo),
          /** The working group's decision on goods that another state of our customs union cleared. */
          unionExportRef: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
          /** The contract or invoice behind goods for a natural person; it travels with the record. */
          commercialDocument: Type.Optional(DocumentReference),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type OfficerDecision = Static<typeof OfficerDecision>
type Answers = NonNullable<OfficerDecision['answers']>

/**
 * Decides whether a home declaration may be sent to the partner, in whole, in part, not, or not yet.
 *
 * Why here: intake, an officer's release and the re-run after the channel opens must give one answer.
 * @param home as the national system handed it over, with what home says of exclusions
 * @returns the first outcome in order of precedence; `declaration` is what may travel and nothing of what stays
 * @law STOP-2021/1.2-r1, STOP-2021/1.2-r2, STOP-2021/2.1-r2, STOP-2021/2.1-r3, STOP-2021/2.3-r1, STOP-2021/2.3-r2,
 * STOP-2021/2.5-r1, STOP-2021/6.4
 */
export function decideEligibility(home: HomeDeclaration, context: EligibilityContext): EligibilityDecision {
  return decide(home, context, {})
}

/**
 * Decides a held record anew with the officer's answers. What law prohibits stays prohibited: the rules run again, and
 * an answer only settles what was unknown.
 *
 * @returns the new decision; `held` again when a question is still open
 * @law STOP-2021/2.3-r1, STOP-2021/2.5-r1
 */
export function decideHeldRelease(
  home: HomeDeclaration,
  officer: OfficerDecision,
  context: EligibilityContext,
): EligibilityDecision {
  const before = decide(home, context, {})
  if (before.outcome !== 'held') return before
  if (officer.decision === 'withhold') return { ...withheld('clearance/withheld-by-officer'), clause: before.clause }
  const answers: Answers = { personalUse: 'no', released: 'yes', rail: 'yes', route: 'yes', ...officer.answers }
  return decide(withDocument(home, answers.commercialDocument), context, answers)
}

function withDocument(home: HomeDeclaration, document: DocumentReference | undefined): HomeDeclaration {
  return document === undefined ? home : { ...home, documents: [...(home.documents ?? []), document] }
}

function decide(home: HomeDeclaration, context: EligibilityContext, answers: Answers): EligibilityDecision {
  const outside = groundOutside(home, context, answers)
  if (outside) return { outcome: 'not-concerned', ground: outside, clause: eligibilityGrounds.notConcerned[outside] }
  const leftOut = exemptLines(home, context, answers)
  const [first] = leftOut
  const positions = new Set(leftOut.map(({ index }) => index))
  if (first && leftOut.length === home.items.length) return withheld(strongest(leftOut))
  if (first && !areSeparable(home, positions)) return { ...withheld(strongest(leftOut)), inseparable: true }
  const questions = openQuestions(home, context, answers, positions)
  const [question] = questions
  if (question) return { outcome: 'held', ground: question, clause: eligibilityGrounds.held[question], questions }
  if (!first) return { outcome: 'eligible', declaration: withoutExclusions(home) }
  return { outcome: 'partial', declaration: leaveOutLines(home, positions, context.reference.marks), leftOut }
}

function withheld(ground: WithheldGround): Extract<EligibilityDecision, { outcome: 'withheld' }> {
  return { outcome: 'withheld', ground, clause: eligibilityGrounds.withheld[ground], inseparable: false }
}

const GROUND_ORDER = Object.keys(eligibilityGrounds.withheld)

function strongest(lines: readonly LeftOutLine[]): LineGround {
  const rank = ({ ground }: LeftOutLine) => GROUND_ORDER.indexOf(ground)
  return lines.reduce((best, line) => (rank(line) < rank(best) ? line : best)).ground
}

/** Why the Protocol does not concern the declaration, if it does not. */
function groundOutside(
  home: HomeDeclaration,
  context: EligibilityContext,
  answers: Answers,
): NotConcernedGround | undefined {
  const { declaration, consignment, customsDecision } = home
  if (customsDecision.statusCode === 'not-cleared') return 'clearance/not-cleared'
  if (customsDecision.statusCode === 'withdrawn' || customsDecision.statusCode === 'cancelled')
    return 'clearance/withdrawn'
  if (customsDecision.releaseDateTime === undefined && answers.released === 'no') return 'clearance/not-cleared'
  if (consignment.destinationCountry === context.homeCountry) return 'clearance/not-leaving'
  if (declaration.kind === 'EX' && !isHomeOrUnion(consignment.exportCountry, context)) return 'clearance/not-our-export'
  if (answered(decideNexus(home, context), answers.route) === 'no') return 'clearance/no-nexus'
  const exit = decideRailExit(home, context)
  if (exit === 'not-rail' || (exit === 'unknown' && answers.rail === 'no')) return 'clearance/not-rail'
  return exit === 'other-border' ? 'clearance/other-border' : undefined
}

function isHomeOrUnion(country: string, { homeCountry }: EligibilityContext): boolean {
  return country === homeCountry || shareUnion(country, homeCountry)
}

/** An officer's answer settles only what the record leaves unknown. */
function answered<Known extends string>(
  known: Known | 'unknown',
  answer: 'yes' | 'no' | undefined,
): Known | 'yes' | 'no' | 'unknown' {
  return known === 'unknown' ? (answer ?? 'unknown') : known
}

/** Lines that must not be sent, each with its first ground in order of precedence. */
function exemptLines(home: HomeDeclaration, context: EligibilityContext, answers: Answers): LeftOutLine[] {
  const { marks } = context.reference
  const isPostal = postalSign(home, marks) !== undefined
  const isPersonal = personalUseSign(home, marks) !== undefined && !isPersonWithoutContract(home, marks)
  return home.items.flatMap((item, index) => {
    const says = { ...home.exclusion, ...item.exclusion }
    const grounds: ReadonlyArray<readonly [boolean, LineGround]> = [
      [says.stateSecret === true || secrecySign(item, marks), 'clearance/state-secret'],
      [says.ownLaw === true, 'clearance/own-law'],
      [says.postal === true || isPostal, 'clearance/postal'],
      [
        isPersonal || personalLineSign(home, item, marks) || personalUseOf(home, item, marks, answers) === 'yes',
        'clearance/personal-use',
      ],
    ]
    const ground = grounds.find(([holds]) => holds)?.[1]
    return ground ? [{ index, sequence: item.sequence, ground, clause: eligibilityGrounds.withheld[ground] }] : []
  })
}

/** What home says of a line prevails over what the record leaves in doubt; an officer settles what is unknown. */
function personalUseOf(
  home: HomeDeclaration,
  item: HomeDeclaration['items'][number],
  marks: ExclusionMarks,
  answers: Answers,
): 'yes' | 'no' | 'unknown' {
  const said = item.exclusion?.personalUse ?? home.exclusion?.personalUse
  const line = answers.lines?.find(({ sequence }) => sequence === item.sequence)?.personalUse
  const inDoubt = personalUseDoubt(home, marks) !== undefined || personalLineDoubt(home, item, marks)
  return answered(said ?? (inDoubt ? 'unknown' : 'no'), line ?? answers.personalUse)
}

/** What only an officer can answer about the lines that would be sent. */
function openQuestions(
  home: HomeDeclaration,
  context: EligibilityContext,
  answers: Answers,
  leftOut: ReadonlySet<number>,
): HeldGround[] {
  const { customsDecision, consignment, declaration } = home
  const { marks } = context.reference
  const isUnionExport = declaration.kind === 'EX' && consignment.exportCountry !== context.homeCountry
  const isUnknown = home.items.some(
    (item, index) => !leftOut.has(index) && personalUseOf(home, item, marks, answers) === 'unknown',
  )
  const latest = Date.parse(context.now) + aheadSecondsAllowed * 1000
  const questions: ReadonlyArray<readonly [boolean, HeldGround]> = [
    [customsDecision.releaseDateTime === undefined && answers.released === undefined, 'clearance/release-unknown'],
    [Date.parse(customsDecision.releaseDateTime ?? '') > latest, 'clearance/release-not-reached'],
    [
      isUnionExport && context.unionExports !== 'send' && answers.unionExportRef === undefined,
      'clearance/union-export-pending',
    ],
    [answered(decideNexus(home, context), answers.route) === 'unknown', 'clearance/route-unknown'],
    [decideRailExit(home, context) === 'unknown' && answers.rail === undefined, 'clearance/rail-unknown'],
    [isUnknown, 'clearance/personal-use-unknown'],
    [isPersonWithoutContract(home, marks), 'clearance/commercial-document-missing'],
  ]
  return questions.flatMap(([open, ground]) => (open ? [ground] : []))
}
