import pg from 'pg'

/** One column as the database describes it. */
export interface Column {
  readonly schema: string
  readonly table: string
  readonly column: string
  /** The type's name in pg_type: `int8`, `timestamptz`, `_text` for text[]. */
  readonly type: string
  readonly nullable: boolean
  /** `default`: may be left out on insert. `always`: the database alone writes it. */
  readonly filled: 'default' | 'always' | 'never'
}

/** Reads the columns of every table and view that is ours, in the order they stand in. */
export async function readColumns(url: string): Promise<readonly Column[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Column>(`
      select n.nspname as schema, c.relname as table, a.attname as column, t.typname as type,
        not a.attnotnull as nullable,
        case when a.attgenerated <> '' or a.attidentity = 'a' then 'always'
             when a.atthasdef or a.attidentity = 'd' then 'default'
             else 'never' end as filled
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
        and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
      order by n.nspname, c.relname, a.attnum`)
    return rows
  } finally {
    await client.end()
  }
}
