/** Puts one node together: the law, the keys, the books, the exchange and the interfaces of one administration. */
import { fileURLToPath } from 'node:url'
import { recordEvents } from '../audit/index.ts'
import {
  type ClearanceContext,
  type ClearanceNode,
  clearanceMessageTypes,
  readConditions,
  readReference,
} from '../clearance/index.ts'
import {
  answerTypes,
  type ExchangeNode,
  loadPartners,
  type Mode,
  type OpenChannel,
  type Partner,
  parkMode,
  registerMessageTypes,
} from '../exchange/index.ts'
import type { Decision } from '../kernel/index.ts'
import { type AdministrationId, dateIn, Fault } from '../kernel/index.ts'
import {
  type Channel,
  type ChannelState,
  changeChannelState,
  decideGate,
  type GateFacts,
  type GateOpen,
  type GateRefusal,
  type Law,
  loadGateFacts,
  type RecordedBy,
  readTreaties,
  registerConditions,
  type StateChangeRefusal,
  type StateChangeWanted,
} from '../law/index.ts'
import type { Config } from './config/index.ts'
import { type Database, notify, type Transaction, withActor } from './db/index.ts'
import { type NodeKeys, openKeys } from './keys/index.ts'

/** The agreement whose exchange this node carries out. */
export const agreementId = 'STOP-2021'

/** Everything a node is, without its servers and workers: what the command line and the server both stand on. */
export interface NodeServices {
  readonly me: AdministrationId
  readonly config: Config
  readonly db: Database
  readonly law: Law
  readonly keys: NodeKeys
  readonly exchange: ExchangeNode
  readonly clearance: ClearanceNode
  /** The administration on the other side, once one was added; approved or not. */
  findPartner(): Promise<AdministrationId | undefined>
  clearanceContext(): Promise<ClearanceContext>
  gate(partner: AdministrationId): Promise<{ facts: GateFacts; decision: Decision<GateOpen, GateRefusal> }>
  /** Who records now, and on which legal day at home. */
  recordedBy(actor: string): RecordedBy
  /** Partners or gates changed: read them anew. */
  refresh(): void
}

/** Tells every process of this node that partners or gates changed. */
export const gatesChannel = 'dostyk_gates'

/** The law as data, as it stands beside this program. */
const shippedTreaties = fileURLToPath(new URL('../../treaties/', import.meta.url))

/** How long what was read about partners and gates may be used without looking again. */
const cacheMs = 1000

/** A value that is read at most once a while, and by one reader at a time. */
function cached<Value>(read: () => Promise<Value>): { get(): Promise<Value>; clear(): void } {
  let held: { value: Promise<Value>; until: number } | undefined
  return {
    get: () => {
      if (!held || held.until < Date.now()) {
        const value = read()
        held = { value, until: Date.now() + cacheMs }
        value.catch(() => {
          held = undefined
        })
      }
      return held.value
    },
    clear: () => {
      held = undefined
    },
  }
}

export async function openNode(
  config: Config,
  db: Database,
  passphrase: string,
  report?: ExchangeNode['report'],
): Promise<NodeServices> {
  const me = config.administration.id
  const [law, conditions, reference, keys] = await Promise.all([
    readTreaties(shippedTreaties),
    readConditions(),
    readReference(),
    openKeys({ folder: config.keys.folder, passphrase }),
  ])
  if (keys.administration !== me)
    throw new Fault(
      'platform/keys-of-another',
      `the keys in ${config.keys.folder} are of ${keys.administration}, not of ${me}`,
      {
        facts: { found: keys.administration, expected: me },
      },
    )
  const partnerCountry = otherSide(law, config.administration.country)
  const clearance: ClearanceNode = {
    me,
    homeCountry: config.administration.country,
    homeZone: config.administration.zone,
    partnerCountry,
    conditions,
    reference,
    identity: { me, signer: keys.signer },
  }
  const recordedBy = (actor: string): RecordedBy => {
    const at = new Date().toISOString()
    return { actor, purpose: 'administration', at, on: dateIn(config.administration.zone, at) }
  }
  const channelWith = (partner: AdministrationId): Channel => ({ home: me, partner, agreement: agreementId })
  const asNode = { actor: me, purpose: 'exchange' }
  const readGate = async (partner: AdministrationId) => {
    const facts = await withActor(db, asNode, (tx) => loadGateFacts(tx, law, channelWith(partner)))
    return { facts, decision: decideGate(law, facts, recordedBy(me).on) }
  }
  const gates = new Map<AdministrationId, ReturnType<typeof cached<Awaited<ReturnType<typeof readGate>>>>>()
  const gate = (partner: AdministrationId) => {
    const known = gates.get(partner) ?? cached(() => readGate(partner))
    gates.set(partner, known)
    return known.get()
  }
  const partners = cached(() => withActor(db, asNode, loadPartners))
  const exchange: ExchangeNode = {
    me,
    signer: keys.signer,
    decrypters: keys.decrypters,
    types: registerMessageTypes([...answerTypes, ...clearanceMessageTypes(clearance)]),
    policy: {
      retryDelaySecondsMin: config.exchange.retryDelaySecondsMin ?? conditions.regulation.retryDelaySecondsMin,
      retryDelaySecondsMax: config.exchange.retryDelaySecondsMax ?? conditions.regulation.retryDelaySecondsMax,
    },
    retentionClasses: new Set(['STOP-5Y']),
    partners: partners.get,
    channel: async (partner): Promise<OpenChannel | undefined> => {
      const { decision } = await gate(partner)
      if (!decision.ok) return undefined
      const { mode, conditionsVersionForSending, acceptedVersions } = decision.value
      return {
        mode,
        agreement: { id: agreementId, conditions: conditionsVersionForSending },
        acceptedConditions: new Set(acceptedVersions),
      }
    },
    now: () => new Date(),
    ...(report && { report }),
  }
  const findPartner = async (): Promise<AdministrationId | undefined> =>
    (await partners.get()).find(({ id }: Partner) => id.startsWith(`${partnerCountry}-`))?.id
  const clearanceContext = async (): Promise<ClearanceContext> => {
    const partner = await findPartner()
    const state = partner ? (await gate(partner)).facts.state : 'closed'
    const mode: Mode = state === 'test' ? 'test' : 'live'
    const channel = partner ? await exchange.channel(partner) : undefined
    return { ...clearance, partner, channel: channel?.mode === mode ? channel : undefined, mode, now: new Date() }
  }
  return {
    me,
    config,
    db,
    law,
    keys,
    exchange,
    clearance,
    findPartner,
    clearanceContext,
    gate,
    recordedBy,
    refresh: () => {
      partners.clear()
      for (const known of gates.values()) known.clear()
    },
  }
}

