import { sql } from 'kysely'
import { recordEvents } from '../audit/index.ts'
import { type AdministrationId, accept, type Decision, type Instant, refuse } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import { type Keyring, openKeyset, type PublicKeyJwk, publicKeyOf } from './keyset.ts'
import type { Mode } from './message.ts'
import type { Partner } from './node.ts'
import type { OpenedCard } from './partner-card.ts'
import { readJws } from './strict-jws.ts'

export type PartnerRefusal =
  | { readonly code: 'exchange/partner-unknown'; readonly partner: string }
  | { readonly code: 'exchange/partner-exists'; readonly partner: string }
  | { readonly code: 'exchange/fingerprint-differs'; readonly partner: string }
  | { readonly code: 'exchange/two-persons-needed' }
  | { readonly code: 'exchange/keyset-rolled-back'; readonly mode: Mode; readonly held: number; readonly found: number }
  | { readonly code: 'exchange/keyset-conflict'; readonly mode: Mode; readonly number: number }

export interface PartnerRow {
  readonly id: AdministrationId
  readonly endpoint: string
  readonly state: 'added' | 'approved' | 'revoked'
  readonly fingerprint: string
  readonly approvedAt: Instant | null
  readonly approvedBy: readonly string[] | null
}

/**
 * Keeps a partner's card. The partner stays unapproved until two officers have compared the fingerprint; a known
 * partner's card may bring a new endpoint or newer keysets, never another root and never an older keyset.
 */
export async function addPartner(
  tx: Transaction,
  opened: OpenedCard,
  actor: string,
): Promise<Decision<{ partner: AdministrationId; fingerprint: string }, PartnerRefusal>> {
  const { card, fingerprint, keyrings } = opened
  const partner = card.administration
  const known = await sql<{ root_fingerprint: string }>`
    select root_fingerprint from exchange.partner where id = ${partner} for update`.execute(tx)
  if (known.rows[0] && known.rows[0].root_fingerprint !== fingerprint)
    return refuse({ code: 'exchange/partner-exists' as const, partner })
  for (const mode of ['test', 'live'] as const) {
    const held = await sql<{ number: number; keyset: string }>`
      select number, keyset from exchange.keyset where partner = ${partner} and mode = ${mode}
      order by number desc limit 1`.execute(tx)
    const newest = held.rows[0]
    const { number, digest } = keyrings[mode]
    if (newest && number < newest.number)
      return refuse({ code: 'exchange/keyset-rolled-back' as const, mode, held: newest.number, found: number })
    // One number names one content. The same content, signed again, is the same keyset.
    if (newest?.number === number && digestOfKeyset(newest.keyset) !== digest)
      return refuse({ code: 'exchange/keyset-conflict' as const, mode, number })
  }
  await sql`
    insert into exchange.partner (id, endpoint, root_jwk, root_fingerprint, added_by)
    values (${partner}, ${card.endpoint}, ${JSON.stringify(card.root)}, ${fingerprint}, ${actor})
    on conflict (id) do update set endpoint = excluded.endpoint`.execute(tx)
  for (const mode of ['test', 'live'] as const)
    await sql`insert into exchange.keyset (partner, mode, number, keyset)
      values (${partner}, ${mode}, ${keyrings[mode].number}, ${card.keysets[mode]}) on conflict do nothing`.execute(tx)
  await recordEvents(tx, { actor, purpose: 'administration' }, [
    { type: 'partner.added', subject: partner, facts: { fingerprint } },
  ])
  return accept({ partner, fingerprint })
}

function digestOfKeyset(compact: string): string | undefined {
  const read = readJws(compact, 'dx1-keyset')
  return read.ok ? read.value.digest : undefined
}

/** Approves a partner: two different officers read the same fingerprint. */
export async function approvePartner(
  tx: Transaction,
  partner: AdministrationId,
  approval: { readonly fingerprint: string; readonly officers: readonly string[] },
  actor: string,
): Promise<Decision<{ partner: AdministrationId }, PartnerRefusal>> {
  const officers = [...new Set(approval.officers.map((officer) => officer.trim()).filter(Boolean))]
  const known = await sql<{ root_fingerprint: string }>`
    select root_fingerprint from exchange.partner where id = ${partner} for update`.execute(tx)
  const row = known.rows[0]
  if (!row) return refuse({ code: 'exchange/partner-unknown' as const, partner })
  const plain = (fingerprint: string) => fingerprint.toLowerCase().replaceAll(/[^0-9a-f]/g, '')
  if (plain(row.root_fingerprint) !== plain(approval.fingerprint))
    return refuse({ code: 'exchange/fingerprint-differs' as const, partner })
  if (officers.length < 2) return refuse({ code: 'exchange/two-persons-needed' as const })
  await sql`update exchange.partner set state = 'approved', approved_at = now(), approved_by = ${officers}::text[]
    where id = ${partner}`.execute(tx)
  await recordEvents(tx, { actor, purpose: 'administration' }, [
    { type: 'partner.approved', subject: partner, facts: { officers: officers.join(', ') } },
  ])
  return accept({ partner })
}

export async function listPartners(tx: Transaction): Promise<readonly PartnerRow[]> {
  const { rows } = await sql<PartnerRow>`
    select id, endpoint, state, root_fingerprint as fingerprint, approved_at as "approvedAt", approved_by as "approvedBy"
    from exchange.partner order by id`.execute(tx)
  return rows
}

/** The approved partners with their newest keysets, opened and proven against their roots. */
export async function loadPartners(tx: Transaction): Promise<readonly Partner[]> {
  const { rows } = await sql<{ id: string; endpoint: string; root_jwk: PublicKeyJwk; mode: Mode; keyset: string }>`
    select distinct on (p.id, k.mode) p.id, p.endpoint, p.root_jwk, k.mode, k.keyset
    from exchange.partner p join exchange.keyset k on k.partner = p.id
    where p.state = 'approved' order by p.id, k.mode, k.number desc`.execute(tx)
  const partners = new Map<string, { id: string; endpoint: string; keyrings: { [mode in Mode]?: Keyring } }>()
  for (const { id, endpoint, root_jwk, mode, keyset } of rows) {
    const opened = openKeyset(keyset, { iss: id, mode, root: publicKeyOf(root_jwk) })
    const partner = partners.get(id) ?? { id, endpoint, keyrings: {} }
    if (opened.ok) partner.keyrings[mode] = opened.value
    partners.set(id, partner)
  }
  return [...partners.values()]
}
