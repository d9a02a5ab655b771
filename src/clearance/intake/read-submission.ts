import { CsvReader } from './csv-reader.ts'
import { readHeader } from './csv-rows.ts'
import { bomLength, detectSplitting, type Splitting } from './detect-format.ts'
import { DocumentReader, UnknownReader } from './document-reader.ts'
import type { IntakeEntry } from './entry.ts'
import { digestOf, HeldBytes } from './held-bytes.ts'
import { JsonArrayReader, JsonLinesReader } from './json-readers.ts'
import { defaultLimits, type IntakeLimits } from './limits.ts'
import { readJsonRecord } from './read-json-record.ts'
import { readXmlRecord } from './read-xml-record.ts'
import type { HomeContext } from './reading.ts'
import type { FoundRecord, RecordReader } from './record-reader.ts'

export interface SubmissionOptions extends HomeContext {
  /** For the caller's own books; the format is told by content alone. */
  readonly fileName?: string | undefined
  readonly limits?: Partial<IntakeLimits> | undefined
}

/**
 * Reads a submission in any of the documented formats, record by record, as it arrives.
 *
 * Why a stream: a national system may hand over a gigabyte at once. At most one record is held (a line of 4 MiB, a
 * document of 16 MiB, the rows of one CSV record); a record that cannot be read or mapped is refused with all its
 * problems and costs no other one; none is taken by half.
 *
 * @param source the bytes, in pieces of any size; the entries do not depend on where they are cut
 * @returns an entry for each record, in order; it ends when the source ends and throws only what the source throws
 */
export async function* readSubmission(
  source: AsyncIterable<Uint8Array>,
  options: SubmissionOptions,
): AsyncGenerator<IntakeEntry, void, void> {
  const reader = new SubmissionReader(options)
  for await (const chunk of source) yield* reader.push(chunk)
  yield* reader.end()
}

/** The same without waiting: bytes in, entries out. */
export class SubmissionReader {
  private readonly home: HomeContext
  private readonly limits: IntakeLimits
  private readonly window: HeldBytes
  private readonly windowBytes: number
  private lookAgainAt = 1024
  private reader: RecordReader | undefined
  private position = 0

  constructor(options: SubmissionOptions) {
    this.home = options
    this.limits = { ...defaultLimits, ...options.limits }
    // The first line may be as long as a line may be, and the next one is looked at too.
    this.windowBytes = this.limits.lineBytesMax + 65_536
    this.window = new HeldBytes(this.windowBytes, 0)
  }

  /** How many bytes are held back for a record, or a decision, that is not finished. */
  get heldBytes(): number {
    return this.reader?.heldBytes ?? this.window.capacity
  }

  *push(piece: Uint8Array): Generator<IntakeEntry> {
    let chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    if (this.reader === undefined) {
      const taken = chunk.subarray(0, this.windowBytes - this.window.length)
      this.window.add(taken)
      chunk = chunk.subarray(taken.length)
      const isFull = this.window.length === this.windowBytes
      if (this.window.length < this.lookAgainAt && !isFull) return
      this.lookAgainAt = this.window.length * 2
      yield* this.open(isFull)
    }
    if (this.reader !== undefined && chunk.length > 0) yield* this.entries(this.reader.push(chunk))
  }

  *end(): Generator<IntakeEntry> {
    if (this.reader === undefined) yield* this.open(true)
    if (this.reader !== undefined) yield* this.entries(this.reader.end())
  }

  /** Decides how to split, once the beginning tells; then the beginning is read first. */
  private *open(isAll: boolean): Generator<IntakeEntry> {
    const window = this.window.peek()
    const splitting = detectSplitting(window, isAll, (line) => readHeader(line) !== undefined)
    if (splitting === undefined) return
    const begun = this.window.take().bytes
    this.reader = this.readerFor(splitting)
    const isWhole = this.reader instanceof DocumentReader || this.reader instanceof UnknownReader
    yield* this.entries(this.reader.push(isWhole ? begun : begun.subarray(bomLength(begun))))
  }

  private readerFor(splitting: Splitting): RecordReader {
    const { home, limits } = this
    switch (splitting) {
      case 'json-lines':
        return new JsonLinesReader(home, limits)
      case 'json-array':
        return new JsonArrayReader(home, limits)
      case 'csv':
        return new CsvReader(home, limits)
      case 'xml':
        return new DocumentReader('xml', limits, (bytes) => readXmlRecord(bytes, home, limits))
      case 'json-document':
        return new DocumentReader('json', limits, (bytes) =>
          readJsonRecord(bytes.subarray(bomLength(bytes)), home, limits, 1),
        )
      case 'empty':
        return new UnknownReader('intake/empty', limits)
      case 'utf-16':
        return new UnknownReader('intake/encoding', limits)
      case 'unknown':
        return new UnknownReader('intake/format-unknown', limits)
    }
  }

  private *entries(found: Iterable<FoundRecord>): Generator<IntakeEntry> {
    for (const { bytes, line, read } of found) {
      this.position += 1
      const { tooLarge } = bytes
      yield {
        position: this.position,
        ...(line !== undefined && { line }),
        format: read.format,
        original: bytes.bytes,
        digest: tooLarge?.digest ?? digestOf(bytes.bytes),
        ...(tooLarge && { originalLength: tooLarge.length }),
        result:
          read.record === undefined
            ? { ok: false, refusal: { problems: read.problems } }
            : { ok: true, value: read.record },
        notes: read.notes,
      }
    }
  }
}
