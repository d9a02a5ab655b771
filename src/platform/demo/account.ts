/** What the demonstration reads from both books when the trains are through, and what it checks. */
import { sql } from 'kysely'
import {
  findDeclaration,
  type LegCounts,
  type LegRow,
  listLegs,
  type Reference,
  summariseClearances,
} from '../../clearance/index.ts'
import { listRefusals, summariseLinks } from '../../exchange/index.ts'
import { withActor } from '../db/index.ts'
import type { DemoNode } from './two-nodes.ts'

export interface Expected {
  readonly messages: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly files: ReadonlyArray<{
    readonly path: string
    readonly taken: number
    readonly refused: ReadonlyArray<{ readonly position: number; readonly code: string }>
  }>
  readonly legs: ReadonlyArray<{
    readonly train: string
    readonly node: string
    readonly leg: Readonly<Record<string, string>>
    readonly listed: number
    readonly loaded: number
    readonly empty: number
    readonly withData: number
    readonly withoutData: number
  }>
  readonly balances: ReadonlyArray<{
    readonly declarationId: string
    readonly draws: ReadonlyArray<{ readonly leftKg: string }>
  }>
}

type Counted = Awaited<ReturnType<typeof summariseClearances>>

export interface NodeAccount {
  readonly node: string
  readonly listed: LegCounts
  readonly clearances: Counted
  readonly sent: Readonly<Record<string, number>>
  readonly received: number
  readonly accepted: number
  readonly rejected: number
  readonly used: number
  readonly retried: number
  readonly queued: number
  readonly parked: number
  readonly refusedByExchange: number
}

const reader = { actor: 'demo', purpose: 'account' }
/** The kinds of message that answer another one: how many there are follows from the run. */
const answers = ['ACCEPTED', 'REJECTED', 'USED', 'SKIP']

/** Reads one node's account. Legs count as the railway listed them here. */
export async function readAccount(
  node: DemoNode,
  reference: Reference,
): Promise<NodeAccount & { legs: ReadonlyArray<LegRow & LegCounts> }> {
  return await withActor(node.db, reader, async (tx) => {
    const legs = await listLegs(tx, reference, { limit: 500 })
    const links = await summariseLinks(tx)
    const total = (take: (link: (typeof links)[number]) => number): number =>
      links.reduce((sum, link) => sum + take(link), 0)
    const types = await sql<{ type: string; count: number }>`
      select type, count(*)::int as count from exchange.outbound where type <> all(${answers}::text[]) group by type`.execute(
      tx,
    )
    const carrier = legs.filter(({ source }) => source === 'carrier')
    const sum = (take: (leg: LegCounts) => number): number => carrier.reduce((all, leg) => all + take(leg), 0)
    return {
      node: node.id,
      legs,
      listed: {
        listed: sum((leg) => leg.listed),
        loaded: sum((leg) => leg.loaded),
        empty: sum((leg) => leg.empty),
        withData: sum((leg) => leg.withData),
        withoutData: sum((leg) => leg.withoutData),
        warned: sum((leg) => leg.warned),
      },
      clearances: await summariseClearances(tx),
      sent: Object.fromEntries(types.rows.map(({ type, count }) => [type, count])),
      received: total((link) => link.received),
      accepted: total((link) => link.accepted),
      rejected: total((link) => link.rejected),
      used: total((link) => link.used),
      retried: total((link) => link.retried),
      queued: total((link) => link.queued + link.waiting),
      parked: total((link) => link.parked),
      refusedByExchange: (await listRefusals(tx)).reduce((all, { count }) => all + count, 0),
    }
  })
}

export interface Invariant {
  readonly claim: string
  readonly holds: boolean
  readonly found?: unknown
}

/**
 * Checks what must hold whatever happened on the way: both books agree to the last message, nothing is lost, doubled or
 * stuck, nothing of what was withheld is on the other side, and every train counts as an officer would count it.
 */
