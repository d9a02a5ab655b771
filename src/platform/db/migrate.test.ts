import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../tests/builders/database.ts'
import { type Migration, migrate, readMigrations } from './migrate.ts'

const open: TestDatabase[] = []
afterEach(async () => {
  for (const database of open.splice(0)) await database.drop()
})

async function migratedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  open.push(database)
  return database
}

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await migratedDatabase()
  await query(database.ownerUrl, 'drop schema if exists platform, audit, law, exchange, clearance, access cascade')
  return database
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const numbers = (migrations: readonly Migration[]) => migrations.map(({ number }) => number)

/** The real files and two more, so that tests may change the last ones. */
async function withExtra(...extra: string[]): Promise<readonly Migration[]> {
  const real = await readMigrations()
  return [...real, ...extra.map((sql, index) => ({ number: 9000 + index, name: `extra${index}`, sha256: sql, sql }))]
}

describe('migrate', () => {
  test('applies each file once, in order, and nothing the second time', async () => {
    const { ownerUrl } = await emptyDatabase()
    const known = await readMigrations()
    expect(await migrate(ownerUrl)).toEqual({ applied: numbers(known), at: numbers(known).at(-1) })
    expect(await migrate(ownerUrl)).toEqual({ applied: [], at: numbers(known).at(-1) })
  })

  test('applies only what is missing', async () => {
    const { ownerUrl } = await migratedDatabase()
    const migrations = await withExtra('create table audit.extra (id integer)')
    expect(await migrate(ownerUrl, { migrations })).toEqual({ applied: [9000], at: 9000 })
  })

  test('lets four processes start at once and applies everything once', async () => {
    const { ownerUrl } = await emptyDatabase()
    const program = fileURLToPath(new URL('../../../tests/builders/migrate-process.ts', import.meta.url))
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(
        () =>
          new Promise((resolve, reject) => {
            const child = fork(program, [ownerUrl], { execArgv: [] })
            child.once('message', resolve)
            child.once('error', reject)
            child.once('exit', (code) => code && reject(new Error(`ended with ${code}`)))
          }),
      ),
    )
    const known = await readMigrations()
    const applied = outcomes.flatMap((outcome) => (outcome as { applied: number[] }).applied)
    expect(applied.sort((a, b) => a - b)).toEqual(numbers(known))
  })

  test('rolls a failing file back whole and says which', async () => {
    const { ownerUrl } = await migratedDatabase()
    const migrations = await withExtra('create table audit.half (id integer); select 1/0')
    await expect(migrate(ownerUrl, { migrations })).rejects.toMatchObject({
      code: 'platform/migration-failed',
      facts: { number: 9000 },
    })
    expect(await query(ownerUrl, "select to_regclass('audit.half') as made")).toEqual([{ made: null }])
  })

  test('refuses a file that changed after it was applied', async () => {
    const { ownerUrl } = await migratedDatabase()
    const real = await readMigrations()
    const migrations = real.map((step) => (step.number === 1 ? { ...step, sha256: '0'.repeat(64) } : step))
    await expect(migrate(ownerUrl, { migrations })).rejects.toMatchObject({ code: 'platform/migration-changed' })
  })

  test('refuses a file that was slipped in before one already applied', async () => {
    const { ownerUrl } = await migratedDatabase()
    const [first, ...others] = await withExtra('select 1')
    await migrate(ownerUrl, { migrations: [first, ...others] as Migration[] })
    const slipped = { number: 8999, name: 'slipped', sha256: 'x', sql: 'select 1' }
    const migrations = [first, ...others.slice(0, -1), slipped, ...others.slice(-1)] as Migration[]
    await expect(migrate(ownerUrl, { migrations })).rejects.toMatchObject({ code: 'platform/migration-changed' })
  })

  test('refuses a database that a newer version migrated', async () => {
    const { ownerUrl } = await migratedDatabase()
    await migrate(ownerUrl, { migrations: await withExtra('select 1') })
    await expect(migrate(ownerUrl)).rejects.toMatchObject({ code: 'platform/database-newer' })
  })

  test('tells what to do when the login may not make schemas', async () => {
    const { ownerUrl, appUrl } = await emptyDatabase()
    expect(await query(ownerUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    await expect(migrate(appUrl)).rejects.toMatchObject({ code: 'platform/database-rights' })
  })

  test('faults on a database that is away', async () => {
    await expect(migrate('postgres://u:p@127.0.0.1:1/none')).rejects.toMatchObject({
      code: 'platform/database-unavailable',
      retryable: true,
    })
  })
})
