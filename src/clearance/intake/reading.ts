import type { DecimalText, Instant, PlainDate, Problem } from '../../kernel/index.ts'
import { parseLocalDateTime } from '../../kernel/index.ts'
import type { Amount, GoodsItem, NamedText, Party } from '../model.ts'
import type { IntakeCode } from './codes.ts'
import type { IntakeLimits } from './limits.ts'
import type { SourceNode } from './source-tree.ts'
import {
  dateFormatCodes,
  holdsControl,
  holdsInvisible,
  isTimeShaped,
  presentOrNone,
  readDecimal,
  readMass,
  readTime,
  saysToOrder,
  unitNumber,
  type WrittenTime,
} from './values.ts'

/** What a mapping must know of home. */
export interface HomeContext {
  /** ISO 3166-1 alpha-2 code of the country the records come from. */
  readonly homeCountry: string
  /** IANA zone in which date-times without an offset are read. */
  readonly homeZone: string
  /** Version of a declaration whose format has none. */
  readonly declarationVersion?: number | undefined
}

/** How many documents the model holds. */
export const DOCUMENTS_MAX = 999
export const PREVIOUS_MAX = 99

export type Facts = Record<string, string | number | boolean>
type Read<Value> = (node: SourceNode) => Value | undefined
type Packaging = NonNullable<GoodsItem['packages']>[number]

/** A pointer through names that somebody made up to be long points nowhere. */
const POINTER_LENGTH_MAX = 1000

/** A list of findings that stops growing at a limit and then only counts. */
export class Findings {
  private readonly max: number
  private readonly list: Problem[] = []
  private more = 0

  constructor(max: number) {
    this.max = max
  }

  add(code: IntakeCode, pointer: string | (() => string), facts?: Facts): void {
    if (this.list.length >= this.max) {
      this.more += 1
      return
    }
    const place = typeof pointer === 'string' ? pointer : pointer()
    const at = place.length > POINTER_LENGTH_MAX ? '' : place
    this.list.push(facts === undefined ? { code, pointer: at } : { code, pointer: at, facts })
  }

  get some(): boolean {
    return this.list.length > 0
  }

  /** Those within the limit. */
  get listed(): readonly Problem[] {
    return this.list
  }

  /** Those within the limit, and how many more there are. */
  all(): readonly Problem[] {
    if (this.more === 0) return this.list
    return [
      ...this.list,
      { code: 'intake/more-problems' satisfies IntakeCode, pointer: '', facts: { count: this.more } },
    ]
  }
}

/**
 * Reads the elements of one foreign record and gathers everything that is wrong with it, so that whoever must repair
 * the record sees all of it at once.
 *
 * The rule of all mappings stands here: an element that is there and malformed refuses the record; an empty one counts
 * as absent; a single element that stands twice refuses it, because nobody can say which of the two was meant. What is
 * read differently than it stood, or left out, becomes a note.
 */
export class Reading {
  readonly problems: Findings
  readonly notes: Findings
  readonly home: HomeContext
  readonly limits: IntakeLimits

  constructor(home: HomeContext, limits: IntakeLimits) {
    this.home = home
    this.limits = limits
    this.problems = new Findings(limits.problemsMax)
    this.notes = new Findings(limits.problemsMax)
  }

  refuse(code: IntakeCode, node: SourceNode, facts: Facts = {}): undefined {
    this.problems.add(code, () => node.pointer, { ...placeOf(node), ...facts })
    return undefined
  }

  note(code: IntakeCode, node: SourceNode, facts: Facts = {}): undefined {
    this.notes.add(code, () => node.pointer, { ...placeOf(node), ...facts })
    return undefined
  }

  /** The element at the end of a path of names that may each stand once. */
  one(parent: SourceNode | undefined, ...path: string[]): SourceNode | undefined {
    let node = parent
    for (const name of path) {
      const found = node?.named(name)
      const [first, second] = found ?? []
      if (second !== undefined && !second.carried) {
        for (const each of found ?? []) each.carried = true
        this.refuse('intake/element-repeated', second, { element: name })
      }
      node = first
    }
    if (node !== undefined) node.carried = true
    return node
  }

