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

/** How many lines a row may stretch over before its quotation mark counts as forgotten. */
const LINES_PER_ROW_MAX = 20

/**
 * Splits one row into cells (RFC 4180): a cell in quotation marks may hold the delimiter, line ends and doubled marks;
 * a mark inside an unquoted cell is misplaced. What looks like a formula is text.
 */
export function splitCells(row: string, delimiter: Delimiter): readonly string[] | 'unclosed' | 'misplaced' {
  const cells: string[] = []
  for (let at = 0; ; ) {
    if (row[at] !== '"') {
      const end = row.indexOf(delimiter, at)
      const cell = row.slice(at, end === -1 ? undefined : end)
      if (cell.includes('"')) return 'misplaced'
      cells.push(cell)
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

interface WaitingLine {
  readonly line: Line
  /** How many quotation marks it holds; in a whole row they are even. */
  readonly marks: number
}

/**
 * Puts lines together to rows. A forgotten quotation mark costs the line it stands on: when the row does not end
 * within a few lines, the lines after it are read anew.
 */
export class RowAssembler {
  private readonly delimiter: Delimiter
  private open: WaitingLine[] = []
  private marks = 0

  constructor(delimiter: Delimiter) {
    this.delimiter = delimiter
  }

  *push(line: Line): Generator<CsvRow> {
    yield* this.read([{ line, marks: marksIn(line.bytes) }])
  }

  *end(): Generator<CsvRow> {
    while (this.open.length > 0) yield* this.giveUp()
  }

  private *read(lines: readonly WaitingLine[]): Generator<CsvRow> {
    for (const next of lines) {
      const fault = faultOf(next.line)
      if (fault !== undefined) {
        while (this.open.length > 0) yield* this.giveUp()
        yield { line: next.line.number, bytes: bytesOf([next]), code: fault }
        continue
      }
      if (this.open.length === 0 && isBlank(next.line)) continue
      this.open.push(next)
      this.marks += next.marks
      if (this.marks % 2 === 0) yield this.finish()
      else if (this.open.length === LINES_PER_ROW_MAX) yield* this.giveUp()
    }
  }

  private finish(): CsvRow {
    const lines = this.takeOpen()
    const cells = splitCells(lines.map(({ line }) => line.bytes.toString('utf8')).join('\n'), this.delimiter)
    const row = { line: lines[0]?.line.number ?? 0, bytes: bytesOf(lines) }
    return typeof cells === 'string' ? { ...row, code: 'intake/csv-quote' } : { ...row, cells }
  }

  private *giveUp(): Generator<CsvRow> {
    const [first, ...rest] = this.takeOpen()
    if (first) yield { line: first.line.number, bytes: bytesOf([first]), code: 'intake/csv-quote' }
    yield* this.read(rest)
  }

  private takeOpen(): readonly WaitingLine[] {
    const open = this.open
    this.open = []
    this.marks = 0
    return open
  }
}

function marksIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0x22); at !== -1; at = bytes.indexOf(0x22, at + 1)) count += 1
  return count
}

function isBlank(line: Line): boolean {
  return line.bytes.length < 1024 && /^[\s,;]*$/.test(line.bytes.toString('latin1'))
}

function faultOf(line: Line): IntakeCode | undefined {
  if (line.tooLarge) return 'intake/line-too-large'
  if (line.bytes.includes(0)) return 'intake/nul-byte'
  return isUtf8(line.bytes) ? undefined : 'intake/encoding'
}

function bytesOf(lines: readonly WaitingLine[]): Buffer {
  return Buffer.concat(lines.flatMap(({ line }) => [line.bytes, Buffer.from(line.ending)]))
}
