import pg from 'pg'
import { Fault } from '../../kernel/index.ts'

/** The address of a database without its password, as a sentence may show it. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname, username, searchParams } = new URL(url)
    const host = searchParams.get('host') ?? `${hostname}${port === '' ? '' : `:${port}`}`
    return `${username}@${host}${pathname}`
  } catch {
    return 'an address that cannot be read'
  }
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
])

/** Texts of the driver for a connection that is gone or could not be had; it gives these no code. */
const lostConnection =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed)|Cannot use a pool after)/

/**
 * Tells a failed world from a wrong program: what the database or the way to it could not do becomes a Fault; broken
 * constraints, missing tables and the like stay as they are, for the caller that expects them or to die loudly.
 */
export function faultOf(error: unknown): unknown {
  if (error instanceof Fault) return error
  const code = (error as { code?: unknown }).code
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof pg.DatabaseError && typeof code === 'string') {
    if (/^(08|57P0)/.test(code) || code === '53300')
      return new Fault('platform/database-unavailable', `The database ended or refused the connection: ${message}`, {
        retryable: true,
        cause: error,
        facts: { sqlState: code },
      })
    if (/^28/.test(code) || code === '3D000' || (code === '42501' && message.includes('for database')))
      return new Fault('platform/database-refused', `The database does not let us in: ${message}`, {
        cause: error,
        facts: { sqlState: code },
      })
    if (code === '57014' || code === '55P03' || code === '25P03')
      return new Fault('platform/database-busy', 'A statement, a lock or a pause in a transaction took too long.', {
        retryable: true,
        cause: error,
        facts: { sqlState: code },
      })
    if (code === '53100')
      return new Fault('platform/database-full', 'The database has no room left on its disk.', {
        retryable: true,
        cause: error,
      })
    if (/role "dostyk_app"/.test(message) && (code === '42501' || code === '22023'))
      return new Fault(
        'platform/database-role',
        `The login of the database address may not act as dostyk_app: ${message}. ` +
          'Let the administrator of the database run "grant dostyk_app to <login>".',
        { cause: error },
      )
    return error
  }
  if ((typeof code === 'string' && networkCodes.has(code)) || lostConnection.test(message))
    return new Fault('platform/database-unavailable', 'The database cannot be reached.', {
      retryable: true,
      cause: error,
      facts: typeof code === 'string' ? { systemError: code } : {},
    })
  return error
}
