/** What two officers and two heads do on each side before a train may be told of, with sample names. */
import { addPartner, approvePartner, openPartnerCard } from '../../exchange/index.ts'
import { assert, type Decision, Fault, readJson } from '../../kernel/index.ts'
import {
  type Channel,
  type ChannelState,
  openingDigest,
  recordApproval,
  recordWorkingGroupDecision,
} from '../../law/index.ts'
import { withActor } from '../db/index.ts'
import { cardOf } from '../init.ts'
import { agreementId, changeChannel, type NodeServices, registerShippedConditions } from '../node.ts'

/** Who sets a demonstration up, as the record names it. */
export const setupActor = 'demo'
const by = { actor: setupActor, purpose: 'administration' }
const officers = ['Sample Officer A', 'Sample Officer B']

export function must<Value>(decision: Decision<Value, { readonly code: string }>): Value {
  if (decision.ok) return decision.value
  throw new Fault(decision.refusal.code, `the demonstration could not be set up: ${JSON.stringify(decision.refusal)}`)
}

const channelOf = (home: NodeServices, other: NodeServices): Channel => ({
  home: home.me,
  partner: other.me,
  agreement: agreementId,
})

/** Does all of it: the partner is approved, the conditions are agreed, the channel is in production. */
export async function introduce(home: NodeServices, other: NodeServices): Promise<void> {
  await approveEachOther(home, other)
  await agreeConditions(home, other)
  await openChannel(home, other, 'test')
  await openChannel(home, other, 'production')
}

/** Takes the other side's card; two officers confirm its fingerprint. The shipped conditions are registered. */
export async function approveEachOther(home: NodeServices, other: NodeServices): Promise<void> {
  const card = cardOf(other.keys, other.config.exchange.publicUrl)
  const read = readJson(JSON.stringify(card), { lengthMax: 1_000_000, depthMax: 6, otherNumbers: 'refuse' })
  assert(read.ok, 'a card that was just written is readable')
  const opened = must(openPartnerCard(read.value))
  await withActor(home.db, by, async (tx) => {
    must(await addPartner(tx, opened, setupActor))
    must(await approvePartner(tx, other.me, { fingerprint: other.keys.rootFingerprint, officers }, setupActor))
  })
  await registerShippedConditions(home, other.me)
}

/** Records what the working group decided and both heads approved. */
export async function agreeConditions(home: NodeServices, other: NodeServices): Promise<void> {
  const channel = channelOf(home, other)
  const at = home.recordedBy(setupActor)
  const { version, bodyDigest, annexes } = home.clearance.conditions
  const minutes = (kind: string) => ({ reference: `Sample minutes: ${kind}`, decidedOn: at.on })
  await withActor(home.db, by, async (tx) => {
    for (const kind of ['established', 'content', 'technology', 'protection'] as const)
      must(await recordWorkingGroupDecision(tx, home.law, channel, { ...minutes(kind), kind }, at))
    const agreed = { ...minutes('conditions'), kind: 'conditions' as const, version, digest: bodyDigest }
    must(await recordWorkingGroupDecision(tx, home.law, channel, agreed, at))
    for (const { name, digest } of annexes) {
      const annex = { ...minutes(`annex ${name}`), kind: 'annex' as const, version, annex: name, digest }
      must(await recordWorkingGroupDecision(tx, home.law, channel, annex, at))
    }
    for (const side of ['KZ', 'CN']) {
      const head = { side, person: `Sample Head (${side})`, post: 'Head of the administration' }
      const approval = { ...head, version, approvedOn: at.on, digest: bodyDigest }
      must(await recordApproval(tx, home.law, channel, approval, at))
    }
  })
  home.refresh()
}

/** Changes the state of the channel; two officers open production together. */
export async function openChannel(home: NodeServices, other: NodeServices, to: ChannelState): Promise<void> {
  const at = home.recordedBy(setupActor)
  const { facts } = await home.gate(other.me)
  const act =
    to === 'production'
      ? { digest: must(openingDigest(home.law, facts, at.on)), persons: officers.map((id) => ({ id, at: at.at })) }
      : undefined
  must(await changeChannel(home, other.me, { to, reason: 'sample', ...(act && { act }) }, setupActor))
}
