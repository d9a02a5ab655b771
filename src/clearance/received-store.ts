import { sql } from 'kysely'
import { v4 as uuidv4 } from 'uuid'
import type { ReceivedMessage } from '../exchange/index.ts'
import type { Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import { decideShown, type ReceivedVersion } from './decide-version.ts'
import { unitsOf } from './declaration-store.ts'
import type { Cancellation, Clearance } from './model.ts'

interface KnownReceived {
  readonly key: string
  readonly partner: string
  readonly declaration_id: string
  readonly version: number
  readonly state: 'shown' | 'cancelled'
}

interface Version extends ReceivedVersion {
  readonly received: ReceivedMessage<Clearance | Cancellation>
  readonly content: Clearance | Cancellation
  readonly warnings: readonly Problem[]
}

const nameOf = (row: { partner: string; declaration_id: string }) => `${row.partner}|${row.declaration_id}`

/**
 * Keeps clearances, amendments and cancellations that a partner sent. Every version is kept; shown is the newest that
 * has come, even if one before it is still missing, and an older one that arrives later changes nothing that is shown.
 * @param messages only those whose body was accepted
 */
export async function saveReceivedClearances(
  tx: Transaction,
  messages: ReadonlyArray<ReceivedMessage<Clearance | Cancellation>>,
): Promise<void> {
  const versions = messages.flatMap((received): Version[] =>
    received.decision.kind === 'accepted'
      ? [
          {
            received,
            content: received.decision.content,
            warnings: received.decision.warnings,
            version: received.decision.content.declaration.versionId,
            type: received.payload.type as ReceivedVersion['type'],
          },
        ]
      : [],
  )
  const first = versions[0]
  if (!first) return
  const mode = first.received.payload.mode
  const { rows } = await sql<KnownReceived>`
    select key, partner, declaration_id, version, state from clearance.received
    where mode = ${mode} and partner = ${first.received.partner}
      and declaration_id = any(${versions.map(({ content }) => content.declaration.id)}::text[])
    order by declaration_id for update`.execute(tx)
  const keys = new Map(rows.map((row) => [nameOf(row), row.key]))
  const shown = new Map(
    rows.map((row): [string, ReceivedVersion] => [
      nameOf(row),
      { version: row.version, type: row.state === 'cancelled' ? 'CNL' : 'AMD' },
    ]),
  )
  const newest = new Map<string, Version>()
  for (const version of versions) {
    const name = nameOf({ partner: version.received.partner, declaration_id: version.content.declaration.id })
    if (!keys.has(name)) keys.set(name, uuidv4())
    const before = newest.get(name) ?? shown.get(name)
    if (!before || decideShown([before, version]).shown === version) newest.set(name, version)
  }
  const keyOf = ({ received, content }: Version): string =>
    keys.get(nameOf({ partner: received.partner, declaration_id: content.declaration.id })) ?? ''
  const current = [...newest.values()]
  await sql`
    insert into clearance.received as r (key, partner, mode, declaration_id, kind, subject, version, state, message,
      warnings, received_at)
    select * from unnest(
      ${current.map(keyOf)}::uuid[], ${current.map(({ received }) => received.partner)}::text[],
      ${current.map(() => mode)}::text[], ${current.map(({ content }) => content.declaration.id)}::text[],
      ${current.map(({ content }) => content.declaration.kind)}::text[],
      ${current.map(({ received }) => received.payload.subject)}::uuid[],
      ${current.map(({ content }) => content.declaration.versionId)}::int[],
      ${current.map(({ content }) => ('items' in content ? 'shown' : 'cancelled'))}::text[],
      ${current.map(({ received }) => received.payload.id)}::uuid[],
      ${current.map(({ warnings }) => warnings.length)}::int[],
      ${current.map(({ received }) => received.receivedAt.toISOString())}::timestamptz[])
    on conflict (partner, mode, declaration_id) do update set kind = excluded.kind, subject = excluded.subject,
      version = excluded.version, state = excluded.state, message = excluded.message,
      warnings = excluded.warnings, received_at = excluded.received_at, changed_at = excluded.received_at`.execute(tx)
  await sql`
    insert into clearance.received_version (received, version, message, content, warnings, received_at)
    select * from unnest(
      ${versions.map(keyOf)}::uuid[], ${versions.map(({ content }) => content.declaration.versionId)}::int[],
      ${versions.map(({ received }) => received.payload.id)}::uuid[],
      ${versions.map(({ content }) => JSON.stringify(content))}::jsonb[],
      ${versions.map(({ warnings }) => JSON.stringify(warnings))}::jsonb[],
      ${versions.map(({ received }) => received.receivedAt.toISOString())}::timestamptz[])
    on conflict do nothing`.execute(tx)
  await sql`delete from clearance.received_unit where received = any(${current
    .filter((version) =>
      shown.has(nameOf({ partner: version.received.partner, declaration_id: version.content.declaration.id })),
    )
    .map(keyOf)}::uuid[])`.execute(tx)
  const units = current.flatMap((version) =>
    'items' in version.content ? unitsOf(version.content).map((each) => ({ key: keyOf(version), ...each })) : [],
  )
  await sql`
    insert into clearance.received_unit (received, kind, unit)
    select * from unnest(${units.map(({ key }) => key)}::uuid[], ${units.map(({ kind }) => kind)}::text[],
      ${units.map(({ unit }) => unit)}::text[]) on conflict do nothing`.execute(tx)
}

/** Lists what cannot be used: shown to the post as defective, or kept from every eye when it is prohibited. */
export async function saveDefective(tx: Transaction, messages: ReadonlyArray<ReceivedMessage<unknown>>): Promise<void> {
  const rows = messages.flatMap(({ payload, partner, receivedAt, decision }) =>
    decision.kind === 'accepted'
      ? []
      : [{ payload, partner, receivedAt, quarantined: decision.kind === 'quarantined', problems: decision.problems }],
  )
  if (rows.length === 0) return
  await sql`
    insert into clearance.defective (partner, mode, message, type, quarantined, problems, received_at)
    select * from unnest(${rows.map(({ partner }) => partner)}::text[], ${rows.map(({ payload }) => payload.mode)}::text[],
      ${rows.map(({ payload }) => payload.id)}::uuid[], ${rows.map(({ payload }) => payload.type)}::text[],
      ${rows.map(({ quarantined }) => quarantined)}::boolean[],
      ${rows.map(({ problems }) => JSON.stringify(problems))}::jsonb[],
      ${rows.map(({ receivedAt }) => receivedAt.toISOString())}::timestamptz[]) on conflict do nothing`.execute(tx)
}
