import { describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../tests/builders/database.ts'
import { type Column, readColumns } from './read-columns.ts'
import { writeRowTypes } from './write-row-types.ts'

const column = (change: Partial<Column>): Column => ({
  schema: 'law',
  table: 'some_table',
  column: 'id',
  type: 'uuid',
  nullable: false,
  filled: 'never',
  ...change,
})

describe('writeRowTypes', () => {
  test('writes a row type per table and lists the tables', () => {
    const text = writeRowTypes([
      column({}),
      column({ column: 'at', type: 'timestamptz', nullable: true }),
      column({ column: 'state', type: 'text', filled: 'default' }),
      column({ table: 'zebra', column: 'names', type: '_text' }),
    ])
    expect(text).toBe(`// Generated from the migrations by "npm run row-types". A change starts with a migration.
import type { Generated } from 'kysely'

export interface LawSomeTable {
  id: string
  at: string | null
  state: Generated<string>
}

export interface LawZebra {
  names: string[]
}

export interface Tables {
  'law.some_table': LawSomeTable
  'law.zebra': LawZebra
}
`)
  })

  test('lets JSON in as text only, and out unchecked', () => {
    const text = writeRowTypes([column({ type: 'jsonb' }), column({ column: 'maybe', type: 'jsonb', nullable: true })])
    expect(text).toContain('id: ColumnType<unknown, string, string>')
    expect(text).toContain('maybe: ColumnType<unknown, string | null | undefined, string | null>')
  })

  test('refuses a column of a type it does not know', () => {
    expect(() => writeRowTypes([column({ type: 'tsvector' })])).toThrow('law.some_table.id')
  })
})

test('readColumns finds the tables of the migrated schema, what may be null and what fills itself', async () => {
  const { ownerUrl, drop } = await createTestDatabase()
  const columns = await readColumns(ownerUrl)
  await drop()
  const find = (table: string, name: string) => columns.find((each) => each.table === table && each.column === name)
  expect(find('migration', 'applied_at')).toMatchObject({ type: 'timestamptz', nullable: false, filled: 'default' })
  expect(find('entry', 'position')).toMatchObject({ schema: 'audit', type: 'int8', nullable: false, filled: 'never' })
  expect(new Set(columns.map(({ schema }) => schema))).toEqual(
    new Set(['access', 'audit', 'clearance', 'exchange', 'law', 'platform']),
  )
})
