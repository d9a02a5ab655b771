import { digestOf, HeldBytes, type RecordBytes } from './held-bytes.ts'

/** One line as it stood, without its ending. */
export interface Line extends RecordBytes {
  readonly ending: '' | '\n' | '\r\n'
  /** 1-based number of the physical line. */
  readonly number: number
}

const LF = 10
const CR = 13

/** Splits bytes into lines and holds at most one line, however the bytes arrive and however long a line is. */
export class LineSplitter {
  private readonly max: number
  private readonly excerpt: number
  private readonly held: HeldBytes
  private number = 1

  constructor(limits: { readonly lineBytesMax: number; readonly excerptBytesMax: number }) {
    this.max = limits.lineBytesMax
    this.excerpt = limits.excerptBytesMax
    // One byte more than the limit may be the return that belongs to the ending.
    this.held = new HeldBytes(this.max + 1, this.excerpt)
  }

  get heldBytes(): number {
    return this.held.capacity
  }

  *push(chunk: Buffer): Generator<Line> {
    let from = 0
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      const piece = chunk.subarray(from, at)
      from = at + 1
      yield this.finish(this.held.take(piece), '\n')
    }
    if (from < chunk.length) this.held.add(chunk.subarray(from))
  }

  *end(): Generator<Line> {
    if (this.held.length > 0) yield this.finish(this.held.take(), '')
  }

  private finish(taken: RecordBytes, newline: '' | '\n'): Line {
    const number = this.number
    this.number += 1
    const { bytes: whole, tooLarge } = taken
    if (tooLarge) return { bytes: whole, tooLarge, ending: newline, number }
    const ending = newline === '\n' && whole[whole.length - 1] === CR ? '\r\n' : newline
    const bytes = ending === '\r\n' ? whole.subarray(0, -1) : whole
    if (bytes.length <= this.max) return { bytes, ending, number }
    const all = { length: whole.length, digest: digestOf(whole) }
    return { bytes: Buffer.from(whole.subarray(0, this.excerpt)), tooLarge: all, ending: newline, number }
  }
}
