import { HeldBytes } from './held-bytes.ts'
import type { IntakeLimits } from './limits.ts'
import { type ReadRecord, refusedRecord } from './read-record.ts'
import type { FoundRecord, RecordReader } from './record-reader.ts'

/** A submission that is one record: it is held whole, up to its limit, and read when it is all there. */
export class DocumentReader implements RecordReader {
  private readonly format: ReadRecord['format']
  private readonly bytesMax: number
  private readonly read: (bytes: Buffer) => ReadRecord
  private readonly held: HeldBytes

  constructor(format: ReadRecord['format'], limits: IntakeLimits, read: (bytes: Buffer) => ReadRecord) {
    this.format = format
    this.bytesMax = limits.documentBytesMax
    this.read = read
    this.held = new HeldBytes(limits.documentBytesMax, limits.excerptBytesMax)
  }

  get heldBytes(): number {
    return this.held.capacity
  }

  *push(chunk: Buffer): Generator<FoundRecord> {
    this.held.add(chunk)
    yield* []
  }

  *end(): Generator<FoundRecord> {
    const bytes = this.held.take()
    if (bytes.tooLarge === undefined) yield { bytes, read: this.read(bytes.bytes) }
    else {
      const facts = { bytes: bytes.tooLarge.length, bytesMax: this.bytesMax }
      yield { bytes, read: refusedRecord(this.format, 'intake/document-too-large', facts) }
    }
  }
}

/** A submission in none of the documented formats: its beginning and its digest are all that is kept. */
export class UnknownReader implements RecordReader {
  private readonly code: 'intake/empty' | 'intake/encoding' | 'intake/format-unknown'
  private readonly held: HeldBytes

  constructor(code: UnknownReader['code'], limits: IntakeLimits) {
    this.code = code
    this.held = new HeldBytes(limits.excerptBytesMax, limits.excerptBytesMax)
  }

  get heldBytes(): number {
    return this.held.capacity
  }

  *push(chunk: Buffer): Generator<FoundRecord> {
    this.held.add(chunk)
    yield* []
  }

  *end(): Generator<FoundRecord> {
    yield { bytes: this.held.take(), read: refusedRecord('unknown', this.code) }
  }
}
