import { Fault } from '../../src/kernel/index.ts'
import type { Column } from './read-columns.ts'

/** What a column reads as; src/platform/db/column-types.ts makes it so. */
const readTypes: Readonly<Record<string, string>> = {
  bool: 'boolean',
  bytea: 'Buffer',
  date: 'string',
  int2: 'number',
  int4: 'number',
  int8: 'number',
  float8: 'number',
  numeric: 'string',
  text: 'string',
  timestamptz: 'string',
  uuid: 'string',
}

function scalar(type: string): string | undefined {
  return readTypes[type]
}

/** JSON goes in as text that the writer has made, and comes out parsed and still to be checked. */
const jsonTypes = new Set(['json', 'jsonb'])

function columnType({ schema, table, column, type, nullable, filled }: Column): string {
  const orNull = nullable ? ' | null' : ''
  if (jsonTypes.has(type)) {
    const insert = `string${orNull}${nullable || filled !== 'never' ? ' | undefined' : ''}`
    return `ColumnType<unknown, ${insert}, string${orNull}>`
  }
  const element = type.startsWith('_') ? scalar(type.slice(1)) : undefined
  const plain = element ? `${element}[]` : scalar(type)
  if (plain === undefined)
    throw new Fault(
      'platform/column-type-unknown',
      `The column ${schema}.${table}.${column} has the type ${type}, which no row type is known for. ` +
        'Use another type, or say in tools/row-types and in column-types.ts what it reads as.',
      { facts: { schema, table, column, type } },
    )
  if (filled === 'always') return `GeneratedAlways<${plain}${orNull}>`
  if (filled === 'default') return `Generated<${plain}${orNull}>`
  return `${plain}${orNull}`
}

/** `exchange.outbound_part` to `ExchangeOutboundPart`. */
function typeName(schema: string, table: string): string {
  return `${schema}_${table}`
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

/** Writes the file: a row type per table, and the interface that Kysely takes. */
export function writeRowTypes(columns: readonly Column[]): string {
  const tables = Map.groupBy(columns, ({ schema, table }) => `${schema}.${table}`)
  const rows = [...tables.values()].map((own) => {
    const { schema, table } = own[0] as Column
    const lines = own.map((column) => `  ${column.column}: ${columnType(column)}`)
    return `export interface ${typeName(schema, table)} {\n${lines.join('\n')}\n}\n`
  })
  const list = [...tables.values()].map((own) => {
    const { schema, table } = own[0] as Column
    return `  '${schema}.${table}': ${typeName(schema, table)}`
  })
  const body = `${rows.join('\n')}\nexport interface Tables {\n${list.join('\n')}\n}\n`
  const used = ['ColumnType', 'Generated', 'GeneratedAlways'].filter((name) => body.includes(`${name}<`))
  const imports = used.length > 0 ? `import type { ${used.join(', ')} } from 'kysely'\n\n` : ''
  return `// Generated from the migrations by "npm run row-types". A change starts with a migration.\n${imports}${body}`
}