export async function checkInvariants(
  pair: readonly [DemoNode, DemoNode],
  accounts: ReadonlyArray<Awaited<ReturnType<typeof readAccount>>>,
  expected: Expected,
): Promise<readonly Invariant[]> {
  const invariants: Invariant[] = []
  const claim = (text: string, holds: boolean, found?: unknown): void => {
    invariants.push({ claim: text, holds, ...(holds ? {} : { found }) })
  }
  for (const [index, node] of pair.entries()) {
    const other = pair[1 - index] as DemoNode
    const account = accounts[index]
    if (!account) continue
    const out = await ledger(node, 'outbound')
    const came = await ledger(other, 'inbound')
    const missing = [...out].filter(([id, digest]) => came.get(id) !== digest).map(([id]) => id)
    const strange = [...came.keys()].filter((id) => !out.has(id))
    claim(
      `every message of ${node.id} is in the books of ${other.id} once, with the same digest`,
      missing.length === 0 && out.size > 0,
      missing,
    )
    claim(`${other.id} holds nothing that ${node.id} did not sign`, strange.length === 0, strange)
    claim(`nothing of ${node.id} waits or is parked`, account.queued === 0 && account.parked === 0, [
      account.queued,
      account.parked,
    ])
    const unanswered = await unansweredMessages(node)
    claim(`every clearance and train of ${node.id} is accepted`, unanswered === 0 && account.rejected === 0, {
      unanswered,
      rejected: account.rejected,
    })
    const leaked = await leakedDeclarations(node, other)
    claim(`${other.id} knows nothing of what ${node.id} withholds`, leaked.length === 0, leaked)
    const wanted = expected.messages[node.id] ?? {}
    const differences = [...new Set([...Object.keys(wanted), ...Object.keys(account.sent)])].filter(
      (type) => (wanted[type] ?? 0) !== (account.sent[type] ?? 0),
    )
    claim(
      `${node.id} sent what these trains call for`,
      differences.length === 0,
      differences.map((type) => `${type}: ${account.sent[type] ?? 0} instead of ${wanted[type] ?? 0}`),
    )
    const legs = expected.legs.filter((leg) => leg.node === node.id)
    const wrong = legs.flatMap((leg) => {
      const found = account.legs.find(({ source, leg: its }) => source === 'carrier' && matches(its, leg.leg))
      const counts = ['listed', 'loaded', 'empty', 'withData', 'withoutData'] as const
      return counts.every((name) => found?.[name] === leg[name])
        ? []
        : [`${leg.train}: ${counts.map((name) => `${name} ${found?.[name] ?? '–'} (${leg[name]})`).join(', ')}`]
    })
    claim(`the ${legs.length} trains at ${node.id} count as an officer counts them`, wrong.length === 0, wrong)
    for (const balance of expected.balances) {
      const found = await withActor(node.db, reader, (tx) =>
        findDeclaration(tx, { mode: 'live', declarationId: balance.declarationId }),
      )
      if (!found) continue
      const left = balance.draws.at(-1)?.leftKg
      claim(
        `the temporary declaration at ${node.id} has ${left} kg left`,
        found.balance?.leftKg === left,
        found.balance,
      )
    }
  }
  return invariants
}

function matches(leg: object, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => (leg as Record<string, unknown>)[name] === value)
}

async function ledger(node: DemoNode, side: 'outbound' | 'inbound'): Promise<ReadonlyMap<string, string>> {
  const { rows } = await withActor(node.db, reader, (tx) =>
    sql<{ id: string; digest: string }>`select id, digest from ${sql.table(`exchange.${side}`)}`.execute(tx),
  )
  return new Map(rows.map(({ id, digest }) => [id, digest]))
}

async function unansweredMessages(node: DemoNode): Promise<number> {
  const { rows } = await withActor(node.db, reader, (tx) =>
    sql<{ count: number }>`select count(*)::int as count from exchange.outbound
      where answer is null and type <> all(${answers}::text[])`.execute(tx),
  )
  return rows[0]?.count ?? 0
}

/** Declarations that one side must not have sent and the other side knows. */
async function leakedDeclarations(node: DemoNode, other: DemoNode): Promise<readonly string[]> {
  const silent = await withActor(node.db, reader, (tx) =>
    sql<{ id: string }>`select declaration_id as id from clearance.declaration where sent_version is null`.execute(tx),
  )
  const known = await withActor(other.db, reader, (tx) =>
    sql<{ id: string }>`select declaration_id as id from clearance.received
      where declaration_id = any(${silent.rows.map(({ id }) => id)}::text[])
      union select named from clearance.leg_list, jsonb_path_query(content, 'strict $.**.declarationIds[*]') as found (value),
        lateral (select found.value #>> '{}' as named) n
        where leg in (select key from clearance.leg where source = 'partner') and named = any(${silent.rows.map(({ id }) => id)}::text[])`.execute(
      tx,
    ),
  )
  return known.rows.map(({ id }) => id)
}
