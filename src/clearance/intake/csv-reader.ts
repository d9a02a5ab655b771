import { type CsvHeader, type CsvRow, RowAssembler, readHeader } from './csv-rows.ts'
import { HeldBytes } from './held-bytes.ts'
import type { IntakeLimits } from './limits.ts'
import { mapCsvDeclaration } from './map-csv-declaration.ts'
import { mapCsvRailwayList } from './map-csv-railway-list.ts'
import { finishMapping, refusedRecord } from './read-record.ts'
import { Findings, type HomeContext, Reading } from './reading.ts'
import { joinKeys, keyOf, RowReading } from './reading-rows.ts'
import type { FoundRecord, RecordReader } from './record-reader.ts'
import { type Line, LineSplitter } from './split-lines.ts'
import { WaitingRecords } from './waiting-records.ts'

/** The rows of one record, while they come in. */
interface Group {
  key: readonly string[]
  readonly rows: Omit<CsvRow, 'bytes'>[]
  count: number
  /** Whether an unreadable row stood just before, which may have been this record's first. */
  readonly doubtBefore: boolean
}

/**
 * Reads one of the documented tables: consecutive rows whose keys agree are one record, and no rows elsewhere are.
 *
 * Why rows beside an unreadable one are doubted: where nobody can say whose row it was, the records on both sides of
 * it may lack a row, and none is taken by half. A declaration that states its number of items, and has them all, is
 * beyond doubt.
 */
export class CsvReader implements RecordReader {
  private readonly home: HomeContext
  private readonly limits: IntakeLimits
  private readonly lines: LineSplitter
  private readonly bytes: HeldBytes
  private first: { readonly line: Line; readonly header: CsvHeader; readonly faults: Findings } | undefined
  private assembler: RowAssembler | undefined
  private group: Group | undefined
  /** Rows since the last readable one that nobody can tell the record of. */
  private unreadable: CsvRow[] = []
  private doubt = false
  private readonly waiting: WaitingRecords

  constructor(home: HomeContext, limits: IntakeLimits) {
    this.home = home
    this.limits = limits
    this.lines = new LineSplitter(limits)
    this.bytes = new HeldBytes(limits.documentBytesMax, limits.excerptBytesMax)
    this.waiting = new WaitingRecords(limits.waitingBytesMax)
  }

  get heldBytes(): number {
    return this.lines.heldBytes + this.bytes.capacity + this.waiting.bytes
  }

  *push(chunk: Buffer): Generator<FoundRecord> {
    for (const line of this.lines.push(chunk)) yield* this.line(line)
  }

  *end(): Generator<FoundRecord> {
    for (const line of this.lines.end()) yield* this.line(line)
    for (const row of this.assembler?.end() ?? []) yield* this.row(row)
    yield* this.flush()
    yield* this.waiting.goOn(true)
    if (this.first === undefined || this.position > 0) return
    const { header, line, faults } = this.first
    const problems = faults.some ? faults.all() : refusedRecord('unknown', 'intake/empty').problems
    if (!faults.some) this.addLine(line)
    yield { bytes: this.bytes.take(), line: line.number, read: { format: header.table.format, problems, notes: [] } }
  }
  private position = 0

  private *line(line: Line): Generator<FoundRecord> {
    if (this.first === undefined) {
      const header = readHeader(line.bytes.toString('utf8'))
      if (header === undefined) return
      this.first = { line, header, faults: faultsOf(header, this.limits) }
      this.assembler = new RowAssembler(header.delimiter)
      if (this.first.faults.some) this.addLine(line)
    } else if (this.first.faults.some) this.addLine(line)
    else for (const row of this.assembler?.push(line) ?? []) yield* this.row(row)
  }

  private addLine(line: Line): void {
    this.bytes.add(line.bytes)
    this.bytes.add(Buffer.from(line.ending))
  }

