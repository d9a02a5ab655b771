import { JsonNumber, type JsonValue, pointerToken } from '../../kernel/index.ts'

/**
 * One element of a foreign document, whether it came as XML or as JSON, that knows where it stands.
 *
 * Why: NCTS publishes one message in both forms, and a mapping should be written once. Elements keep their document
 * order; `carried` tells afterwards which of them the record holds and how many it does not.
 */
export class SourceNode {
  readonly name: string
  readonly parent: SourceNode | undefined
  readonly line: number | undefined
  readonly column: number | undefined
  readonly attributes: ReadonlyMap<string, string>
  /** What a leaf holds, trimmed; undefined for an element with others inside, and for an empty one. */
  text: string | undefined
  /** Whether a mapping has read this element. */
  carried = false
  /** The JSON pointer's step to here; XML finds its step among its siblings. */
  private readonly step: string | undefined
  private inside: SourceNode[] | undefined
  private index: Map<string, SourceNode[]> | undefined

  constructor(place: {
    name: string
    parent?: SourceNode | undefined
    step?: string
    line?: number
    column?: number
    attributes?: ReadonlyMap<string, string>
  }) {
    this.name = place.name
    this.parent = place.parent
    this.step = place.step
    this.line = place.line
    this.column = place.column
    this.attributes = place.attributes ?? NO_ATTRIBUTES
  }

  /** What stands inside, in document order. */
  get children(): readonly SourceNode[] {
    return this.inside ?? NO_NODES
  }

  /** Puts an element at the end of this one. */
  append(child: SourceNode): void {
    // Most elements are leaves, and a large document has many: they get no list.
    if (this.inside === undefined) this.inside = [child]
    else this.inside.push(child)
  }

  /** All children of this name, in document order. */
  named(name: string): readonly SourceNode[] {
    if (this.index === undefined) {
      this.index = new Map()
      for (const child of this.children) {
        const list = this.index.get(child.name)
        if (list) list.push(child)
        else this.index.set(child.name, [child])
      }
    }
    return this.index.get(name) ?? NO_NODES
  }

  /**
   * Where this element stands: an RFC 6901 pointer in JSON; in XML the path of local names, with a 1-based number in
   * brackets where siblings share a name.
   */
  get pointer(): string {
    const above = this.parent?.pointer ?? ''
    if (this.step !== undefined) return above + this.step
    const siblings = this.parent?.named(this.name) ?? NO_NODES
    const number = siblings.length > 1 ? `[${siblings.indexOf(this) + 1}]` : ''
    return `${above}/${this.name}${number}`
  }

  /** Where a child would stand if it were there. */
  pointerTo(name: string): string {
    return `${this.pointer}/${pointerToken(name)}`
  }

  /** Every leaf beneath, and this one if it is a leaf. */
  *leaves(): Generator<SourceNode> {
    if (this.children.length === 0) yield this
    else for (const child of this.children) yield* child.leaves()
  }
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map()
const NO_NODES: readonly SourceNode[] = []

type JsonObject = { readonly [key: string]: JsonValue }

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)

function grow(parent: SourceNode, name: string, step: string, value: JsonValue): void {
  if (value === null) return
  if (Array.isArray(value)) {
    value.forEach((member, at) => {
      grow(parent, name, `${step}/${at}`, member)
    })
    return
  }
  const attributes = isObject(value) ? attributesOf(value) : undefined
  const node = new SourceNode({ name, parent, step, ...(attributes && { attributes }) })
  parent.append(node)
  if (!isObject(value)) node.text = scalarText(value)
  else if (isContent(value)) node.text = scalarText(value['content'])
  else growMembers(node, value)
}

function growMembers(node: SourceNode, value: JsonObject): void {
  for (const [key, member] of Object.entries(value))
    if (!key.startsWith('@')) grow(node, key, `/${pointerToken(key)}`, member)
}

type Scalar = string | number | boolean | JsonNumber
const isScalar = (value: JsonValue | undefined): value is Scalar =>
  value !== undefined && value !== null && !Array.isArray(value) && !isObject(value)

/** UN/CEFACT writes a value with its unit, language or list as `{ "content": …, "unitCode": … }`. */
const isContent = (value: JsonObject): value is JsonObject & { content: Scalar } =>
  Object.hasOwn(value, 'content') && isScalar(value['content'])

/** What XML would write as attributes: members beside a content, and members that begin with `@`. */
function attributesOf(value: JsonObject): ReadonlyMap<string, string> {
  const beside = isContent(value)
  const attributes = new Map<string, string>()
  for (const [key, member] of Object.entries(value)) {
    const text = isScalar(member) && key !== 'content' ? scalarText(member) : undefined
    if (text !== undefined && (beside || key.startsWith('@'))) attributes.set(key.replace(/^@/, ''), text)
  }
  return attributes
}

function scalarText(value: Scalar): string | undefined {
  const text = (value instanceof JsonNumber ? value.text : String(value)).trim()
  return text === '' ? undefined : text
}

/** The tree of a JSON object; a list becomes siblings of one name, as it would be in XML. `null` is absence. */
export function treeFromJson(value: JsonObject): SourceNode {
  const root = new SourceNode({ name: '', step: '' })
  growMembers(root, value)
  return root
}