/** The country on the other side of the agreement, as its sides are named in the treaty data. */
function otherSide(law: Law, home: string): string {
  const other = law.instrument(agreementId).sides.find(({ country }) => country !== home)
  if (!other)
    throw new Fault('law/no-agreement', `${home} is no side of ${agreementId}`, { facts: { agreement: agreementId } })
  return other.country
}

/**
 * Registers the shipped Technical Conditions with a partner's channel, so that they can be agreed and approved. What is
 * registered already with the same content stays as it is.
 */
export async function registerShippedConditions(node: NodeServices, partner: AdministrationId): Promise<void> {
  const { version, bodyDigest, annexes, sections } = node.clearance.conditions
  const by = node.recordedBy(node.me)
  const { facts } = await node.gate(partner)
  const known = facts.conditions.find((each) => each.version === version)
  const registered = await withActor(node.db, { actor: node.me, purpose: 'administration' }, (tx) =>
    registerConditions(
      tx,
      node.law,
      { home: node.me, partner, agreement: agreementId },
      {
        version,
        bodyDigest,
        annexes: annexes.map(({ name, digest, approvedBy }) => ({ name, digest, approvedBy })),
        sections,
        validFrom: known?.validFrom ?? by.on,
        ...(known?.validUntil && { validUntil: known.validUntil }),
      },
      by,
    ),
  )
  if (!registered.ok)
    throw new Fault(registered.refusal.code, 'the shipped Technical Conditions cannot be registered', {
      facts: { ...registered.refusal },
    })
  node.refresh()
}

/**
 * Changes the state of the channel with a partner. What waits in the test mode that is left is parked in the same
 * transaction: what was meant for the test will never be sent as anything else.
 * @law STOP-2021/4-r4
 */
export async function changeChannel(
  node: NodeServices,
  partner: AdministrationId,
  wanted: StateChangeWanted,
  actor: string,
): Promise<Decision<{ readonly from: ChannelState; readonly parked: number }, StateChangeRefusal>> {
  const by = node.recordedBy(actor)
  const channel: Channel = { home: node.me, partner, agreement: agreementId }
  const changed = await withActor(node.db, by, async (tx) => {
    const decided = await changeChannelState(tx, node.law, channel, wanted, by)
    if (!decided.ok) return decided
    const { from, to } = decided.value
    const parked = from === 'test' && to !== 'test' ? await parkTestMessages(tx, partner, by) : 0
    await notify(tx, gatesChannel)
    return { ok: true as const, value: { from, parked } }
  })
  node.refresh()
  return changed
}

/** Parks what waits in test mode though the channel is not in test: a message may have been signed as it was left. */
export async function parkTestMessages(
  tx: Transaction,
  partner: AdministrationId,
  by: { readonly actor: string; readonly purpose: string },
): Promise<number> {
  const parked = await parkMode(tx, partner, 'test', 'MODE_CLOSED')
  if (parked > 0)
    await recordEvents(tx, by, [
      { type: 'message.parked', subject: partner, facts: { partner, mode: 'test', reason: 'MODE_CLOSED' } },
    ])
  return parked
}