  /** All elements at the end of a path whose earlier names may each stand once. */
  many(parent: SourceNode | undefined, ...path: string[]): readonly SourceNode[] {
    const name = path.at(-1) ?? ''
    const holder = path.length > 1 ? this.one(parent, ...path.slice(0, -1)) : parent
    const nodes = holder?.named(name) ?? []
    for (const node of nodes) node.carried = true
    return nodes
  }

  /** Like `many`, in the order of their sequence numbers where all of them have one. */
  inSequence(nodes: readonly SourceNode[], sequenceName: string): readonly SourceNode[] {
    const numbered = nodes.map((node) => {
      const text = this.one(node, sequenceName)?.text
      return { node, at: text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined }
    })
    if (numbered.some(({ at }) => at === undefined)) return nodes
    return numbered.sort((a, b) => (a.at ?? 0) - (b.at ?? 0)).map(({ node }) => node)
  }

  /** Reads an element that may be absent. */
  may<Value>(node: SourceNode | undefined, read: Read<Value>): Value | undefined {
    return node === undefined || (node.text === undefined && node.children.length === 0) ? undefined : read(node)
  }

  /** Reads an element without which the record cannot be identified. */
  must<Value>(parent: SourceNode, path: readonly string[], read: Read<Value>): Value | undefined {
    const node = this.one(parent, ...path)
    if (node !== undefined && (node.text !== undefined || node.children.length > 0)) return read(node)
    return this.missing(parent, path)
  }

  missing(parent: SourceNode, path: readonly string[]): undefined {
    const element = path.join('/')
    this.problems.add('intake/element-missing', () => `${parent.pointer}/${element}`, { ...placeOf(parent), element })
    return undefined
  }

  /** The text of a leaf; a group where a value belongs refuses. */
  private said(node: SourceNode): string | undefined {
    if (node.text === undefined && node.children.length > 0)
      return this.refuse('intake/type-wrong', node, { expected: 'value' })
    return node.text
  }

  identifier(max: number): Read<string> {
    return (node) => {
      const text = this.said(node)?.replace(/\s+/gu, ' ')
      if (text === undefined) return undefined
      if (holdsControl(text)) return this.refuse('intake/control-character', node)
      if (holdsInvisible(text)) return this.refuse('intake/invisible-character', node)
      if (text.length > max) return this.refuse('intake/too-long', node, { lengthMax: max, length: text.length })
      return text
    }
  }

  /** A container or wagon number in the spelling that is compared. */
  readonly unit: Read<string> = (node) => {
    const text = this.identifier(35)(node)
    if (text === undefined) return undefined
    const number = unitNumber(text)
    if (number.length > 17) return this.refuse('intake/too-long', node, { lengthMax: 17, length: number.length })
    return number
  }

  /** A sentence or a name, with its language when the source says it. */
  named(max = 512): Read<NamedText> {
    return (node) => {
      const text = this.said(node)?.replace(/\s+/gu, ' ')
      if (text === undefined) return undefined
      if (holdsControl(text)) return this.refuse('intake/control-character', node)
      if (text.length > max) return this.refuse('intake/too-long', node, { lengthMax: max, length: text.length })
      return { text, language: languageOf(node) }
    }
  }

  matching(pattern: RegExp, expected: string): Read<string> {
    return (node) => {
      const text = this.said(node)
      if (text === undefined) return undefined
      return pattern.test(text) ? text : this.refuse('intake/format-wrong', node, { expected })
    }
  }

  integer(min: number, max: number): Read<number> {
    return (node) => {
      const text = this.said(node)
      if (text === undefined) return undefined
      const value = readDecimal(text)
      if (value === undefined || !/^\d{1,15}$/.test(value))
        return this.wrongDecimal(node, text, `n..${String(max).length}`)
      if (Number(value) < min || Number(value) > max) return this.refuse('intake/out-of-range', node, { min, max })
      return Number(value)
    }
  }

