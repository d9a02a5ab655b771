import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  DummyDriver,
  Transaction as KyselyTransaction,
  PostgresAdapter,
  PostgresDialect,
  PostgresQueryCompiler,
  type QueryResult,
  SingleConnectionProvider,
} from 'kysely'
import pg from 'pg'
import { assert } from '../../kernel/index.ts'
import type { Database } from './database.ts'
import { faultOf } from './postgres-errors.ts'
import type { Tables } from './row-types.ts'

/** Who acts and for what purpose; without both, payload tables show no rows and take none. */
export interface ActedBy {
  readonly actor: string
  readonly purpose: string
}

/** One open transaction. It dies loudly when used after its end. */
export type Transaction = KyselyTransaction<Tables>

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readonly readOnly?: boolean
}

/** A statement that the server parses and plans once per connection: for the few that run hundreds of times a second. */
export interface PreparedStatement {
  /** Unique in the program, at most 63 bytes. */
  readonly name: string
  readonly text: string
}

const ATTEMPTS_MAX = 4
const RETRY_DELAY_MS = 10
/** Serialization failure and deadlock: the transaction lost to another and left no trace. */
const RETRYABLE_STATES = new Set(['40001', '40P01'])

/** Binds Kysely to one checked-out connection for the length of one transaction. */
class TransactionConnection implements DatabaseConnection {
  private readonly client: pg.PoolClient
  private open = true

  constructor(client: pg.PoolClient) {
    this.client = client
  }

  end(): void {
    this.open = false
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { sql: text, parameters } = query
    const result = await this.run<Row & object>({ name: insertName(text), text, values: parameters as unknown[] })
    const changes = /^(INSERT|UPDATE|DELETE|MERGE)$/.test(result.command)
    return { rows: result.rows, ...(changes && { numAffectedRows: BigInt(result.rowCount ?? 0) }) }
  }

  // biome-ignore lint/correctness/useYield: cursors are not offered
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Bug: read in pages; a transaction gives no cursor')
  }

  run<Row extends object>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    assert(this.open, 'a transaction is not used after its end')
    return this.client.query<Row>(query)
  }
}

/** The program's statements are templates, some hundred of them; should there ever be more, the rest goes unprepared. */
const INSERTS_MAX = 200
const inserts = new Map<string, string>()

/**
 * Names an insert, so that the server reads and plans it once per connection: half of its cost where rows come one by
 * one. A statement that looks something up is planned at each call, for a plan made while a table was empty would go
 * on to read all of it.
 */
function insertName(text: string): string | undefined {
  if (!/^\s*insert\s/i.test(text)) return undefined
  const known = inserts.get(text)
  if (known !== undefined || inserts.size === INSERTS_MAX) return known
  const name = `insert/${inserts.size + 1}`
  inserts.set(text, name)
  return name
}

const compiler = new PostgresQueryCompiler()
const adapter = new PostgresAdapter()
const driver = new DummyDriver()
const dialect = new PostgresDialect({
  pool: async () => Promise.reject(new Error('Bug: a transaction has its connection')),
})
const connections = new WeakMap<Transaction, TransactionConnection>()

function transactionOn(connection: TransactionConnection): Transaction {
  const executor = new DefaultQueryExecutor(compiler, adapter, new SingleConnectionProvider(connection))
  const tx = new KyselyTransaction<Tables>({ config: { dialect }, driver, dialect, executor })
  connections.set(tx, connection)
  return tx
}

/** One round trip: the settings are local to the transaction and vanish with it. */
function beginText(by: ActedBy, options: TransactionOptions): string {
  const isolation = options.isolation ? ` isolation level ${options.isolation}` : ''
  const access = options.readOnly ? ' read only' : ''
  return (
    `begin${isolation}${access};select set_config('dostyk.actor',${pg.escapeLiteral(by.actor)},true),` +
    `set_config('dostyk.purpose',${pg.escapeLiteral(by.purpose)},true)`
  )
}

async function attempt<Result>(
  database: Database,
  by: ActedBy,
  work: (tx: Transaction) => Promise<Result>,
  options: TransactionOptions,
): Promise<Result> {
  const client = await database.pool.connect()
  const connection = new TransactionConnection(client)
  try {
    await client.query(beginText(by, options))
    const result = await work(transactionOn(connection))
    connection.end()
    const { command } = await client.query('commit')
    assert(command === 'COMMIT', 'the work of a transaction does not go on after one of its statements failed')
    client.release()
    return result
  } catch (error) {
    connection.end()
    const broken = await client.query('rollback').then(
      () => false,
      () => true,
    )
    client.release(broken)
    throw error
  }
}

/**
 * Runs work in one transaction that says who acts and for what purpose.
 *
 * Why: payload tables are under row-level security that looks at these two settings; they are local to the
 * transaction, so a pooled connection never carries them on to the next. A transaction that lost to another one
 * (deadlock or serialization failure) is run again from the start, up to four times: the work touches nothing but
 * `tx`, and is told to nobody before the commit.
 *
 * @returns what the work returned, after the commit is durable
 * @throws Fault `platform/database-*` when the world failed (an unavailable database during commit leaves the outcome
 *   open: whoever retries must be idempotent); other errors of the work or the database as they are
 */
export async function withActor<Result>(
  database: Database,
  by: ActedBy,
  work: (tx: Transaction) => Promise<Result>,
  options: TransactionOptions = {},
): Promise<Result> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt(database, by, work, options)
    } catch (error) {
      const state = (error as { code?: unknown }).code
      const lostToAnother = typeof state === 'string' && RETRYABLE_STATES.has(state)
      if (!lostToAnother || attempts === ATTEMPTS_MAX) throw faultOf(error)
      await sleep(RETRY_DELAY_MS * attempts * (0.5 + Math.random()))
    }
  }
}

/** Runs a prepared statement inside a transaction, past the query builder. Columns arrive as everywhere else. */
export async function runPrepared<Row extends object>(
  tx: Transaction,
  statement: PreparedStatement,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const connection = connections.get(tx)
  assert(connection, 'the transaction comes from withActor')
  const { rows } = await connection.run<Row>({ ...statement, values: values as unknown[] })
  return rows
}
