import { createHash, type Hash, hash } from 'node:crypto'

/** Bytes of one record. Over the limit only the beginning is kept, and `tooLarge` speaks of all of them. */
export interface RecordBytes {
  readonly bytes: Buffer
  readonly tooLarge?: { readonly length: number; readonly digest: string }
}

const NOTHING = Buffer.alloc(0)

/**
 * Collects the bytes of one record from pieces of any size, and never holds more than a limit.
 *
 * Why a buffer that grows by doubling: a stream of single bytes must cost neither memory per piece nor a copy of the
 * record per piece. What goes over the limit is only counted and digested from there on.
 */
export class HeldBytes {
  private readonly max: number
  private readonly excerpt: number
  private store = NOTHING
  private over: Hash | undefined
  /** How many bytes the record has so far. */
  length = 0

  /**
   * @param max the most bytes that are held
   * @param excerpt how many of its first bytes are kept of a record over the limit
   */
  constructor(max: number, excerpt: number) {
    this.max = max
    this.excerpt = excerpt
  }

  /** How many bytes are set aside. */
  get capacity(): number {
    return this.store.length
  }

  /** What is held so far, valid until the next piece. */
  peek(): Buffer {
    return this.store.subarray(0, Math.min(this.length, this.store.length))
  }

  add(piece: Buffer): void {
    const before = this.length
    this.length += piece.length
    if (this.over === undefined && this.length <= this.max) {
      this.append(piece, before)
      return
    }
    if (this.over === undefined) {
      const kept = this.store.subarray(0, before)
      this.over = createHash('sha256').update(kept)
      this.store = Buffer.from(kept.subarray(0, this.excerpt))
    }
    this.over.update(piece)
    const room = this.excerpt - this.store.length
    if (room > 0) this.store = Buffer.concat([this.store, piece.subarray(0, room)])
  }

  /** Ends the record with its last piece, and is empty for the next one. */
  take(last: Buffer = NOTHING): RecordBytes {
    if (this.length === 0 && last.length <= this.max) return { bytes: Buffer.from(last) }
    this.add(last)
    const over = this.over
    const { length } = this
    const bytes = Buffer.from(over === undefined ? this.store.subarray(0, length) : this.store)
    this.over = undefined
    this.length = 0
    if (over !== undefined || this.store.length > this.excerpt) this.store = NOTHING
    return over === undefined ? { bytes } : { bytes, tooLarge: { length, digest: over.digest('hex') } }
  }

  private append(piece: Buffer, at: number): void {
    if (this.length > this.store.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.length, Math.min(this.store.length * 2, this.max)))
      this.store.copy(grown, 0, 0, at)
      this.store = grown
    }
    piece.copy(this.store, at)
  }
}

export const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex')
