import type { IntakeLimits } from './limits.ts'
import { readJsonRecord } from './read-json-record.ts'
import { type ReadRecord, refusedRecord } from './read-record.ts'
import type { HomeContext } from './reading.ts'
import type { FoundRecord, RecordReader } from './record-reader.ts'
import { type ArrayPart, ArraySplitter } from './split-array.ts'
import { type Line, LineSplitter } from './split-lines.ts'

const tooLargeRecord = (bytes: number, limits: IntakeLimits): ReadRecord =>
  refusedRecord('json', 'intake/line-too-large', { bytes, bytesMax: limits.lineBytesMax })

/** One JSON object on each line. A bad line costs that line. */
export class JsonLinesReader implements RecordReader {
  private readonly home: HomeContext
  private readonly limits: IntakeLimits
  private readonly lines: LineSplitter

  constructor(home: HomeContext, limits: IntakeLimits) {
    this.home = home
    this.limits = limits
    this.lines = new LineSplitter(limits)
  }

  get heldBytes(): number {
    return this.lines.heldBytes
  }

  *push(chunk: Buffer): Generator<FoundRecord> {
    for (const line of this.lines.push(chunk)) yield* this.record(line)
  }

  *end(): Generator<FoundRecord> {
    for (const line of this.lines.end()) yield* this.record(line)
  }

  private *record(line: Line): Generator<FoundRecord> {
    const { bytes, tooLarge } = line
    if (tooLarge === undefined && isBlank(bytes)) return
    const read = tooLarge
      ? tooLargeRecord(tooLarge.length, this.limits)
      : readJsonRecord(bytes, this.home, this.limits, line.number)
    yield { bytes: line, line: line.number, read }
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  return true
}

/** The elements of one JSON array. A bad element costs that element, as long as its brackets pair. */
export class JsonArrayReader implements RecordReader {
  private readonly home: HomeContext
  private readonly limits: IntakeLimits
  private readonly array: ArraySplitter

  constructor(home: HomeContext, limits: IntakeLimits) {
    this.home = home
    this.limits = limits
    this.array = new ArraySplitter(limits)
  }

  get heldBytes(): number {
    return this.array.heldBytes
  }

  *push(chunk: Buffer): Generator<FoundRecord> {
    for (const part of this.array.push(chunk)) yield this.record(part)
  }

  *end(): Generator<FoundRecord> {
    for (const part of this.array.end()) yield this.record(part)
    if (this.array.elements === 0)
      yield { bytes: { bytes: Buffer.from('[]') }, line: 1, read: refusedRecord('json', 'intake/empty') }
  }

  private record(part: ArrayPart): FoundRecord {
    const { bytes, line, broken, tooLarge } = part
    if (broken) return { bytes: part, line, read: refusedRecord('json', broken) }
    if (tooLarge) return { bytes: part, line, read: tooLargeRecord(tooLarge.length, this.limits) }
    return { bytes: part, line, read: readJsonRecord(bytes, this.home, this.limits, line) }
  }
}
