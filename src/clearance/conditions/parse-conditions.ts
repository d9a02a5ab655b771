/**
 * Reads a Technical Conditions package from the texts of its files.
 *
 * Every figure that two administrations agreed on comes from here and from nowhere else, and every approval names the
 * digest that is computed here. A package that is not what its index, or its frozen record, says is not read at all.
 */
import { Compile } from 'typebox/compile'
import { type AdministrationId, accept, type Decision, type JsonValue, readJson, refuse } from '../../kernel/index.ts'
import { digestOf } from '../../law/index.ts'
import { type RuleProfile, readRuleProfile } from '../rule-profile.ts'
import { type DataItems, prepareDataItems } from './apply-data-items.ts'
import { publishedSchemas } from './body-schemas.ts'
import { listElements } from './list-elements.ts'
import {
  AnnexesIndexFile,
  type Checkpoint,
  CheckpointsFile,
  CodeListAnnex,
  ConditionsFile,
  type DataItem,
  DataItemsFile,
  FrozenFile,
  LockFile,
  MessagesFile,
  type MessageTerms,
  type MessageType,
  MethodFile,
  PackageIndexFile,
  RegulationFile,
  RequirementsFile,
  RulesFile,
  type RuleTerms,
} from './package-files.ts'

/** The regulation without its sources: what the node acts by. */
export type Regulation = { readonly [Name in keyof RegulationFile]: RegulationFile[Name]['value'] }

export interface ConditionsAnnex {
  readonly name: string
  readonly edition: number
  readonly digest: string
  readonly approvedBy: 'heads' | 'working-group'
}

/** One version of the Technical Conditions, as agreed and as the node acts by it. */
export interface Conditions {
  readonly agreement: string
  readonly version: string
  readonly status: 'draft' | 'frozen'
  /** What the two heads approve: SHA-256, base64url. */
  readonly bodyDigest: string
  readonly annexes: readonly ConditionsAnnex[]
  readonly sides: readonly AdministrationId[]
  /** Subjects that the body covers: messages, dataItems, regulation, method, requirements, protection and others. */
  readonly sections: readonly string[]
  readonly messages: ReadonlyMap<MessageType, MessageTerms>
  /** The published checks as the checks take them. */
  readonly rules: RuleProfile
  readonly publishedRules: readonly RuleTerms[]
  readonly regulation: Regulation
  readonly method: MethodFile
  readonly requirements: RequirementsFile
  readonly dataItems: DataItems
  readonly checkpoints: readonly Checkpoint[]
  readonly codeLists: ReadonlyMap<string, CodeListAnnex>
  /** False until a layout of the data on the lock is approved: the lock channel does not exist before. */
  readonly lockEnabled: boolean
}

/** In order of precedence: the first that applies is returned. */
export type ConditionsRefusal =
  | {
      readonly code: 'clearance/conditions-unreadable'
      readonly file: string
      readonly reason: 'missing' | 'json' | 'form' | 'switch'
      readonly pointer?: string
    }
  | { readonly code: 'clearance/conditions-altered'; readonly file: string }

