import { Random } from './random.ts'

/**
 * What can go wrong. `rate` bounds how often it strikes where it could, for kinds that strike step by step; the others
 * are events or windows that a seed plans once. Each seed has about half of the kinds, each at a rate of its own.
 */
export const faultKinds = {
  // On the wire, per request.
  'request-lost': { rate: [0.01, 0.3] },
  'request-late': { rate: [0.01, 0.15] },
  'request-repeated': { rate: [0.01, 0.2] },
  'request-tampered': { rate: [0.01, 0.2] },
  'request-truncated': { rate: [0.01, 0.1] },
  'connection-refused': { rate: [0.01, 0.2] },
  'gateway-error': { rate: [0.01, 0.2] },
  'answer-lost': { rate: [0.01, 0.3] },
  'answer-late': { rate: [0.01, 0.1] },
  'answer-tampered': { rate: [0.01, 0.2] },
  'answer-truncated': { rate: [0.01, 0.1] },
  'answer-stale': { rate: [0.01, 0.1] },
  'answer-forged': { rate: [0.01, 0.1] },
  // In a node, per step.
  'process-crash': { rate: [0.002, 0.04] },
  'commit-lost': { rate: [0.002, 0.04] },
  'commit-unknown': { rate: [0.002, 0.04] },
  'wrong-answer': { rate: [0.01, 0.15] },
  // Windows and events.
  partition: { rate: null },
  'one-way-partition': { rate: null },
  outage: { rate: null },
  'long-outage': { rate: null },
  'database-down': { rate: null },
  'clock-skew': { rate: null },
  'clock-jump': { rate: null },
  'mode-change': { rate: null },
  suspension: { rate: null },
  'key-rotation': { rate: null },
  'two-processes': { rate: null },
  // Hostile acts.
  replay: { rate: null },
  reflection: { rate: null },
  'unknown-peer': { rate: null },
  'hostile-frame': { rate: null },
  'duplicate-storm': { rate: null },
  'stolen-key': { rate: null },
  // What the messages themselves bring.
  'short-expiry': { rate: [0.02, 0.4] },
  'part-rotted': { rate: [0.01, 0.1] },
  'type-unknown': { rate: [0.02, 0.2] },
  'agreement-unknown': { rate: [0.01, 0.1] },
  'conditions-late': { rate: null },
  'use-refused': { rate: [0.01, 0.1] },
  'save-fails': { rate: [0.01, 0.1] },
} as const satisfies Record<string, { rate: readonly [number, number] | null }>

export type FaultKind = keyof typeof faultKinds

/** The faults of one seed: which kinds, how often, and how many struck. */
export class Faults {
  readonly counts = new Map<string, number>()
  /** Each kind draws from its own stream: without one kind the others still strike where they did. */
  private readonly rates = new Map<FaultKind, { readonly rate: number; readonly random: Random }>()
  /** Once the world has healed nothing strikes any more. */
  private healed = false

  constructor(seed: number, without: ReadonlySet<string>) {
    const plan = new Random(seed, 'fault-plan')
    // One seed in twenty has none: then nothing may be retried, parked or answered twice.
    const share = plan.chance(0.05) ? 0 : plan.pick([0.2, 0.5, 0.5, 0.8])
    for (const [kind, { rate }] of Object.entries(faultKinds) as [FaultKind, { rate: readonly number[] | null }][]) {
      const [chosen, level] = [plan.chance(share), plan.next()]
      if (chosen && !without.has(kind))
        this.rates.set(kind, {
          rate: rate ? rate[0]! * (rate[1]! / rate[0]!) ** level : 1,
          random: new Random(seed, `fault/${kind}`),
        })
    }
  }

  get none(): boolean {
    return this.rates.size === 0
  }

  /** Whether this seed has such faults at all. */
  has(kind: FaultKind): boolean {
    return this.rates.has(kind)
  }

  /** Whether the fault strikes here and now. */
  strikes(kind: FaultKind): boolean {
    const kept = this.rates.get(kind)
    if (!kept || this.healed || !kept.random.chance(kept.rate)) return false
    this.count(kind)
    return true
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  heal(): void {
    this.healed = true
  }
}
