import { accept, type ClauseRef, type Decision, type PlainDate, refuse } from '../kernel/index.ts'
import { decideGate, type GateRefusal } from './decide-gate.ts'
import { decideTwoPersons, type TwoPersonRefusal } from './decide-records.ts'
import { type Digest, digestOf } from './digest.ts'
import type { ChannelState, GateFacts, TwoPersonAct } from './gate-facts.ts'
import type { Law } from './law.ts'

export interface StateChangeWanted {
  readonly to: ChannelState
  /** Why, in the words of whoever decided; kept in the history. */
  readonly reason: string
  /** For production: the two persons who opened it. */
  readonly act?: TwoPersonAct
}

export interface StateChanged {
  readonly from: ChannelState
  readonly to: ChannelState
  readonly reason: string
  readonly act?: TwoPersonAct
}

/** In order of precedence: when several apply, only the first is returned. */
export type StateChangeRefusal =
  | { readonly code: 'law/no-agreement'; readonly agreement: string }
  | {
      readonly code: 'law/state-change-not-allowed'
      readonly clause: ClauseRef
      readonly from: ChannelState
      readonly to: ChannelState
    }
  | { readonly code: 'law/reference-missing'; readonly clause: ClauseRef }
  | GateRefusal
  | TwoPersonRefusal

/** Production is reached through test only, and left for suspended first: nothing opens or falls back unseen. */
const allowed: Readonly<Record<ChannelState, readonly ChannelState[]>> = {
  closed: ['test'],
  test: ['production', 'closed'],
  production: ['suspended'],
  suspended: ['production', 'test', 'closed'],
}

/**
 * Decides whether the channel with a partner may change its state.
 *
 * Why: opening live exchange is the act that the treaty hedges most. Production is refused while anything that the gate
 * asks for is missing, and needs two persons bound to exactly the conditions they open.
 * @law STOP-2021/4-r3, STOP-2021/4-r4
 */
export function decideStateChange(
  law: Law,
  facts: GateFacts,
  wanted: StateChangeWanted,
  on: PlainDate,
): Decision<StateChanged, StateChangeRefusal> {
  const gate = law.findInstrument(facts.agreement)?.exchange
  if (!gate) return refuse({ code: 'law/no-agreement', agreement: facts.agreement })
  const { state: from } = facts
  const { to, reason, act } = wanted
  if (!allowed[from].includes(to)) return refuse({ code: 'law/state-change-not-allowed', clause: gate.start, from, to })
  if (reason.trim() === '') return refuse({ code: 'law/reference-missing', clause: gate.start })
  if (to !== 'production') return accept({ from, to, reason })

  const opening = openingDigest(law, facts, on)
  if (!opening.ok) return opening
  const persons = decideTwoPersons(act, opening.value)
  if (!persons.ok) return persons
  return accept({ from, to, reason, act: persons.value })
}

/**
 * Digests what two persons approve when they open production today: the agreement, the partner, and the body and
 * annexes of the conditions that would be used for sending.
 *
 * @returns what is still missing, when production could not be opened today
 */
export function openingDigest(law: Law, facts: GateFacts, on: PlainDate): Decision<Digest, GateRefusal> {
  const opened = decideGate(law, { ...facts, state: 'production' }, on)
  if (!opened.ok) return opened
  const { agreement, conditionsVersionForSending: version } = opened.value
  const conditions = facts.conditions.find((known) => known.version === version)
  const content = {
    version,
    body: conditions?.bodyDigest,
    annexes: conditions?.annexes
      .map(({ name, digest }) => ({ name, digest }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
  return accept(
    digestOf({ act: 'open-channel', agreement, home: facts.home, partner: facts.partner, conditions: content }),
  )
}
