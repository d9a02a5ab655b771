import { isUtf8 } from 'node:buffer'
import type { IntakeCode } from './codes.ts'
import { type CsvTable, columnKey, declarationsTable, railwayListTable } from './csv-tables.ts'
import type { Line } from './split-lines.ts'

/** One row, which may stand on several lines when a quoted cell holds line ends. */
export interface CsvRow {
  /** 1-based line on which the row begins. */
  readonly line: number
  /** The row as it stood, with its line ending. */
  readonly bytes: Buffer
  /** Cells in the order of the header; absent when the row cannot be read. */
  readonly cells?: readonly string[]
  /** What is wrong with the row itself. */
  readonly code?: IntakeCode
}

const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/** How many lines a quoted cell may stretch over before its quotation mark counts as forgotten. */
const LINES_PER_ROW_MAX = 100

/**
 * Splits one row into cells (RFC 4180): a cell in quotation marks may hold the delimiter, line ends and doubled marks;
 * a mark inside an unquoted cell is text. What looks like a formula is text as well.
 */
export function splitCells(row: string, delimiter: Delimiter): readonly string[] | 'unclosed' | 'misplaced' {
  const cells: string[] = []
  for (let at = 0; ; ) {
    if (row[at] !== '"') {
      const end = row.indexOf(delimiter, at)
      cells.push(row.slice(at, end === -1 ? undefined : end))
      if (end === -1) return cells
      at = end + 1
      continue
    }
    let cell = ''
    for (at += 1; ; at += 2) {
      const end = row.indexOf('"', at)
      if (end === -1) return 'unclosed'
      cell += row.slice(at, end)
      at = end
      if (row[end + 1] !== '"') break
      cell += '"'
    }
    cells.push(cell)
    const next = row[at + 1]
    if (next === undefined) return cells
    if (next !== delimiter) return 'misplaced'
    at += 2
  }
}

export interface CsvHeader {
  readonly table: CsvTable
  readonly delimiter: Delimiter
  /** Name of each column as documented; undefined for a column that is not. */
  readonly columns: readonly (string | undefined)[]
  /** Names as they stood. */
  readonly names: readonly string[]
}

/** Reads a line as the header of the documented table that most of its columns belong to. */
export function readHeader(line: string): CsvHeader | undefined {
  let best: { header: CsvHeader; known: number } | undefined
  for (const delimiter of DELIMITERS) {
    const names = splitCells(line.replace(/\r$/, ''), delimiter)
    if (typeof names === 'string') continue
    for (const table of [declarationsTable, railwayListTable]) {
      const byKey = new Map(table.columns.map((name) => [columnKey(name), name]))
      const columns = names.map((name) => byKey.get(columnKey(name)))
      const known = columns.filter((name) => name !== undefined).length
      if (known > (best?.known ?? 0)) best = { header: { table, delimiter, columns, names }, known }
    }
  }
  // A sentence may hold one word that is a column's name; a table of one column can say nothing.
  return best !== undefined && best.known >= 2 ? best.header : undefined
}

/** Puts lines together to rows. A forgotten quotation mark costs the line it stands on. */
export class RowAssembler {
  private readonly delimiter: Delimiter
  private readonly bytesMax: number
  private open: Line[] = []
  private openBytes = 0

  constructor(delimiter: Delimiter, bytesMax: number) {
    this.delimiter = delimiter
    this.bytesMax = bytesMax
  }

  *push(line: Line): Generator<CsvRow> {
    const waiting = [line]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const unreadable = this.open.length > 0 ? undefined : faultOf(next)
      if (unreadable !== undefined) {
        yield { line: next.number, bytes: bytesOf([next]), code: unreadable }
        continue
      }
      if (this.open.length === 0 && isBlank(next)) continue
      this.open.push(next)
      this.openBytes += next.bytes.length
      const row = this.readOpen(next)
      if (row === 'unclosed') continue
      if (row === 'given-up') {
        const [first, ...rest] = this.takeOpen()
        if (first) yield { line: first.number, bytes: bytesOf([first]), code: 'intake/csv-quote' }
        waiting.unshift(...rest)
      } else {
        this.takeOpen()
        yield row
      }
    }
  }

  *end(): Generator<CsvRow> {
    while (this.open.length > 0) {
      const [first, ...rest] = this.takeOpen()
      if (first) yield { line: first.number, bytes: bytesOf([first]), code: 'intake/csv-quote' }
      for (const line of rest) yield* this.push(line)
    }
  }

  private readOpen(last: Line): CsvRow | 'unclosed' | 'given-up' {
    const [first] = this.open
    if (first === undefined || faultOf(last) !== undefined) return 'given-up'
    const text = this.open.map(({ bytes }) => bytes.toString('utf8')).join('\n')
    const cells = splitCells(text, this.delimiter)
    if (cells === 'unclosed') {
      const isTooMuch = this.open.length >= LINES_PER_ROW_MAX || this.openBytes > this.bytesMax
      return isTooMuch ? 'given-up' : 'unclosed'
    }
    const row = { line: first.number, bytes: bytesOf(this.open) }
    return cells === 'misplaced' ? { ...row, code: 'intake/csv-quote' } : { ...row, cells }
  }

  private takeOpen(): Line[] {
    const open = this.open
    this.open = []
    this.openBytes = 0
    return open
  }
}

function isBlank(line: Line): boolean {
  return line.bytes.length < 1024 && /^[\s,;]*$/.test(line.bytes.toString('latin1'))
}

function faultOf(line: Line): IntakeCode | undefined {
  if (line.tooLarge) return 'intake/line-too-large'
  if (line.bytes.includes(0)) return 'intake/nul-byte'
  return isUtf8(line.bytes) ? undefined : 'intake/encoding'
}

function bytesOf(lines: readonly Line[]): Buffer {
  return Buffer.concat(lines.flatMap(({ bytes, ending }) => [bytes, Buffer.from(ending)]))
}
