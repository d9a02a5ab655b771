import type { IntakeCode } from './codes.ts'
import type { CsvHeader, CsvRow } from './csv-rows.ts'
import type { CsvTable } from './csv-tables.ts'
import type { Reading } from './reading.ts'
import { SourceNode } from './source-tree.ts'
import { stationFrom } from './values.ts'

/** Several values in one cell stand beside each other with this between them. */
const BETWEEN = '|'

/** The readable rows of one record as source nodes: a child for each filled cell, named after its column. */
export class RowReading {
  readonly reading: Reading
  readonly rows: readonly SourceNode[]
  private readonly root = new SourceNode({ name: '', step: '' })

  constructor(header: CsvHeader, rows: readonly Omit<CsvRow, 'bytes'>[], reading: Reading) {
    this.reading = reading
    const nodes = rows.map((row, at) => {
      const node = new SourceNode({ name: 'rows', parent: this.root, step: `/rows/${at}`, line: row.line, column: 1 })
      this.root.append(node)
      return this.fill(node, row, header) ? node : undefined
    })
    this.rows = nodes.filter((node) => node !== undefined)
  }

  /** Gives a row its cells; false when the row itself cannot be read, which refuses the record. */
  private fill(node: SourceNode, row: Omit<CsvRow, 'bytes'>, header: CsvHeader): boolean {
    const cells = row.cells ?? []
    const { columns } = header
    if (row.code !== undefined) this.reading.refuse(row.code, node)
    else if (cells.length !== columns.length)
      this.reading.refuse('intake/csv-row-shape', node, { cells: cells.length, columns: columns.length })
    else {
      for (const [index, cell] of cells.entries()) {
        const name = columns[index]
        const text = cell.trim()
        if (name === undefined || text === '') continue
        const child = new SourceNode({ name, parent: node, step: `/${name}`, line: row.line, column: index + 1 })
        child.text = text
        node.append(child)
      }
      return true
    }
    return false
  }

  /** The first row, at which what is missing from the record is missed. */
  get first(): SourceNode {
    return this.rows[0] ?? this.root
  }

  refuse(code: IntakeCode): void {
    this.reading.refuse(code, this.first)
  }

  cell(row: SourceNode, name: string): SourceNode | undefined {
    return this.reading.one(row, name)
  }

  /** A value of the whole record: every row that fills the cell must fill it alike. */
  shared(name: string): SourceNode | undefined {
    let said: SourceNode | undefined
    for (const row of this.rows) {
      const cell = this.cell(row, name)
      if (cell === undefined) continue
      if (said === undefined) said = cell
      else if (said.text !== cell.text) this.reading.refuse('intake/csv-rows-disagree', cell, { element: name })
    }
    return said
  }

  must<Value>(name: string, read: (node: SourceNode) => Value | undefined): Value | undefined {
    const cell = this.shared(name)
    return cell === undefined ? this.reading.missing(this.first, [name]) : read(cell)
  }

  may<Value>(name: string, read: (node: SourceNode) => Value | undefined): Value | undefined {
    return this.reading.may(this.shared(name), read)
  }

  /** The members of a cell that holds several; each stands where the cell stands. */
  members(cell: SourceNode | undefined): SourceNode[] {
    if (cell?.text === undefined) return []
    const parts = cell.text.split(BETWEEN, this.reading.limits.cellValuesMax + 1)
    if (parts.length > this.reading.limits.cellValuesMax) {
      this.reading.refuse('intake/too-many', cell, { max: this.reading.limits.cellValuesMax })
      return []
    }
    return parts.map((part) => part.trim()).flatMap((text) => (text === '' ? [] : [saying(cell, text)]))
  }

  list<Value>(cell: SourceNode | undefined, read: (node: SourceNode) => Value | undefined): Value[] {
    return this.members(cell).flatMap((node) => this.reading.may(node, read) ?? [])
  }

  /** Members written as `left:right`; without a colon the whole member is the right side. */
  pairs(cell: SourceNode | undefined): [SourceNode | undefined, SourceNode][] {
    return this.members(cell).map((member) => {
      const text = member.text ?? ''
      const at = text.indexOf(':')
      return at === -1 ? [undefined, member] : [saying(member, text.slice(0, at)), saying(member, text.slice(at + 1))]
    })
  }

  /** A value with the code it needs beside it, such as an amount and its currency. */
  paired(value: SourceNode | undefined, code: SourceNode | undefined): SourceNode | undefined {
    if (value === undefined || code?.text === undefined) return value
    return saying(value, value.text ?? '', new Map([['currencyID', code.text]]))
  }

  station(codes: SourceNode | undefined, name: SourceNode | undefined, country: SourceNode | undefined) {
    const r = this.reading
    return stationFrom({
      codes: this.list(codes, r.identifier(17)),
      name: r.may(name, r.named(256)),
      country: r.may(country, r.country),
    })
  }
}

/** A value that stands where a cell stands and says a part of it, or more. */
function saying(cell: SourceNode, text: string, attributes?: ReadonlyMap<string, string>): SourceNode {
  const node = new SourceNode({
    name: cell.name,
    parent: cell.parent,
    step: `/${cell.name}`,
    line: cell.line ?? 1,
    column: cell.column ?? 1,
    ...(attributes && { attributes }),
  })
  node.text = text.trim() || undefined
  return node
}

/**
 * What tells the record of a row: the values of its key columns. Undefined when the row cannot be read, or leaves open
 * what no row may.
 */
export function keyOf(table: CsvTable, header: CsvHeader, row: CsvRow): readonly string[] | undefined {
  if (row.cells === undefined) return undefined
  const values = table.key.map((name) => row.cells?.[header.columns.indexOf(name)]?.trim() ?? '')
  const isOpen = table.key.some((name, at) => table.needed.includes(name) && values[at] === '')
  return isOpen ? undefined : values
}

/** The key of two rows of one record, or undefined when they belong to two. What one leaves open the other fills. */
export function joinKeys(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  const agree = a.every((value, at) => value === '' || b[at] === '' || value === b[at])
  return agree ? a.map((value, at) => value || (b[at] ?? '')) : undefined
}