  readonly decimal: Read<DecimalText> = (node) => {
    const text = this.said(node)
    if (text === undefined) return undefined
    return readDecimal(text) ?? this.wrongDecimal(node, text, 'n..16,6')
  }

  /** A mass in kg; other units of mass are converted exactly. */
  readonly mass: Read<DecimalText> = (node) => {
    const text = this.said(node)
    if (text === undefined) return undefined
    const value = readMass(text, node.attributes.get('unitCode'))
    if (value === 'unit') return this.refuse('intake/unit-not-taken', node, { expected: 'KGM|TNE|GRM' })
    return value ?? this.wrongDecimal(node, text, 'n..16,6')
  }

  /** Refuses what is no decimal, and says so when a comma is all that is wrong with it. */
  wrongDecimal(node: SourceNode, text: string, expected: string): undefined {
    const comma = /^-?\d+,\d+$/.test(text)
    return this.refuse(comma ? 'intake/decimal-comma' : 'intake/format-wrong', node, { expected })
  }

  /** An amount; without a currency it says nothing and is left out. */
  readonly amount: Read<Amount> = (node) => {
    const value = this.decimal(node)
    if (value === undefined) return undefined
    const currency = (node.attributes.get('currencyID') ?? node.attributes.get('currencyId'))?.toUpperCase()
    if (currency === undefined) return this.note('intake/element-left-out', node, { lacks: 'currencyID' })
    if (!/^[A-Z]{3}$/.test(currency)) return this.refuse('intake/format-wrong', node, { expected: 'currency a3' })
    return { value, currency }
  }

  readonly country: Read<string> = (node) => {
    const text = this.said(node)
    if (text === undefined) return undefined
    if (/^[A-Z]{2}$/.test(text)) return text
    if (!/^[A-Za-z]{2}$/.test(text)) return this.refuse('intake/format-wrong', node, { expected: 'country a2' })
    this.note('intake/value-normalised', node, { expected: 'country a2' })
    return text.toUpperCase()
  }

  /** A mode of transport: one digit, or the two digits of the recommendation's first edition, which end in 0. */
  readonly mode: Read<string> = (node) => {
    const text = this.said(node)
    if (text === undefined || /^\d$/.test(text)) return text
    if (!/^[1-9]0$/.test(text)) return this.refuse('intake/format-wrong', node, { expected: 'Rec 19 n1' })
    this.note('intake/value-normalised', node, { expected: 'Rec 19 n1' })
    return text.slice(0, 1)
  }

  readonly flag: Read<boolean> = (node) => {
    const text = this.said(node)
    if (text === '1' || text === 'true') return true
    if (text === '0' || text === 'false') return false
    return this.refuse('intake/value-not-listed', node, { expected: '0|1' })
  }

  /** A date or date-time, which may stand in the element or in a `DateTimeString` inside it. */
  private time(node: SourceNode): WrittenTime | undefined {
    const inner = node.text === undefined ? (this.one(node, 'DateTimeString') ?? this.one(node, 'DateTime')) : node
    const text = inner && this.said(inner)
    if (inner === undefined || text === undefined) return undefined
    const formatCode =
      inner.attributes.get('formatCode') ?? node.attributes.get('formatCode') ?? node.attributes.get('format')
    if (formatCode !== undefined && !dateFormatCodes.includes(formatCode))
      return this.refuse('intake/format-wrong', inner, { expected: `date format ${dateFormatCodes.join('|')}` })
    const time = readTime(text, formatCode, this.home.homeZone)
    if (time !== undefined) return time
    const code = isTimeShaped(text) ? 'intake/date-not-in-calendar' : 'intake/format-wrong'
    return this.refuse(code, inner, { expected: 'YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or ±hh:mm' })
  }

