/** Tokens of systems: scoped, kept as hashes, revocable, limited in rate. */
import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { v4 as uuidv4 } from 'uuid'
import { recordEvents } from '../../audit/index.ts'
import { accept, type Decision, type Instant, refuse } from '../../kernel/index.ts'
import type { Transaction } from '../db/index.ts'

/** What a token may do. A scope that is not named is not given. */
export const scopes = {
  submit: 'hand over declarations, lists and other records',
  read: 'read what this side handed over, its decisions and the fate of its messages',
  'read-received': 'read what partners sent: confidential, for customs control only',
  decide: 'decide held declarations, confirm departures, close legs, resend and skip messages',
  events: 'follow the event feed',
} as const
export type Scope = keyof typeof scopes

export interface Token {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly requestsPerMinute: number
}

export interface TokenRow extends Token {
  readonly createdAt: Instant
  readonly createdBy: string
  readonly expiresAt: Instant | null
  readonly revokedAt: Instant | null
  readonly lastUsedAt: Instant | null
}

export type TokenRefusal =
  | { readonly code: 'access/token-name-taken'; readonly name: string }
  | { readonly code: 'access/scope-unknown'; readonly scope: string }
  | { readonly code: 'access/token-unknown'; readonly name: string }

const prefix = 'dostyk_'
const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** Makes a token. The secret is in the answer and nowhere else: it cannot be shown again. */
export async function createToken(
  tx: Transaction,
  wanted: { name: string; scopes: readonly string[]; requestsPerMinute: number; expiresAt?: Date | undefined },
  actor: string,
): Promise<Decision<{ id: string; secret: string }, TokenRefusal>> {
  const unknown = wanted.scopes.find((scope) => !Object.hasOwn(scopes, scope))
  if (unknown !== undefined) return refuse({ code: 'access/scope-unknown' as const, scope: unknown })
  const secret = prefix + randomBytes(32).toString('base64url')
  const id = uuidv4()
  const made = await sql`
    insert into access.token (id, name, secret_digest, scopes, requests_per_minute, created_by, expires_at)
    values (${id}, ${wanted.name}, ${digestOf(secret)}, ${[...wanted.scopes]}::text[], ${wanted.requestsPerMinute}, ${actor},
      ${wanted.expiresAt?.toISOString() ?? null}) on conflict do nothing`.execute(tx)
  if (made.numAffectedRows !== 1n) return refuse({ code: 'access/token-name-taken' as const, name: wanted.name })
  await recordEvents(tx, { actor, purpose: 'administration' }, [
    { type: 'token.created', subject: id, facts: { name: wanted.name, scopes: wanted.scopes.join(' ') } },
  ])
  return accept({ id, secret })
}

export async function revokeToken(
  tx: Transaction,
  name: string,
  actor: string,
): Promise<Decision<{ id: string }, TokenRefusal>> {
  const { rows } = await sql<{ id: string }>`
    update access.token set revoked_at = coalesce(revoked_at, now()), revoked_by = coalesce(revoked_by, ${actor})
    where name = ${name} returning id`.execute(tx)
  const row = rows[0]
  if (!row) return refuse({ code: 'access/token-unknown' as const, name })
  await recordEvents(tx, { actor, purpose: 'administration' }, [
    { type: 'token.revoked', subject: row.id, facts: { name } },
  ])
  return accept({ id: row.id })
}

export async function listTokens(tx: Transaction): Promise<readonly TokenRow[]> {
  const { rows } = await sql<TokenRow>`
    select id, name, scopes, requests_per_minute as "requestsPerMinute", created_at as "createdAt",
      created_by as "createdBy", expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"
    from access.token order by name`.execute(tx)
  return rows
}

/**
 * Finds the token a caller showed, if it is valid now.
 *
 * The secret is looked up by its hash: a database that leaks gives no token away, and a timing of the lookup says
 * nothing about 256 random bits.
 */
export async function findToken(tx: Transaction, secret: string, now: Date): Promise<Token | undefined> {
  if (!secret.startsWith(prefix) || secret.length > 100) return undefined
  const { rows } = await sql<Token & { stale: boolean }>`
    select id, name, scopes, requests_per_minute as "requestsPerMinute",
      last_used_at is null or last_used_at < ${now.toISOString()}::timestamptz - interval '1 minute' as stale
    from access.token
    where secret_digest = ${digestOf(secret)} and revoked_at is null
      and (expires_at is null or expires_at > ${now.toISOString()})`.execute(tx)
  const [found] = rows
  if (!found) return undefined
  const { stale, ...token } = found
  // To the minute: a busy token would otherwise cost a durable commit, and its row a queue, at each request.
  if (stale) await sql`update access.token set last_used_at = ${now.toISOString()} where id = ${token.id}`.execute(tx)
  return token
}
