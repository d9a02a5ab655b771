import { Compile } from 'typebox/compile'
import {
  type ClauseRef,
  compareDates,
  Fault,
  isPlainDate,
  type JsonValue,
  type PlainDate,
  pointer,
  readJson,
} from '../kernel/index.ts'
import { Law } from './law.ts'
import {
  ArticleFile,
  type Clause,
  type ClauseVersion,
  Instrument,
  type OpenQuestion,
  OpenQuestions,
} from './treaty-files.ts'

/** One file of the treaties folder: its path inside it, with `/`, and its text. */
export interface TreatyFile {
  readonly path: string
  readonly text: string
}

const INSTRUMENT_FILE = 'instrument.json'
const QUESTIONS_FILE = 'open-questions.json'
const limits = { lengthMax: 1_000_000, depthMax: 12, otherNumbers: 'refuse' } as const

const checkInstrument = Compile(Instrument)
const checkArticle = Compile(ArticleFile)
const checkQuestions = Compile(OpenQuestions)

interface Check<Content> {
  Check(value: unknown): value is Content
  Errors(value: unknown): ReadonlyArray<{ instancePath: string; message: string }>
}

/**
 * Reads the whole law from its files, or stops.
 *
 * Why: a node that has misread a treaty must not run. Everything that one file says about another is checked here, so
 * that no rule meets a clause or a value that is not there.
 * @throws Fault `law/treaty-unreadable` with `path` and `pointer` of the first defect
 */
export function parseTreaties(files: Iterable<TreatyFile>): Law {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  const questions = parseQuestions(sorted)
  const numbers = new Set(questions.map(({ number }) => number))
  const instruments: Array<{ path: string; instrument: Instrument }> = []
  const clauses = new Map<ClauseRef, Clause>()
  for (const { path, text } of sorted.filter((file) => file.path.endsWith(`/${INSTRUMENT_FILE}`)))
    instruments.push({ path, instrument: readFile(path, text, checkInstrument) })
  if (instruments.length === 0) throw unreadable('', '', 'there is no instrument')
  checkIds(instruments)

  for (const { path, instrument } of instruments) {
    const folder = path.slice(0, -INSTRUMENT_FILE.length)
    for (const file of sorted.filter((other) => other.path.startsWith(folder) && other.path !== path)) {
      const article = readFile(file.path, file.text, checkArticle)
      article.clauses.forEach((clause, index) => {
        const at = pointer('clauses', index)
        if (!clause.id.startsWith(`${instrument.id}/`))
          throw unreadable(file.path, `${at}/id`, 'is of another instrument')
        if (clauses.has(clause.id)) throw unreadable(file.path, `${at}/id`, 'stands in the register already')
        checkVersions(file.path, at, clause.versions ?? [], numbers)
        clauses.set(clause.id, clause)
      })
    }
  }
  const folders = new Set(instruments.map(({ path }) => path.slice(0, path.indexOf('/'))))
  for (const { path } of sorted)
    if (path !== QUESTIONS_FILE && !folders.has(path.slice(0, path.indexOf('/'))))
      throw unreadable(path, '', `stands beside no ${INSTRUMENT_FILE}`)
  for (const { path, instrument } of instruments) checkInstrumentRefs(path, instrument, clauses, instruments, numbers)
  return new Law(
    instruments.map(({ instrument }) => instrument),
    [...clauses.values()],
    questions,
  )
}

function parseQuestions(files: readonly TreatyFile[]): OpenQuestion[] {
  const file = files.find(({ path }) => path === QUESTIONS_FILE)
  if (!file) return []
  const { questions } = readFile(file.path, file.text, checkQuestions)
  questions.forEach(({ number }, index) => {
    if (questions.findIndex((other) => other.number === number) !== index)
      throw unreadable(file.path, pointer('questions', index, 'number'), 'is asked already')
  })
  return questions
}

function readFile<Content>(path: string, text: string, schema: Check<Content>): Content {
  const read = readJson(text, limits)
  if (!read.ok) throw unreadable(path, '', `is not plain JSON: ${read.refusal.code} at ${read.refusal.at}`)
  const value: JsonValue = read.value
  if (schema.Check(value)) return value
  const error = deepest(schema.Errors(value))
  throw unreadable(path, error?.instancePath ?? '', error?.message ?? 'does not fit')
}

