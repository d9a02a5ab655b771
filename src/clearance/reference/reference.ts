/**
 * Turns the published code lists into the sets that the checks ask.
 *
 * Why: the lists are annexes of the Technical Conditions, so both ends judge by the same ones; the checks take them as
 * an argument and never read a file.
 */
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Fault, type PlainDate } from '../../kernel/index.ts'

const closed = { additionalProperties: false } as const
const headMembers = {
  list: Type.String({ pattern: '^[a-z0-9-]+$' }),
  title: Type.String(),
  edition: Type.String(),
  asOf: Type.String({ format: 'date' }),
  source: Type.String(),
  licence: Type.String(),
}

/** A published list of codes: what it is, of which edition and date, from where, under which licence. */
export const CodeListFile = Type.Object({ ...headMembers, codes: Type.Array(Type.String()) }, closed)
export type CodeListFile = Static<typeof CodeListFile>

/** One rail crossing with the codes it is met under on both sides; `from` and `until` are its first and last day. */
export const RailCrossing = Type.Object(
  {
    id: Type.String(),
    between: Type.Array(Type.String({ pattern: '^[A-Z]{2}$' }), { minItems: 2, maxItems: 2 }),
    esr: Type.Array(Type.String({ pattern: '^\\d{6}$' })),
    unLocodes: Type.Array(Type.String({ pattern: '^[A-Z]{2}[A-Z2-9]{3}$' })),
    offices: Type.Array(Type.String()),
    names: Type.Array(Type.String()),
    from: Type.Optional(Type.String({ format: 'date' })),
    until: Type.Optional(Type.String({ format: 'date' })),
  },
  closed,
)
export type RailCrossing = Static<typeof RailCrossing>
const RailCrossingsFile = Type.Object({ ...headMembers, entries: Type.Array(RailCrossing) }, closed)

const DangerousGoodsFile = Type.Object(
  {
    ...headMembers,
    entries: Type.Array(
      Type.Object(
        { hs6: Type.String({ pattern: '^\\d{6}$' }), unNumbers: Type.Array(Type.String({ pattern: '^\\d{4}$' })) },
        closed,
      ),
    ),
  },
  closed,
)

const MarkKind = Type.Union([
  Type.Literal('postal-document'),
  Type.Literal('postal-mode'),
  Type.Literal('personal-procedure'),
  Type.Literal('commercial-document'),
  Type.Literal('secrecy-marking'),
])
const ExclusionMarksFile = Type.Object(
  {
    ...headMembers,
    entries: Type.Array(
      Type.Object({ mark: MarkKind, country: Type.Optional(Type.String()), codes: Type.Array(Type.String()) }, closed),
    ),
  },
  closed,
)

/** Marks on a record that say personal use, post or state secret, and documents that say commerce. */
export interface ExclusionMarks {
  readonly postalDocuments: ReadonlySet<string>
  readonly postalModes: ReadonlySet<string>
  /** `CN:9610`: the country whose procedure it is, then the code. */
  readonly personalProcedures: ReadonlySet<string>
  readonly commercialDocuments: ReadonlySet<string>
  readonly secrecyMarkings: ReadonlySet<string>
}

export interface Reference {
  /** Six-digit subheadings of the Harmonized System. */
  readonly hs6: ReadonlySet<string>
  /** Ten-digit codes of the EAEU nomenclature. */
  readonly tnved10: ReadonlySet<string>
  readonly packageTypes: ReadonlySet<string>
  readonly countries: ReadonlySet<string>
  readonly currencies: ReadonlySet<string>
  /** UNCL 1001; national document codes stand beside it, so an unknown one is no defect. */
  readonly documentTypes: ReadonlySet<string>
  /** UNCL 4517. */
  readonly sealConditions: ReadonlySet<string>
  /** UNCL 9303. */
  readonly sealingParties: ReadonlySet<string>
  /** UNCL 9417. */
  readonly controlActions: ReadonlySet<string>
  readonly deliveryTerms: ReadonlySet<string>
  readonly railCrossings: readonly RailCrossing[]
  /** Subheading → UN numbers its goods normally move under. */
  readonly dangerousGoods: ReadonlyMap<string, readonly string[]>
  readonly marks: ExclusionMarks
}

const codeListCheck = Compile(CodeListFile)
const crossingsCheck = Compile(RailCrossingsFile)
const dangerousCheck = Compile(DangerousGoodsFile)
const marksCheck = Compile(ExclusionMarksFile)

/** The lists the checks need; the file of a list is its name with `.json`. */
export const referenceLists = [
  'hs-2022',
  'tn-ved-eaeu',
  'package-types',
  'countries',
  'currencies',
  'document-types',
  'seal-conditions',
  'sealing-parties',
  'control-actions',
  'delivery-terms',
  'rail-crossings',
  'dangerous-goods-expected',
  'exclusion-marks',
] as const
export type ReferenceList = (typeof referenceLists)[number]

/**
 * Loads the reference from the parsed files of a code-list folder.
 *
 * @param files list name → parsed JSON; every list of `referenceLists` must be there
 * @throws Fault `clearance/code-list-unreadable` when a list is absent or does not fit its schema
 */
export function loadReference(files: Readonly<Record<ReferenceList, unknown>>): Reference {
  const codes = (list: ReferenceList): ReadonlySet<string> => new Set(fitting(files, list, codeListCheck).codes)
  const marks = fitting(files, 'exclusion-marks', marksCheck)
  const marked = (kind: Static<typeof MarkKind>): ReadonlySet<string> =>
    new Set(
      marks.entries
        .filter(({ mark }) => mark === kind)
        .flatMap(({ country, codes: listed }) => listed.map((code) => (country ? `${country}:${code}` : code))),
    )
  return {
    hs6: codes('hs-2022'),
    tnved10: codes('tn-ved-eaeu'),
    packageTypes: codes('package-types'),
    countries: codes('countries'),
    currencies: codes('currencies'),
    documentTypes: codes('document-types'),
    sealConditions: codes('seal-conditions'),
    sealingParties: codes('sealing-parties'),
    controlActions: codes('control-actions'),
    deliveryTerms: codes('delivery-terms'),
    railCrossings: fitting(files, 'rail-crossings', crossingsCheck).entries,
    dangerousGoods: new Map(
      fitting(files, 'dangerous-goods-expected', dangerousCheck).entries.map(({ hs6, unNumbers }) => [hs6, unNumbers]),
    ),
    marks: {
      postalDocuments: marked('postal-document'),
      postalModes: marked('postal-mode'),
      personalProcedures: marked('personal-procedure'),
      commercialDocuments: marked('commercial-document'),
      secrecyMarkings: marked('secrecy-marking'),
    },
  }
}

function fitting<File extends { list: string }>(
  files: Readonly<Record<ReferenceList, unknown>>,
  list: ReferenceList,
  schema: { Check(value: unknown): value is File },
): File {
  const file = files[list]
  if (schema.Check(file) && file.list === list) return file
  throw new Fault('clearance/code-list-unreadable', `The code list ${list} does not fit its schema`, {
    facts: { list },
  })
}

/** The crossings that are open on a day. */
export function crossingsOn(reference: Reference, day: PlainDate): readonly RailCrossing[] {
  return reference.railCrossings.filter(
    ({ from, until }) => (from === undefined || from <= day) && (until === undefined || day <= until),
  )
}
