import { HeldBytes, type RecordBytes } from './held-bytes.ts'

/** One element of a JSON array as it stood, or what ends the reading of the array for good. */
export interface ArrayPart extends RecordBytes {
  /** 1-based line on which it begins. */
  readonly line: number
  readonly broken?: 'intake/array-broken' | 'intake/array-unfinished' | 'intake/trailing-content'
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const LF = 0x0a

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === LF || byte === 0x0d

/** Where the splitter stands: before the list, before an element, inside one, after one, after the list, giving up. */
type State = 'open' | 'first' | 'element' | 'inside' | 'separator' | 'closed' | 'broken'

/**
 * Splits a JSON array into the bytes of its elements without reading them, and holds at most one element.
 *
 * Why by brackets and quotes alone: a fault inside an element's brackets costs that element only. Where the brackets
 * themselves do not pair, nothing says where the next element begins, and the rest is refused in one piece. A line end
 * ends a string, because JSON allows none inside: an unclosed quotation mark then costs one element as well.
 */
export class ArraySplitter {
  private readonly held: HeldBytes
  private state: State = 'open'
  private broken: 'intake/array-broken' | 'intake/trailing-content' = 'intake/array-broken'
  private depth = 0
  private inString = false
  private escaped = false
  private line = 1
  private begunAt = 1
  /** How many elements, and breaks, were found. */
  elements = 0

  constructor(limits: { readonly lineBytesMax: number; readonly excerptBytesMax: number }) {
    this.held = new HeldBytes(limits.lineBytesMax, limits.excerptBytesMax)
  }

  get heldBytes(): number {
    return this.held.capacity
  }

  *push(chunk: Buffer): Generator<ArrayPart> {
    let from = 0
    for (let at = 0; at < chunk.length && this.state !== 'broken'; at += 1) {
      const byte = chunk[at] ?? 0
      let state: State = this.state
      if (state !== 'inside') {
        state = this.between(byte)
        if (state === 'inside' || state === 'broken') from = at
      }
      if (state === 'inside') {
        const ends = this.within(byte)
        if (ends !== undefined) yield this.finish(chunk.subarray(from, ends === 'with' ? at + 1 : at))
        // A byte that belongs to the list and not to the element is looked at again.
        if (ends === 'before') at -= 1
      }
      if (byte === LF) this.line += 1
    }
    if (this.state === 'inside' || this.state === 'broken') this.held.add(chunk.subarray(from))
  }

  *end(): Generator<ArrayPart> {
    if (this.state === 'closed') return
    const broken = this.state === 'broken' ? this.broken : 'intake/array-unfinished'
    this.elements += 1
    yield { ...this.held.take(), line: this.begunAt, broken }
  }

  private finish(last: Buffer): ArrayPart {
    this.state = 'separator'
    this.elements += 1
    return { ...this.held.take(last), line: this.begunAt }
  }

  /** A byte outside of elements: moves on, begins an element, or breaks the list. */
  private between(byte: number): State {
    if (isSpace(byte)) return this.state
    const closes = byte === CLOSE_LIST
    if (this.state === 'open') {
      if (byte === OPEN_LIST) this.state = 'first'
      else this.break('intake/array-broken')
    } else if (this.state === 'closed') this.break('intake/trailing-content')
    else if (this.state === 'separator' && byte === COMMA) this.state = 'element'
    else if (closes && (this.state === 'separator' || this.state === 'first')) this.state = 'closed'
    else if (this.state === 'separator' || closes || byte === COMMA || byte === CLOSE_OBJECT)
      this.break('intake/array-broken')
    else this.begin()
    return this.state
  }

  private break(code: 'intake/array-broken' | 'intake/trailing-content'): void {
    this.state = 'broken'
    this.broken = code
    this.begunAt = this.line
  }

  private begin(): void {
    this.state = 'inside'
    this.depth = 0
    this.inString = false
    this.begunAt = this.line
  }

  /** A byte of an element: whether the element ends with it, or ended before it. */
  private within(byte: number): 'with' | 'before' | undefined {
    if (this.inString) {
      if (byte === LF) this.inString = false
      else if (this.escaped) this.escaped = false
      else if (byte === BACKSLASH) this.escaped = true
      else if (byte === QUOTE) this.inString = false
      return undefined
    }
    switch (byte) {
      case QUOTE:
        this.inString = true
        this.escaped = false
        return undefined
      case OPEN_LIST:
      case OPEN_OBJECT:
        this.depth += 1
        return undefined
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        if (this.depth === 0) return 'before'
        this.depth -= 1
        return this.depth === 0 ? 'with' : undefined
      case COMMA:
        return this.depth === 0 ? 'before' : undefined
      default:
        return undefined
    }
  }
}