class Stop extends Error {
  readonly refusal: ConditionsRefusal
  constructor(refusal: ConditionsRefusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

const limits = { lengthMax: 16 * 2 ** 20, depthMax: 40, otherNumbers: 'refuse' } as const

class Package {
  private readonly texts: ReadonlyMap<string, string>
  private readonly contents = new Map<string, JsonValue>()

  constructor(texts: ReadonlyMap<string, string>) {
    this.texts = texts
  }

  has(file: string): boolean {
    return this.texts.has(file)
  }

  /** Files of a folder, named from that folder. */
  under(folder: string): string[] {
    return [...this.texts.keys()].filter((file) => file.startsWith(folder)).map((file) => file.slice(folder.length))
  }

  json(file: string): JsonValue {
    const known = this.contents.get(file)
    if (known !== undefined) return known
    const text = this.texts.get(file)
    if (text === undefined) throw new Stop({ code: 'clearance/conditions-unreadable', file, reason: 'missing' })
    const read = readJson(text, limits)
    if (!read.ok) throw new Stop({ code: 'clearance/conditions-unreadable', file, reason: 'json' })
    this.contents.set(file, read.value)
    return read.value
  }

  file<Value>(file: string, form: Form<Value>): Value {
    const content: unknown = this.json(file)
    if (form.Check(content)) return content
    const [error] = form.Errors(content)
    const pointer = error?.instancePath ?? ''
    throw new Stop({ code: 'clearance/conditions-unreadable', file, reason: 'form', pointer })
  }

  /**
   * The digest of a set of files: SHA-256 over the canonical JSON of one object whose members are the file names and
   * whose values are what the files hold. Line ends and indentation do not count; every word and figure does.
   */
  digest(folder: string, files: readonly string[]): string {
    return digestOf(Object.fromEntries(files.map((file) => [file, this.json(folder + file)])))
  }
}

interface Form<Value> {
  Check(value: unknown): value is Value
  Errors(value: unknown): ReadonlyArray<{ readonly instancePath: string }>
}

const forms = {
  index: Compile(PackageIndexFile),
  annexes: Compile(AnnexesIndexFile),
  frozen: Compile(FrozenFile),
  conditions: Compile(ConditionsFile),
  messages: Compile(MessagesFile),
  rules: Compile(RulesFile),
  regulation: Compile(RegulationFile),
  method: Compile(MethodFile),
  requirements: Compile(RequirementsFile),
  lock: Compile(LockFile),
  dataItems: Compile(DataItemsFile),
  checkpoints: Compile(CheckpointsFile),
  codeList: Compile(CodeListAnnex),
}

/**
 * Decides whether a package is whole, and gives what it says.
 *
 * @param texts the JSON files of the package by their path from its folder: `index.json`, `body/…`, `annexes/…`,
 *   and `frozen.json` once the version is frozen
 * @law STOP-2021/1.4-r1, STOP-2021/1.4-r2, STOP-2021/1.4-r3, STOP-2021/1.4-r4, STOP-2021/1.4-r5, STOP-2021/1.4-r6
 */
export function parseConditions(texts: ReadonlyMap<string, string>): Decision<Conditions, ConditionsRefusal> {
  try {
    return accept(readPackage(new Package(texts)))
  } catch (error) {
    if (error instanceof Stop) return refuse(error.refusal)
    throw error
  }
}

function readPackage(files: Package): Conditions {
  const index = files.file('index.json', forms.index)
  const { annexes } = files.file('annexes/index.json', forms.annexes)
  checkDigests(files, index, annexes)
  const { agreement, version, sides, content, approval } = files.file('body/conditions.json', forms.conditions)
  if (version !== index.version || agreement !== index.agreement) altered('body/conditions.json')
  const { messages } = files.file('body/messages.json', forms.messages)
  const { rules } = files.file('body/rules.json', forms.rules)
  const { items } = files.file('annexes/data-items.json', forms.dataItems)
  checkSwitches(items)
  const codeLists = files
    .under('annexes/code-lists/')
    .map((file) => files.file(`annexes/code-lists/${file}`, forms.codeList))
  return {
    agreement,
    version,
    status: index.status,
    bodyDigest: index.bodyDigest,
    annexes: annexes.map(({ name, edition, digest }) => ({ name, edition, digest, approvedBy: approval.annexes })),
    sides: sides.map(({ administration }) => administration),
    sections: content.map(({ subject }) => subject),
    messages: new Map(messages.map((terms) => [terms.type, terms])),
    rules: readRuleProfile(rules),
    publishedRules: rules,
    regulation: withoutSources(files.file('body/regulation.json', forms.regulation)),
    method: files.file('body/method.json', forms.method),
    requirements: files.file('body/requirements.json', forms.requirements),
    dataItems: prepareDataItems(items, messages),
    checkpoints: files.file('annexes/checkpoints.json', forms.checkpoints).checkpoints,
    codeLists: new Map(codeLists.map((list) => [list.list, list])),
    lockEnabled: files.file('body/lock.json', forms.lock).enabled,
  }
}

function altered(file: string): never {
  throw new Stop({ code: 'clearance/conditions-altered', file })
}

/** The files are the ones in the index, the index is the one that was frozen, and nothing stands beside them. */
function checkDigests(files: Package, index: PackageIndexFile, annexes: AnnexesIndexFile['annexes']): void {
  const body = files.under('body/')
  if (files.digest('body/', body) !== index.bodyDigest) altered(firstChanged(files, 'body/', body, index.body))
  const listed = new Set(annexes.flatMap((annex) => annex.files.map(({ file }) => file)))
  const stranger = files.under('annexes/').find((file) => file !== 'index.json' && !listed.has(file))
  if (stranger) altered(`annexes/${stranger}`)
  for (const annex of annexes) {
    const names = annex.files.map(({ file }) => file)
    if (files.digest('annexes/', names) !== annex.digest) altered(firstChanged(files, 'annexes/', names, annex.files))
    const same = index.annexes.some(({ name, digest }) => name === annex.name && digest === annex.digest)
    if (!same) altered('annexes/index.json')
  }
  if (index.annexes.length !== annexes.length) altered('annexes/index.json')
  if ((index.status === 'frozen') !== files.has('frozen.json')) altered('frozen.json')
  if (index.status === 'frozen') checkFrozen(files.file('frozen.json', forms.frozen), index)
}

/** A frozen edition never gets another digest. A later edition of an annex may stand in its place. */
function checkFrozen(frozen: FrozenFile, index: PackageIndexFile): void {
  if (frozen.version !== index.version || frozen.bodyDigest !== index.bodyDigest) altered('body/')
  for (const { name, edition, digest } of frozen.annexes) {
    const now = index.annexes.find((annex) => annex.name === name)
    if (!now || now.edition < edition || (now.edition === edition && now.digest !== digest)) altered(`annexes/${name}`)
  }
}

function firstChanged(
  files: Package,
  folder: string,
  names: readonly string[],
  listed: ReadonlyArray<{ readonly file: string; readonly digest: string }>,
): string {
  const digests = new Map(listed.map(({ file, digest }) => [file, digest]))
  const changed = names.find((name) => digests.get(name) !== files.digest(folder, [name]))
  return folder + (changed ?? '')
}

/** Only what a body can do without is switched off, and one group has one state. */
function checkSwitches(items: readonly DataItem[]): void {
  const stop = (item: DataItem): never => {
    throw new Stop({
      code: 'clearance/conditions-unreadable',
      file: 'annexes/data-items.json',
      reason: 'switch',
      pointer: item.path,
    })
  }
  const separable = new Set(
    Object.entries(publishedSchemas).flatMap(([schema, body]) =>
      listElements(body)
        .filter((element) => element.separable)
        .map(({ path }) => schema + path),
    ),
  )
  const groups = new Map<string, boolean>()
  for (const item of items) {
    if (!item.on && !separable.has(item.schema + item.path)) stop(item)
    if (item.group === null) continue
    if ((groups.get(item.group) ?? item.on) !== item.on) stop(item)
    groups.set(item.group, item.on)
  }
}

function withoutSources(file: RegulationFile): Regulation {
  return Object.fromEntries(Object.entries(file).map(([name, { value }]) => [name, value])) as unknown as Regulation
}
