import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../tests/builders/database.ts'
import { openDatabase } from './database.ts'
import { runPrepared, type Transaction, withActor } from './with-actor.ts'

const by = { actor: 'test', purpose: 'testing' }
let test1: TestDatabase

async function asOwner(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: test1.ownerUrl })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

beforeAll(async () => {
  test1 = await createTestDatabase()
  await asOwner(`
    create table clearance.secret (id integer primary key, what text not null);
    grant select, insert, update, delete on clearance.secret to dostyk_app;
    alter table clearance.secret enable row level security;
    alter table clearance.secret force row level security;
    create policy actor_only on clearance.secret
      using ((select platform.actor_present())) with check ((select platform.actor_present()));
  `)
  await withActor(test1.database, by, async (tx) => {
    await sql`insert into clearance.secret values (1, 'tea')`.execute(tx)
  })
})
afterAll(() => test1.drop())

const readAll = async (tx: Transaction) =>
  (await sql<{ id: number }>`select id from clearance.secret order by id`.execute(tx)).rows.map(({ id }) => id)

describe('row-level security', () => {
  test('shows the rows to one who says who acts and for what purpose', async () => {
    expect(await withActor(test1.database, by, readAll)).toEqual([1])
  })

  test('shows no rows outside such a transaction', async () => {
    const { rows } = await test1.database.pool.query('select * from clearance.secret')
    expect(rows).toEqual([])
  })

  test.each([
    { actor: 'test', purpose: '' },
    { actor: '', purpose: 'testing' },
    { actor: '', purpose: '' },
  ])('shows no rows and takes none for actor "$actor" and purpose "$purpose"', async (half) => {
    expect(await withActor(test1.database, half, readAll)).toEqual([])
    await expect(
      withActor(test1.database, half, (tx) => sql`insert into clearance.secret values (2, 'x')`.execute(tx)),
    ).rejects.toMatchObject({ code: '42501' })
  })

  test('does not carry the actor of one transaction to the next on the same connection', async () => {
    const one = openDatabase({ url: test1.appUrl, max: 1 })
    await withActor(one, by, readAll)
    expect((await one.pool.query('select * from clearance.secret')).rows).toEqual([])
    await one.close()
  })

  test('holds the owner too, and a login that may do everything', async () => {
    const owner = new pg.Client({ connectionString: test1.ownerUrl })
    await owner.connect()
    expect((await owner.query('select * from clearance.secret')).rows).toEqual([])
    await owner.end()
  })
})

describe('the role of the node', () => {
  test('is dostyk_app whatever the login is called', async () => {
    const { rows } = await test1.database.pool.query('select current_user as role')
    expect(rows).toEqual([{ role: 'dostyk_app' }])
  })

  test('is dostyk_app even when the address asks for another role', async () => {
    const url = `${test1.appUrl}${test1.appUrl.includes('?') ? '&' : '?'}options=-c%20role%3Dnone`
    const other = openDatabase({ url })
    expect((await other.pool.query('select current_user as role')).rows).toEqual([{ role: 'dostyk_app' }])
    await other.close()
  })

  test.each([
    'alter table clearance.secret disable row level security',
    'drop table clearance.secret',
    'truncate clearance.secret',
    'create table clearance.other (id integer)',
    'create policy open on clearance.secret using (true)',
    "insert into platform.migration (number, name, sha256) values (999, 'x', 'x')",
    'delete from audit.unnumbered',
    'update audit.entry set content = content',
    'delete from audit.entry',
    "insert into audit.entry (position, id, at, salt, subjects, content, leaf, chain) values (1, gen_random_uuid(), now(), '\\x00', '{}', '', '\\x00', '\\x00')",
    'select * from audit.unnumbered',
  ])('may not: %s', async (statement) => {
    await expect(test1.database.pool.query(statement)).rejects.toMatchObject({ code: '42501' })
  })
})

