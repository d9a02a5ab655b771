/**
 * Makes what is generated of a Technical Conditions package and finds what is wrong with the rest.
 *
 * Pure: the texts of the files in, the texts that should be there and the problems out. What people write (body files,
 * words, switches, checkpoints, code lists) is never changed here; what follows from it is made anew each time.
 */
import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import {
  AnnexesIndexFile,
  bodySchemaNames,
  CheckpointsFile,
  CodeListAnnex,
  ConditionsFile,
  checkEsrStation,
  DataItemsFile,
  FrozenFile,
  LockFile,
  languages,
  MessagesFile,
  MethodFile,
  messageTypes,
  PackageIndexFile,
  parseConditions,
  publishedSchemas,
  RegulationFile,
  RequirementsFile,
  RulesFile,
  TextsFile,
} from '../../src/clearance/index.ts'
import { type JsonValue, readJson } from '../../src/kernel/index.ts'
import { digestOf } from '../../src/law/index.ts'
import { type ElementWords, makeDataItems } from './write-data-items.ts'
import { writeDocument } from './write-document.ts'

/** Codes of the room that a partner can meet, with their level: what `rules.json` must list, no more and no less. */
export type PublishedCodes = ReadonlyMap<string, 'error' | 'warning'>

export interface PackageFindings {
  /** What should stand in the folder, by path; only generated files. */
  readonly generated: ReadonlyMap<string, string>
  readonly problems: readonly string[]
  readonly digests: ReadonlyArray<readonly [name: string, digest: string]>
  readonly status: 'draft' | 'frozen'
}

const forms = {
  'body/conditions.json': Compile(ConditionsFile),
  'body/messages.json': Compile(MessagesFile),
  'body/rules.json': Compile(RulesFile),
  'body/regulation.json': Compile(RegulationFile),
  'body/method.json': Compile(MethodFile),
  'body/requirements.json': Compile(RequirementsFile),
  'body/lock.json': Compile(LockFile),
  'annexes/checkpoints.json': Compile(CheckpointsFile),
} as const
const textsForm = Compile(TextsFile)
const codeListForm = Compile(CodeListAnnex)
const dataItemsForm = Compile(DataItemsFile)
const annexesForm = Compile(AnnexesIndexFile)
const indexForm = Compile(PackageIndexFile)
const frozenForm = Compile(FrozenFile)

