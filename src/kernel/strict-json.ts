import { accept, type Decision, refuse } from './decision.ts'

/** A number that a double cannot hold exactly as written, kept as its text. Safe integers are plain numbers. */
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toJSON(): string {
    return this.text
  }
}

export type JsonValue = null | boolean | number | string | JsonNumber | JsonValue[] | { [key: string]: JsonValue }

export type JsonRefusal = {
  readonly code:
    | 'json/too-large'
    | 'json/too-deep'
    | 'json/duplicate-key'
    | 'json/forbidden-key'
    | 'json/lossy-number'
    | 'json/lone-surrogate'
    | 'json/syntax'
  /** Offset in UTF-16 units from the start of the text. */
  readonly at: number
}

export interface JsonLimits {
  /** Largest text, in UTF-16 units. */
  readonly lengthMax: number
  /** Deepest nesting of arrays and objects. */
  readonly depthMax: number
  /** `refuse`: every number must be a safe integer (signed objects). `keep`: others become JsonNumber. */
  readonly otherNumbers: 'refuse' | 'keep'
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: a JSON string may not hold them unescaped (RFC 8259 §7)
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPABLE = '"\\/bfnrt'
/** A number of more than this many characters says nothing that customs can mean. */
const NUMBER_LENGTH_MAX = 40

class Stop extends Error {
  readonly refusal: JsonRefusal
  constructor(code: JsonRefusal['code'], at: number) {
    super(code)
    this.refusal = { code, at }
  }
}

class Reader {
  private readonly text: string
  private readonly limits: JsonLimits
  private at = 0

  constructor(text: string, limits: JsonLimits) {
    this.text = text
    this.limits = limits
  }

  document(): JsonValue {
    this.space()
    const value = this.value(0)
    this.space()
    if (this.at !== this.text.length) throw new Stop('json/syntax', this.at)
    return value
  }

  private space(): void {
    for (;;) {
      const unit = this.text.charCodeAt(this.at)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return
      this.at += 1
    }
  }

  private value(depth: number): JsonValue {
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth + 1)
      case '[':
        return this.array(depth + 1)
      case '"':
        return this.string()
      case 't':
        return this.word('true', true)
      case 'f':
        return this.word('false', false)
      case 'n':
        return this.word('null', null)
      default:
        return this.number()
    }
  }

  private word<Value>(word: string, value: Value): Value {
    if (!this.text.startsWith(word, this.at)) throw new Stop('json/syntax', this.at)
    this.at += word.length
    return value
  }

  private number(): number | JsonNumber {
    NUMBER.lastIndex = this.at
    const text = NUMBER.exec(this.text)?.[0]
    if (text === undefined) throw new Stop('json/syntax', this.at)
    const start = this.at
    this.at += text.length
    const value = Number(text)
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && !Object.is(value, -0)) return value
    if (this.limits.otherNumbers === 'refuse' || text.length > NUMBER_LENGTH_MAX || !Number.isFinite(value))
      throw new Stop('json/lossy-number', start)
    return new JsonNumber(text)
  }

  private string(): string {
    const start = this.at
    PLAIN.lastIndex = start + 1
    PLAIN.test(this.text)
    this.at = PLAIN.lastIndex
    const plain = this.text[this.at] === '"'
    if (!plain) this.toEndOfString()
    this.at += 1
    // Escapes are checked above and decoded at once: piece by piece, a text full of them costs a hundred times more.
    const value = plain
      ? this.text.slice(start + 1, this.at - 1)
      : (JSON.parse(this.text.slice(start, this.at)) as string)
    if (!value.isWellFormed()) throw new Stop('json/lone-surrogate', start)
    return value
  }

  /** Moves to the quotation mark that ends a string, past sound escapes only. */
  private toEndOfString(): void {
    for (;;) {
      const unit = this.text.charCodeAt(this.at)
      if (unit === 0x22) return
      if (unit !== 0x5c) {
        // Control characters, and the end of the text, whose unit is not a number.
        if (!(unit >= 0x20)) throw new Stop('json/syntax', this.at)
        this.at += 1
      } else if (this.text[this.at + 1] === 'u') {
        if (!/^[0-9a-fA-F]{4}$/.test(this.text.slice(this.at + 2, this.at + 6))) throw new Stop('json/syntax', this.at)
        this.at += 6
      } else {
        if (!ESCAPABLE.includes(this.text.charAt(this.at + 1) || ' ')) throw new Stop('json/syntax', this.at)
        this.at += 2
      }
    }
  }

  private array(depth: number): JsonValue[] {
    if (depth > this.limits.depthMax) throw new Stop('json/too-deep', this.at)
    const values: JsonValue[] = []
    this.at += 1
    this.space()
    if (this.text[this.at] === ']') {
      this.at += 1
      return values
    }
    for (;;) {
      this.space()
      values.push(this.value(depth))
      this.space()
      const next = this.text[this.at]
      this.at += 1
      if (next === ']') return values
      if (next !== ',') throw new Stop('json/syntax', this.at - 1)
    }
  }

  private object(depth: number): { [key: string]: JsonValue } {
    if (depth > this.limits.depthMax) throw new Stop('json/too-deep', this.at)
    const members: { [key: string]: JsonValue } = {}
    this.at += 1
    this.space()
    if (this.text[this.at] === '}') {
      this.at += 1
      return members
    }
    for (;;) {
      this.space()
      const start = this.at
      if (this.text[this.at] !== '"') throw new Stop('json/syntax', start)
      const key = this.string()
      if (key === '__proto__') throw new Stop('json/forbidden-key', start)
      if (Object.hasOwn(members, key)) throw new Stop('json/duplicate-key', start)
      this.space()
      if (this.text[this.at] !== ':') throw new Stop('json/syntax', this.at)
      this.at += 1
      this.space()
      members[key] = this.value(depth)
      this.space()
      const next = this.text[this.at]
      this.at += 1
      if (next === '}') return members
      if (next !== ',') throw new Stop('json/syntax', this.at - 1)
    }
  }
}

/**
 * Reads JSON (RFC 8259) strictly and without loss.
 *
 * Why: JSON.parse keeps the last of two equal keys, rounds numbers and takes any depth; each of these lets two
 * readers of one signed text see two contents. This reader refuses duplicate keys (equal values too), `__proto__`,
 * lone surrogates and nesting or length over the limits, and never rounds a number.
 */
export function readJson(text: string, limits: JsonLimits): Decision<JsonValue, JsonRefusal> {
  if (text.length > limits.lengthMax) return refuse({ code: 'json/too-large', at: limits.lengthMax })
  try {
    return accept(new Reader(text, limits).document())
  } catch (error) {
    if (error instanceof Stop) return refuse(error.refusal)
    throw error
  }
}

/**
 * Writes a value as canonical JSON: members sorted by UTF-16 code units, no white space (RFC 8785 for values whose
 * numbers are safe integers; decimals are strings here). Equal content gives equal bytes, so digests compare content.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (value instanceof JsonNumber) return JSON.stringify(value.text)
  const members = value as { readonly [key: string]: unknown }
  let text = ''
  // Sorted by code units, as sort() does without being told how.
  for (const key of Object.keys(members).sort()) {
    const member = members[key]
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}