  /** An instant; a day without a time is read as its start at home, with a note. */
  readonly instant: Read<Instant> = (node) => {
    const time = this.time(node)
    if (time === undefined) return undefined
    if (time.at !== undefined) return time.at
    this.note('intake/date-read-as-instant', node)
    return startOfDay(time.on, this.home.homeZone)
  }

  /** The calendar day as written. */
  readonly date: Read<PlainDate> = (node) => this.time(node)?.on

  /** The value every node says, where a level above leaves it open; undefined when they differ. */
  shared<Value>(nodes: readonly SourceNode[], path: readonly string[], read: Read<Value>): Value | undefined {
    const values = nodes.map((node) => this.may(this.one(node, ...path), read))
    const [first] = values
    return first !== undefined && values.every((value) => value === first) ? first : undefined
  }

  /** As many members of an optional list as the model holds; the others are noted. */
  upTo<Value>(max: number, list: Value[], node: SourceNode): Value[] {
    if (list.length > max) this.note('intake/element-left-out', node, { max, others: list.length - max })
    return list.slice(0, max)
  }

  /** Builds a party and knows the one kind that a name alone gives away. */
  party(parts: {
    name?: NamedText | undefined
    id?: string | undefined
    address?: NamedText | undefined
    country?: string | undefined
  }): Party | undefined {
    const kind = parts.name !== undefined && saysToOrder(parts.name.text) ? 'to-order' : undefined
    return presentOrNone<Party>({ ...parts, kind })
  }

  /** Joins the lines of an address that is given in parts. */
  address(parts: readonly (SourceNode | undefined)[]): NamedText | undefined {
    const lines = parts.flatMap((part) => this.may(part, this.named()) ?? [])
    const [first] = lines
    const [node] = parts.filter((part) => part !== undefined)
    if (first === undefined || node === undefined) return undefined
    const text = lines.map((line) => line.text).join(', ')
    if (text.length > 512) return this.refuse('intake/too-long', node, { lengthMax: 512, length: text.length })
    return { text, language: first.language }
  }

  packaging(parts: { type: SourceNode | undefined; quantity: SourceNode | undefined; marks: SourceNode | undefined }) {
    return presentOrNone<Packaging>({
      typeCode: this.may(parts.type, this.identifier(3)),
      quantity: this.may(parts.quantity, this.integer(0, 99_999_999)),
      marks: this.may(parts.marks, this.named())?.text,
    })
  }

  /** Refuses a second item with a number that another item has: a correction could not say which it means. */
  sequencesDiffer(items: readonly { node: SourceNode; sequence: number | undefined }[]): void {
    const seen = new Set<number>()
    for (const { node, sequence } of items) {
      // No item has the number 0: it stands where none could be read.
      if (sequence === undefined || sequence === 0) continue
      if (seen.has(sequence)) this.refuse('intake/sequence-repeated', node, { sequence })
      seen.add(sequence)
    }
  }

  /** Notes how many elements hold something that no mapping read, and the first of them. */
  countNotCarried(root: SourceNode): void {
    let count = 0
    let first: SourceNode | undefined
    for (const leaf of root.leaves()) {
      if (leaf.text === undefined || leaf.carried) continue
      first ??= leaf
      count += 1
    }
    if (first !== undefined)
      this.notes.add('intake/elements-not-carried', first.pointer, { count, first: first.name.slice(0, 60) })
  }
}

function placeOf(node: SourceNode): Facts {
  return node.line === undefined ? {} : { line: node.line, column: node.column ?? 1 }
}

function languageOf(node: SourceNode): string {
  const stated =
    ['languageID', 'languageId', 'lang'].map((name) => node.attributes.get(name)).find((tag) => tag !== undefined) ?? ''
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(stated) ? stated : 'und'
}

/** The first instant of a calendar day in a zone. */
export function startOfDay(date: PlainDate, zone: string): Instant | undefined {
  return parseLocalDateTime(`${date}T00:00:00`, zone)
}