describe('withActor', () => {
  test('rolls everything back when the work fails', async () => {
    const failing = withActor(test1.database, by, async (tx) => {
      await sql`insert into clearance.secret values (3, 'x')`.execute(tx)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await withActor(test1.database, by, readAll)).toEqual([1])
  })

  test('dies loudly when work goes on after a statement failed', async () => {
    const swallowing = withActor(test1.database, by, async (tx) => {
      await sql`insert into clearance.secret values (1, 'again')`.execute(tx).catch(() => {})
    })
    await expect(swallowing).rejects.toThrow('Bug')
  })

  test('dies loudly when a transaction is used after its end', async () => {
    const kept = await withActor(test1.database, by, async (tx) => tx)
    await expect(readAll(kept)).rejects.toThrow('Bug')
  })

  test('takes quotes and newlines in actor and purpose as text', async () => {
    const odd = { actor: `o'hara\\'; drop table x; --`, purpose: 'line\nline' }
    const { rows } = await withActor(test1.database, odd, (tx) =>
      sql<{ actor: string; purpose: string }>`
        select current_setting('dostyk.actor') as actor, current_setting('dostyk.purpose') as purpose`.execute(tx),
    )
    expect(rows).toEqual([odd])
  })

  test('runs work again that lost a serialization conflict', async () => {
    await withActor(test1.database, by, (tx) => sql`insert into clearance.secret values (10, '0')`.execute(tx))
    const addOne = () =>
      withActor(
        test1.database,
        by,
        async (tx) => {
          const { rows } = await sql<{ what: string }>`select what from clearance.secret where id = 10`.execute(tx)
          await sql`update clearance.secret set what = ${String(Number(rows[0]?.what) + 1)} where id = 10`.execute(tx)
        },
        { isolation: 'serializable' },
      )
    await Promise.all([addOne(), addOne(), addOne()])
    const { rows } = await withActor(test1.database, by, (tx) =>
      sql<{ what: string }>`select what from clearance.secret where id = 10`.execute(tx),
    )
    expect(rows).toEqual([{ what: '3' }])
    await withActor(test1.database, by, (tx) => sql`delete from clearance.secret where id = 10`.execute(tx))
  })

  test('gives integers as numbers, instants and dates as text, numerics as decimal text, bytes as a Buffer', async () => {
    const [row] = await withActor(test1.database, by, (tx) =>
      runPrepared(
        tx,
        {
          name: 'test/columns',
          text: `select 9007199254740991::bigint as integer, '2026-11-22 03:00:00.5+05'::timestamptz as instant,
               '2026-11-22'::date as day, 12.50::numeric as mass, '\\x00ff'::bytea as bytes, '{"a":[1]}'::jsonb as json`,
        },
        [],
      ),
    )
    expect(row).toEqual({
      integer: 9007199254740991,
      instant: '2026-11-21T22:00:00.500Z',
      day: '2026-11-22',
      mass: '12.50',
      bytes: Buffer.from([0, 255]),
      json: { a: [1] },
    })
  })

  test('never rounds a bigint', async () => {
    const reading = withActor(test1.database, by, (tx) => sql`select 9007199254740993::bigint as integer`.execute(tx))
    await expect(reading).rejects.toThrow('Bug')
  })

  test('says that an unreachable database is a fault worth trying again', async () => {
    const nowhere = openDatabase({ url: 'postgres://u:p@127.0.0.1:1/none' })
    await expect(withActor(nowhere, by, readAll)).rejects.toMatchObject({
      code: 'platform/database-unavailable',
      retryable: true,
    })
    await nowhere.close()
  })

  test('says that a connection cut during the work is a fault worth trying again, and goes on with a new one', async () => {
    const cut = withActor(test1.database, by, async (tx) => {
      await sql`set local role none`.execute(tx)
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx)
    })
    await expect(cut).rejects.toMatchObject({ code: 'platform/database-unavailable', retryable: true })
    expect(await withActor(test1.database, by, readAll)).toEqual([1])
  })
})
