import type { RecordBytes } from './held-bytes.ts'
import type { ReadRecord } from './read-record.ts'

/** A record that was read, with the bytes it was read from. */
export interface FoundRecord {
  readonly bytes: RecordBytes
  readonly line?: number
  readonly read: ReadRecord
}

/** Splits a submission into records and reads them; holds at most one record. */
export interface RecordReader {
  push(chunk: Buffer): Iterable<FoundRecord>
  end(): Iterable<FoundRecord>
  /** How many bytes are held back for a record that is not finished. */
  readonly heldBytes: number
}
