import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { Fault } from '../../kernel/index.ts'
import { columnTypes } from './column-types.ts'
import type { Tables } from './row-types.ts'

export interface DatabaseOptions {
  readonly url: string
  /** Most connections held at once. */
  readonly max?: number
  /** Told of a connection that broke while idle; the pool replaces it. */
  readonly onIdleError?: (error: Error) => void
}

/** A database as the node uses it: always as the role dostyk_app, whoever the login is. */
export interface Database {
  /** For reading what stands under no row-level security, outside a transaction. */
  readonly db: Kysely<Tables>
  readonly pool: pg.Pool
  /** The address with our session settings, for a connection beside the pool. */
  readonly sessionUrl: string
  close(): Promise<void>
}

const CONNECT_MS_MAX = 10_000
const IDLE_MS_MAX = 60_000

/** What every session starts with; the role comes last, so that nothing in the address overrides it. */
const sessionSettings = {
  TimeZone: 'UTC',
  statement_timeout: '60s',
  lock_timeout: '20s',
  idle_in_transaction_session_timeout: '60s',
  role: 'dostyk_app',
} as const

/**
 * Reads the address of a database, before a driver that fails on it would repeat it with its password.
 * @throws Fault `platform/database-url`
 */
export function readUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'postgres:' && parsed?.protocol !== 'postgresql:')
    throw new Fault('platform/database-url', 'The address of the database begins with postgres:// or postgresql://.')
  return parsed
}

/** The address of a database with our session settings added to its own. */
export function sessionUrl(url: string): string {
  const parsed = readUrl(url)
  const settings = Object.entries(sessionSettings).map(([name, value]) => `-c ${name}=${value}`)
  parsed.searchParams.set('options', [parsed.searchParams.get('options') ?? '', ...settings].join(' ').trim())
  return parsed.toString()
}

/**
 * Opens a pool of connections that act as dostyk_app.
 *
 * Why: the role is set when a connection starts, so even a superuser's DATABASE_URL is held by row-level security and
 * cannot alter a table. Nothing connects before the first use.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const url = sessionUrl(options.url)
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 16,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    keepAlive: true,
    application_name: 'dostyk',
    types: columnTypes,
  })
  pool.on('error', (error) => options.onIdleError?.(error))
  // A connection that breaks while in use fails the statement under way; its event must not end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    sessionUrl: url,
    close: async () => {
      if (!pool.ending) await pool.end()
    },
  }
}
