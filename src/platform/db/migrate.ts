import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { assert, Fault } from '../../kernel/index.ts'
import { readUrl } from './database.ts'
import { describeUrl, faultOf } from './postgres-errors.ts'

/** One numbered step of the schema. */
export interface Migration {
  readonly number: number
  readonly name: string
  readonly sha256: string
  readonly sql: string
}

export interface MigrationReport {
  /** The numbers that this call applied, in order. */
  readonly applied: readonly number[]
  /** The number that the database stands at now. */
  readonly at: number
}

const MIGRATION_FILE = /^(\d{4})_([a-z0-9-_]+)\.sql$/
const MIGRATION_LOCK = 7_305_443_003
const POSTGRES_VERSION_MIN = 150_000
const ownMigrations = fileURLToPath(new URL('./migrations/', import.meta.url))

/** Reads the numbered SQL files of a folder; line ends do not change a file's digest. */
export async function readMigrations(folder: string = ownMigrations): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const migrations = await Promise.all(
    names.map(async (file) => {
      const match = MIGRATION_FILE.exec(file)
      assert(match?.[1] && match[2], `a migration is called NNNN_name.sql, not ${file}`)
      const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n')
      const sha256 = createHash('sha256').update(sql).digest('hex')
      return { number: Number(match[1]), name: match[2], sha256, sql }
    }),
  )
  migrations.forEach(({ number }, index) => {
    assert(index === 0 || number > (migrations[index - 1]?.number ?? 0), `two migrations have the number ${number}`)
  })
  return migrations
}

interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly sha256: string
}

/** Refuses a database whose history is not the beginning of ours. */
function checkHistory(applied: readonly AppliedMigration[], known: readonly Migration[]): void {
  applied.forEach((step, index) => {
    if (!known.some(({ number }) => number === step.number))
      throw new Fault(
        'platform/database-newer',
        `The database has migration ${step.number} (${step.name}), which this version does not know. ` +
          'Start the version that made it, or a newer one.',
        { facts: { number: step.number, known: known.at(-1)?.number } },
      )
    const ours = known[index]
    if (ours?.number !== step.number || ours.sha256 !== step.sha256)
      throw new Fault(
        'platform/migration-changed',
        `Migration ${step.number} (${step.name}) was applied in another form or order than this version has. ` +
          'An applied migration is never edited: install the released version again, or add a new migration.',
        { facts: { number: step.number, applied: step.sha256, file: ours?.sha256 } },
      )
  })
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    "select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding",
  )
  const { version, encoding } = rows[0] ?? { version: '0', encoding: '' }
  if (Number(version) < POSTGRES_VERSION_MIN)
    throw new Fault('platform/postgres-version', `PostgreSQL 15 or newer is needed, and this is ${version}.`, {
      facts: { found: version },
    })
  if (encoding !== 'UTF8')
    throw new Fault(
      'platform/database-encoding',
      `The database keeps text as ${encoding}; make it with encoding UTF8.`,
      {
        facts: { found: encoding },
      },
    )
}

/** The role that receives every right the node has; made here where the owner may, asked for where not. */
async function ensureAppRole(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ strong: boolean }>(
    "select rolsuper or rolbypassrls as strong from pg_roles where rolname = 'dostyk_app'",
  )
  if (rows[0]?.strong)
    throw new Fault(
      'platform/database-role',
      'The role dostyk_app is a superuser or bypasses row-level security, so nothing would hold it back. ' +
        'Let the administrator of the database run "alter role dostyk_app nosuperuser nobypassrls".',
    )
  if (rows[0] !== undefined) return
  try {
    await client.query('create role dostyk_app nologin')
  } catch (error) {
    // Roles belong to the whole server: the owner of another database of ours may have made it meanwhile.
    const state = (error as pg.DatabaseError).code
    if (state === '42710' || state === '23505') return
    if (state !== '42501') throw error
    throw new Fault(
      'platform/database-role',
      'The role dostyk_app does not exist, and the owner login may not create roles. Let the administrator of the ' +
        'database run "create role dostyk_app nologin; grant dostyk_app to <the node\'s login>".',
      { cause: error },
    )
  }
  await letOwnerActAsApp(client)
}

/** Who makes the role may also work as it, so that one login is enough to begin with. */
async function letOwnerActAsApp(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ member: boolean; version: number }>(
    `select pg_has_role(current_user, 'dostyk_app', 'member') and
       current_setting('server_version_num')::int < 160000 as member,
       current_setting('server_version_num')::int as version`,
  )
  if (rows[0]?.member) return
  const inherit = (rows[0]?.version ?? 0) >= 160_000 ? ' with inherit false, set true' : ''
  await client.query(`grant dostyk_app to current_user${inherit}`)
}

async function ensureLedger(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ ledger: string | null }>("select to_regclass('platform.migration') as ledger")
  if (rows[0]?.ledger) return
  await client.query('create schema if not exists platform')
  await client.query(
    `create table platform.migration (
       number integer primary key,
       name text not null,
       sha256 text not null,
       applied_at timestamptz not null default now()
     )`,
  )
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(migration.sql)
    await client.query('insert into platform.migration (number, name, sha256) values ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.sha256,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    if ((error as pg.DatabaseError).code === '42501') throw error
    const asFault = faultOf(error)
    if (asFault instanceof Fault) throw asFault
    throw new Fault(
      'platform/migration-failed',
      `Migration ${migration.number} (${migration.name}) was rolled back: ${(error as Error).message}`,
      { cause: error, facts: { number: migration.number } },
    )
  }
}

/**
 * Brings a database to this version's schema, one numbered file per transaction.
 *
 * Why: every process calls it at its start. An advisory lock lets one work while the others wait and then find
 * nothing to do. A changed file or a newer database stops the start instead of guessing.
 *
 * @param ownerUrl a login that owns the database, or may create schemas in it
 * @throws Fault `platform/database-*`, `platform/migration-*`, each saying what to do
 */
export async function migrate(
  ownerUrl: string,
  options: { readonly migrations?: readonly Migration[] } = {},
): Promise<MigrationReport> {
  readUrl(ownerUrl)
  const known = options.migrations ?? (await readMigrations())
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'dostyk migrate' })
  client.on('error', () => {})
  try {
    await client.connect()
    await checkServer(client)
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await ensureAppRole(client)
    await ensureLedger(client)
    const { rows: applied } = await client.query<AppliedMigration>(
      'select number, name, sha256 from platform.migration order by number',
    )
    checkHistory(applied, known)
    const pending = known.slice(applied.length)
    for (const migration of pending) await apply(client, migration)
    return { applied: pending.map(({ number }) => number), at: known.at(-1)?.number ?? 0 }
  } catch (error) {
    if ((error as pg.DatabaseError).code === '42501' && !(error instanceof Fault))
      throw new Fault(
        'platform/database-rights',
        `The owner login ${describeUrl(ownerUrl)} lacks a right: ${(error as Error).message}. Let the administrator ` +
          'of the database make it the owner of the database ("alter database <name> owner to <login>").',
        { cause: error },
      )
    throw faultOf(error)
  } finally {
    await client.end().catch(() => {})
  }
}