/** A union reports each branch; the error furthest down is the one that helps. */
function deepest<E extends { instancePath: string }>(errors: readonly E[]): E | undefined {
  const depth = ({ instancePath }: E) => instancePath.split('/').length
  return errors.reduce<E | undefined>((best, error) => (best && depth(best) >= depth(error) ? best : error), undefined)
}

function checkIds(instruments: ReadonlyArray<{ path: string; instrument: Instrument }>): void {
  const taken = new Set<string>()
  for (const { path, instrument } of instruments) {
    const ids = [instrument.id, ...(instrument.formerIds ?? [])]
    ids.forEach((id, index) => {
      const at = index === 0 ? '/id' : pointer('formerIds', index - 1)
      if (taken.has(id)) throw unreadable(path, at, 'is the id of two instruments')
      taken.add(id)
    })
  }
}

function checkVersions(path: string, at: string, versions: readonly ClauseVersion[], questions: Set<number>): void {
  versions.forEach(({ from, until, values, defaults = {} }, index) => {
    const here = `${at}${pointer('versions', index)}`
    checkDate(path, `${here}/from`, from)
    if (until !== undefined) checkDate(path, `${here}/until`, until)
    if (until !== undefined && compareDates(until, from) < 0) throw unreadable(path, `${here}/until`, 'is before from')
    const before = versions[index - 1]
    if (before && (before.until === undefined || compareDates(from, before.until) <= 0))
      throw unreadable(path, `${here}/from`, 'overlaps the version before it')
    for (const [name, { question }] of Object.entries(defaults)) {
      const place = `${here}${pointer('defaults', name)}`
      if (Object.hasOwn(values, name)) throw unreadable(path, place, 'is a value of the treaty too')
      if (!questions.has(question)) throw unreadable(path, `${place}/question`, 'is no open question')
    }
  })
}

function checkInstrumentRefs(
  path: string,
  instrument: Instrument,
  clauses: ReadonlyMap<ClauseRef, Clause>,
  instruments: ReadonlyArray<{ instrument: Instrument }>,
  questions: Set<number>,
): void {
  const { entry, term, parent, surviving, exchange, signed } = instrument
  const clause = (at: string, ref: ClauseRef) => {
    const found = clauses.get(ref)
    if (!found) throw unreadable(path, at, 'names no clause')
    return found
  }
  const number = (at: string, ref: ClauseRef, name: string) => {
    const held = clause(at, ref).versions?.every(({ values }) => typeof values[name] === 'number')
    if (!held) throw unreadable(path, at, `names a clause without the number ${name} in each version`)
  }
  if (signed.on !== null) checkDate(path, '/signed/on', signed.on)
  for (const [index, { on }] of signed.variants.entries())
    checkDate(path, pointer('signed', 'variants', index, 'on'), on)
  if (entry.inForceOn !== null) checkDate(path, '/entry/inForceOn', entry.inForceOn)
  clause('/entry/clause', entry.clause)
  if (term.model === 'renewing') {
    number('/term/term', term.term, 'termYears')
    number('/term/renewal', term.renewal, 'renewalYears')
    term.readings.forEach(({ id }, index) => {
      if (term.readings.findIndex((other) => other.id === id) !== index)
        throw unreadable(path, pointer('term', 'readings', index, 'id'), 'names two readings')
    })
  }
  if (term.model !== 'perpetual') {
    number('/term/notice', term.notice, 'noticeMonths')
    clause('/term/noticeForm', term.noticeForm)
  }
  if (parent) {
    clause('/parent/clause', parent.clause)
    if (!instruments.some((other) => other.instrument.id === parent.instrument))
      throw unreadable(path, '/parent/instrument', 'names no instrument')
  }
  for (const [index, ref] of surviving?.clauses.entries() ?? []) clause(pointer('surviving', 'clauses', index), ref)
  if (surviving && !questions.has(surviving.question))
    throw unreadable(path, '/surviving/question', 'is no open question')
  if (!exchange) return
  const { sections, ...gate } = exchange
  for (const [name, ref] of Object.entries(gate)) clause(pointer('exchange', name), ref)
  for (const [name, ref] of Object.entries(sections)) clause(pointer('exchange', 'sections', name), ref)
}

function checkDate(path: string, at: string, date: PlainDate): void {
  if (!isPlainDate(date)) throw unreadable(path, at, 'is no calendar date')
}

function unreadable(path: string, at: string, why: string): Fault {
  const place = `treaties/${path}${at && ` ${at}`}`
  return new Fault('law/treaty-unreadable', `${place} ${why}`, { facts: { path, pointer: at } })
}