/** JSON as people read it in a diff: two spaces, one line end at the end. */
export const prettyJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
export const sha256Text = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** The published form of a body: the schema that the program itself runs, under a relative id. */
function publishSchema(name: string, schema: TSchema): string {
  const { $id: _, ...members } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
  return prettyJson({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${name}.schema.json`,
    title: name,
    ...members,
  })
}

/** One element a line, so that a changed switch is one changed line. */
function dataItemsText(file: DataItemsFile): string {
  return `{\n  "items": [\n${file.items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]\n}\n`
}

class Findings {
  readonly problems: string[] = []
  private readonly texts: ReadonlyMap<string, string>

  constructor(texts: ReadonlyMap<string, string>) {
    this.texts = texts
  }

  json(file: string): JsonValue | undefined {
    const text = this.texts.get(file)
    if (text === undefined) {
      this.problems.push(`${file} is missing`)
      return undefined
    }
    const read = readJson(text, { lengthMax: 16 * 2 ** 20, depthMax: 40, otherNumbers: 'refuse' })
    if (read.ok) return read.value
    this.problems.push(`${file} is not strict JSON: ${read.refusal.code} at ${read.refusal.at}`)
    return undefined
  }

  file<Value>(
    file: string,
    form: {
      Check(value: unknown): value is Value
      Errors(value: unknown): ReadonlyArray<{ readonly instancePath: string; readonly message: string }>
    },
  ): Value | undefined {
    const content: unknown = this.json(file)
    if (content === undefined) return undefined
    if (form.Check(content)) return content
    const [error] = form.Errors(content)
    this.problems.push(`${file}${error?.instancePath ?? ''} ${error?.message ?? 'does not have its form'}`)
    return undefined
  }
}

/**
 * @param texts every file of the package folder by path
 * @param words the words for data elements
 * @param published the codes that the program can give a partner
 * @param knowsClause whether a treaty register holds a clause
 */
export function makeStopPackage(
  texts: ReadonlyMap<string, string>,
  words: ElementWords,
  published: PublishedCodes,
  knowsClause: (ref: string) => boolean,
): PackageFindings {
  const found = new Findings(texts)
  const generated = new Map<string, string>()
  for (const name of bodySchemaNames)
    generated.set(`body/schemas/${name}.schema.json`, publishSchema(name, publishedSchemas[name]))

  const earlierItems = texts.has('annexes/data-items.json')
    ? found.file('annexes/data-items.json', dataItemsForm)
    : undefined
  const items = makeDataItems(words, earlierItems)
  for (const path of items.undescribed) found.problems.push(`No words describe the element ${path}`)
  for (const key of items.unused) found.problems.push(`The words for ${key} describe no element`)
  generated.set('annexes/data-items.json', dataItemsText(items.file))

  const conditions = found.file('body/conditions.json', forms['body/conditions.json'])
  const messages = found.file('body/messages.json', forms['body/messages.json'])
  const rules = found.file('body/rules.json', forms['body/rules.json'])
  const regulation = found.file('body/regulation.json', forms['body/regulation.json'])
  const method = found.file('body/method.json', forms['body/method.json'])
  const requirements = found.file('body/requirements.json', forms['body/requirements.json'])
  const lock = found.file('body/lock.json', forms['body/lock.json'])
  const checkpoints = found.file('annexes/checkpoints.json', forms['annexes/checkpoints.json'])
  const languageTexts = languages.flatMap((language) => found.file(`body/texts/${language}.json`, textsForm) ?? [])
  const codeLists = [...texts.keys()]
    .filter((file) => file.startsWith('annexes/code-lists/') && file.endsWith('.json'))
    .sort()
    .flatMap((file) => found.file(file, codeListForm) ?? [])
  const earlierAnnexes = texts.has('annexes/index.json') ? found.file('annexes/index.json', annexesForm) : undefined
  const frozen = texts.has('frozen.json') ? found.file('frozen.json', frozenForm) : undefined
  const status = texts.has('frozen.json') ? 'frozen' : 'draft'
  const stopped = (digests: PackageFindings['digests'] = []): PackageFindings => ({
    generated: new Map(),
    problems: found.problems,
    digests,
    status,
  })
  if (
    !(conditions && messages && rules && regulation && method && requirements && lock && checkpoints) ||
    languageTexts.length !== languages.length ||
    found.problems.length > 0
  )
    return stopped()

  const contentOf = (file: string): JsonValue =>
    JSON.parse(generated.get(file) ?? texts.get(file) ?? 'null') as JsonValue
  const digestFiles = (folder: string, files: readonly string[]) => ({
    digest: digestOf(Object.fromEntries(files.map((file) => [file, contentOf(folder + file)]))),
    files: files.map((file) => ({ file, digest: digestOf({ [file]: contentOf(folder + file) }) })),
  })
  const bodyFiles = [...new Set([...texts.keys(), ...generated.keys()])]
    .filter((file) => file.startsWith('body/') && file.endsWith('.json'))
    .map((file) => file.slice('body/'.length))
    .sort()
  const body = digestFiles('body/', bodyFiles)
  const annexFiles = new Map<string, string[]>()
  for (const file of [...new Set([...texts.keys(), 'annexes/data-items.json'])].sort()) {
    const inAnnexes = /^annexes\/(([a-z-]+)(?:\.json|\/.+\.json))$/.exec(file)
    const [, path, name] = inAnnexes ?? []
    if (path && name && path !== 'index.json') annexFiles.set(name, [...(annexFiles.get(name) ?? []), path])
  }
  const annexes = [...annexFiles].map(([name, files]) => ({
    name,
    edition: earlierAnnexes?.annexes.find((annex) => annex.name === name)?.edition ?? 1,
    ...digestFiles('annexes/', files),
  }))
  generated.set('annexes/index.json', prettyJson({ annexes }))

  checkMessages(found, messages.messages)
  checkRules(found, rules.rules, published)
  checkCheckpoints(found, checkpoints)
  checkClauses(found, texts, knowsClause)
  const [first, ...others] = languageTexts
  if (first) for (const other of others) checkSameWords(found, first, other)
  if (first) {
    sameKeys(
      found,
      'texts.rules',
      Object.keys(first.rules),
      rules.rules.map(({ code }) => code),
    )
    sameKeys(found, 'texts.regulation', Object.keys(first.regulation), Object.keys(regulation))
    sameKeys(
      found,
      'texts.requirements',
      Object.keys(first.requirements),
      requirements.requirements.map(({ id }) => id),
    )
    sameKeys(found, 'texts.messages', Object.keys(first.messages), [...messageTypes])
    sameKeys(
      found,
      'texts.subjects',
      Object.keys(first.subjects),
      conditions.content.map(({ subject }) => subject),
    )
  }
  const digests = [
    ['body', body.digest] as const,
    ...annexes.map(({ name, edition, digest }) => [`${name} (edition ${edition})`, digest] as const),
  ]
  checkFrozen(found, frozen, conditions.version, body.digest, annexes)
  if (found.problems.length > 0) return stopped(digests)

  const content = {
    status,
    bodyDigest: body.digest,
    conditions,
    messages: messages.messages,
    rules: rules.rules,
    regulation,
    method,
    requirements,
    lock,
    annexes,
    dataItems: items.file,
    checkpoints,
    codeLists,
  } as const
  const signed = frozen && isAsFrozen(frozen, annexes) ? frozen.documents : []
  const documents = languageTexts.map((language) => {
    const file = `documents/conditions.${language.language}.md`
    const kept = signed.find((document) => document.file === file)
    // What the heads signed is kept as they signed it, whatever would be made today.
    const text = kept ? (texts.get(file) ?? '') : writeDocument(content, language)
    if (kept && kept.digest !== sha256Text(text)) found.problems.push(`${file} is frozen and has changed`)
    generated.set(file, text)
    return { file, digest: sha256Text(text) }
  })
  const index: PackageIndexFile = {
    agreement: conditions.agreement,
    version: conditions.version,
    status,
    bodyDigest: body.digest,
    body: body.files,
    annexes: annexes.map(({ name, edition, digest }) => ({ name, edition, digest })),
    documents,
  }
  if (!indexForm.Check(index)) found.problems.push('index.json as made does not have its form')
  generated.set('index.json', prettyJson(index))
  const parsed = parseConditions(new Map([...texts, ...generated]))
  if (!parsed.ok) found.problems.push(`A node would refuse the package: ${JSON.stringify(parsed.refusal)}`)
  return { generated, problems: found.problems, digests, status }
}

interface AnnexEdition {
  readonly name: string
  readonly edition: number
  readonly digest: string
}

function isAsFrozen(frozen: FrozenFile, annexes: readonly AnnexEdition[]): boolean {
  return frozen.annexes.every(({ name, edition }) =>
    annexes.some((annex) => annex.name === name && annex.edition === edition),
  )
}

/** What a frozen version names never gets another digest; a later edition of an annex may stand in its place. */
function checkFrozen(
  found: Findings,
  frozen: FrozenFile | undefined,
  version: string,
  bodyDigest: string,
  annexes: readonly AnnexEdition[],
): void {
  if (!frozen) return
  if (frozen.version !== version) found.problems.push(`frozen.json is of version ${frozen.version}, not ${version}`)
  if (frozen.bodyDigest !== bodyDigest)
    found.problems.push(`The body of version ${version} is frozen and has changed: a change is a new version`)
  for (const { name, edition, digest } of frozen.annexes) {
    const now = annexes.find((annex) => annex.name === name)
    if (!now || now.edition < edition) found.problems.push(`The frozen annex ${name} edition ${edition} is gone`)
    else if (now.edition === edition && now.digest !== digest)
      found.problems.push(`The annex ${name} edition ${edition} is frozen and has changed: raise its edition`)
  }
}

function checkMessages(found: Findings, messages: MessagesFile['messages']): void {
  sameKeys(
    found,
    'body/messages.json',
    messages.map(({ type }) => type),
    [...messageTypes],
  )
}

function checkRules(found: Findings, rules: RulesFile['rules'], published: PublishedCodes): void {
  sameKeys(
    found,
    'body/rules.json',
    rules.map(({ code }) => code),
    [...published.keys()],
  )
  for (const { code, level } of rules) {
    const meant = published.get(code)
    if (meant && meant !== level) found.problems.push(`body/rules.json gives ${code} as ${level}; it is ${meant}`)
  }
}

function checkCheckpoints(found: Findings, { checkpoints }: CheckpointsFile): void {
  for (const { id, places } of checkpoints)
    for (const { esr } of places)
      if (esr !== null && checkEsrStation(esr) !== 'ok')
        found.problems.push(`annexes/checkpoints.json ${id}: the station code ${esr} fails its check digit`)
}

/** Every clause that the package rests on stands in a treaty register. */
function checkClauses(
  found: Findings,
  texts: ReadonlyMap<string, string>,
  knowsClause: (ref: string) => boolean,
): void {
  for (const [file, text] of texts)
    if (file.startsWith('body/'))
      for (const [ref] of text.matchAll(/(?:STOP-2021|CN-KZ-1997)\/[A-Za-z0-9.-]+/g))
        if (!knowsClause(ref)) found.problems.push(`${file} names ${ref}, which no register holds`)
}

/** The four languages have the same words and the same number of paragraphs. */
function checkSameWords(found: Findings, first: TextsFile, other: TextsFile): void {
  const keysOf = (value: unknown, path: string): string[] =>
    Array.isArray(value)
      ? [`${path}[${value.length}]`]
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, member]) => keysOf(member, `${path}.${name}`))
        : [path]
  sameKeys(found, `body/texts/${other.language}.json`, keysOf(other, 'texts'), keysOf(first, 'texts'))
}

function sameKeys(found: Findings, where: string, are: readonly string[], shouldBe: readonly string[]): void {
  for (const key of shouldBe) if (!are.includes(key)) found.problems.push(`${where} lacks ${key}`)
  for (const key of are) if (!shouldBe.includes(key)) found.problems.push(`${where} has ${key}, which is not known`)
  if (new Set(are).size !== are.length) found.problems.push(`${where} names one thing twice`)
}

/**
 * What freezes a draft from a day on: the record of the digests of its body, its annexes and its documents, and the
 * documents, which from now on say that the version is frozen.
 */
export function freezeStopPackage(
  texts: ReadonlyMap<string, string>,
  on: string,
  make: (texts: ReadonlyMap<string, string>) => PackageFindings,
): ReadonlyMap<string, string> {
  const indexOf = (made: PackageFindings) => JSON.parse(made.generated.get('index.json') ?? '') as PackageIndexFile
  const { version, bodyDigest, annexes } = indexOf(make(texts))
  const unsigned: FrozenFile = { version, frozenOn: on, bodyDigest, annexes, documents: [] }
  const made = make(new Map([...texts, ['frozen.json', prettyJson(unsigned)]]))
  return new Map([...made.generated, ['frozen.json', prettyJson({ ...unsigned, documents: indexOf(made).documents })]])
}