  private *row(row: CsvRow): Generator<FoundRecord> {
    if (this.first === undefined) return
    const { header, line } = this.first
    const key = keyOf(header.table, header, row)
    if (key === undefined) {
      this.unreadable.push(row)
      if (this.unreadable.length >= this.limits.problemsMax) yield* this.flush()
      return
    }
    const joined = this.group && joinKeys(this.group.key, key)
    if (this.group !== undefined && joined !== undefined) {
      this.group.key = joined
      for (const each of this.unreadable.splice(0)) this.add(this.group, each)
    } else {
      yield* this.flush()
      this.group = { key, rows: [], count: 0, doubtBefore: this.doubt }
      this.addLine(line)
    }
    this.doubt = false
    this.add(this.group, row)
  }

  private add(group: Group, { bytes, ...row }: CsvRow): void {
    group.count += 1
    this.bytes.add(bytes)
    if (group.count <= this.limits.rowsMax && this.bytes.length <= this.limits.documentBytesMax) group.rows.push(row)
  }

  /** Gives the record whose rows are all in, then the unreadable rows after it. */
  private *flush(): Generator<FoundRecord> {
    if (this.first === undefined) return
    const { header } = this.first
    if (this.group !== undefined) {
      const { group } = this
      this.group = undefined
      const read = this.readGroup(header, group, this.unreadable.length > 0)
      this.position += 1
      this.waiting.add({ bytes: this.bytes.take(), line: group.rows[0]?.line ?? 0, read }, group.key)
    }
    if (this.unreadable.length > 0) this.doubt = true
    for (const { line, bytes, code, cells } of this.unreadable.splice(0)) {
      const missing = header.table.key[0] ?? ''
      const read =
        code !== undefined
          ? refusedRecord(header.table.format, code, { line })
          : refusedRecord(header.table.format, 'intake/element-missing', {
              line,
              element: missing,
              cells: cells?.length ?? 0,
            })
      this.position += 1
      this.waiting.add({ bytes: { bytes }, line, read }, undefined)
    }
    yield* this.waiting.goOn(false)
  }

  private readGroup(header: CsvHeader, group: Group, doubtAfter: boolean) {
    const { format } = header.table
    const { rowsMax, documentBytesMax } = this.limits
    if (group.count > rowsMax) return refusedRecord(format, 'intake/too-many-rows', { rows: group.count, rowsMax })
    if (group.rows.length < group.count)
      return refusedRecord(format, 'intake/document-too-large', { bytesMax: documentBytesMax })
    const reading = new Reading(this.home, this.limits)
    const rows = new RowReading(header, group.rows, reading)
    const stated = rows.shared('goodsItemQuantity')?.text
    if ((group.doubtBefore || doubtAfter) && stated !== String(group.count)) rows.refuse('intake/csv-row-doubtful')
    if (rows.rows.length === 0) return finishMapping(format, reading, undefined)
    const record = format === 'csv-declarations' ? mapCsvDeclaration(rows) : mapCsvRailwayList(rows)
    return finishMapping(format, reading, record)
  }
}

/** What is wrong with a header: it costs the whole file, because no row can be read without it. */
function faultsOf(header: CsvHeader, limits: IntakeLimits): Findings {
  const { table, columns, names } = header
  const faults = new Findings(limits.problemsMax)
  columns.forEach((name, at) => {
    const column = at + 1
    if (name === undefined)
      faults.add('intake/csv-column-unknown', `/header/${at}`, { column, name: shown(names[at] ?? '') })
    else if (columns.indexOf(name) !== at) faults.add('intake/csv-column-repeated', `/header/${at}`, { column, name })
  })
  for (const name of table.needed)
    if (!columns.includes(name)) faults.add('intake/csv-column-missing', '/header', { name })
  if (table.neededOneOf.length > 0 && !table.neededOneOf.some((name) => columns.includes(name)))
    faults.add('intake/csv-column-missing', '/header', { name: table.neededOneOf.join('|') })
  return faults
}

/** A column's name may hold anything, so only a plain one is shown. */
const shown = (name: string): string => (/^[\p{L}\p{N} _.:-]{1,40}$/u.test(name) ? name : '')
