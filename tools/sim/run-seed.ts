import type { RetryPolicy } from '../../src/exchange/decide-delivery.ts'
import { sha256 } from '../../src/exchange/strict-jws.ts'
import { Checker } from './checker.ts'
import { wakeSender } from './deliver.ts'
import { type FaultKind, Faults } from './faults.ts'
import { Hostile } from './hostile.ts'
import type { Nonces } from './keys.ts'
import { type Channel, SimNode } from './node.ts'
import { parkMode } from './outbox.ts'
import { Random } from './random.ts'
import { type Rules, soundRules } from './rules.ts'
import { Timeline, type Work } from './timeline.ts'
import { firstTypes, laterTypes, registered, Trade, unused } from './trade.ts'
import { Wire } from './wire.ts'
import { days, hours, minutes, seconds, Tally, Trace, type World } from './world.ts'

export interface SeedReport {
  readonly seed: number
  readonly violations: readonly string[]
  readonly messages: number
  readonly received: number
  readonly virtualDays: number
  readonly faults: Readonly<Record<string, number>>
  readonly counts: Readonly<Record<string, number>>
  /** SHA-256 of the trace: two runs of one seed give the same. */
  readonly traceDigest: string
  readonly trace: readonly string[]
}

export interface SeedOptions {
  readonly rules?: Rules
  readonly nonces?: Nonces
  /** Fault kinds to leave out: to find which of them a violation needs. */
  readonly without?: ReadonlySet<string>
}

/** Counts messages that the receiver holds and the sender gave up: see the checker. */
export const heldThoughExpired = 'held though given up as expired'

const start = Date.UTC(2027, 0, 4)
/** How long a healed world may take to come to rest. */
const restWithin = 60 * days
/** Far more than any sound seed takes. */
const eventsMax = 500_000

/** Runs the two nodes of one seed through their faults until the world has healed and come to rest, and checks. */
export function runSeed(seed: number, options: SeedOptions = {}): SeedReport {
  const random = new Random(seed, 'world')
  const timeline = new Timeline(start)
  const faults = new Faults(seed, options.without ?? new Set())
  const checker = new Checker()
  const trace = new Trace()
  const tally = new Tally()
  const shared = {
    seed,
    timeline,
    faults,
    checker,
    trace,
    tally,
    rules: options.rules ?? soundRules,
    nonces: options.nonces ?? 'fixed',
  }
  const world: World = Object.assign(shared, { wire: undefined as unknown as Wire })
  Object.assign(shared, { wire: new Wire(world) })
  const span = random.magnitude(hours, 2 * days)
  // Longer runs wait longer between attempts, so that a seed costs about the same whatever its span.
  const unit = faults.has('long-outage') ? 10 * days : span
  const policy: RetryPolicy = {
    retryDelaySecondsMin: 5,
    retryDelaySecondsMax: Math.max(300, Math.round(unit / seconds / 12)),
  }
  const processes = () => (faults.has('two-processes') ? 2 : 1)
  const kz = new SimNode(world, 'KZ-KGD', processes(), policy)
  const cn = new SimNode(world, 'CN-GACC', processes(), policy)
  const nodes = [kz, cn]
  kz.partner = cn
  cn.partner = kz
  checker.meet(nodes)
  const startMode = faults.has('mode-change') ? 'test' : random.pick(['live', 'live', 'test'] as const)
  const endMode = faults.has('mode-change') ? 'live' : startMode
  const late = faults.has('conditions-late')
  for (const node of nodes) {
    node.wakeSender = (process) => wakeSender(node, process)
    node.types = registered(firstTypes)
    node.channel = { mode: startMode, conditions: late && node === kz ? '1.1' : '1.0' }
    if (faults.has('two-processes')) faults.count('two-processes')
  }
  if (late) faults.count('conditions-late')
  const trade = new Trade(world, nodes, span)
  new Hostile(world, nodes, span)
  const plan = new Plan(world, nodes, span)
  plan.schedule(endMode)
  timeline.at(start + span, () => {
    faults.heal()
    plan.heal(endMode)
    trade.heal()
    for (const node of nodes) node.trace('healed')
  })
  let atRest = false
  let restedAt = start
  const look = () => {
    atRest = trade.pending === 0 && plan.pending === 0 && nodes.every(isAtRest)
    if (!atRest) timeline.after(hours, look)
  }
  timeline.at(start + span + minutes, look)
  for (let events = 0; !atRest && checker.violations.length === 0; events += 1) {
    if (events > eventsMax) checker.violate('something goes round and round without end')
    if (timeline.now > start + span + restWithin || !timeline.step()) break
  }
  if (checker.violations.length === 0) {
    if (!atRest) checker.violate(`the world does not come to rest; ${trade.pending} submissions are left`)
    checker.finish(trade)
    if (checker.expiredUnknown > 0) tally.add(heldThoughExpired, checker.expiredUnknown)
    trade.stop()
    restedAt = timeline.now
    if (atRest) replayMuchLater(world, nodes)
  }
  return {
    seed,
    violations: checker.violations,
    messages: nodes.reduce((sum, node) => sum + node.store.outbound.size, 0),
    received: nodes.reduce(
      (sum, node) => sum + [...node.store.outbound.values()].filter(({ state }) => state === 'received').length,
      0,
    ),
    virtualDays: (restedAt - start) / days,
    faults: Object.fromEntries(faults.counts),
    counts: Object.fromEntries(tally.counts),
    traceDigest: trace.digest,
    trace: trace.lines,
  }
}

function isAtRest(node: SimNode): boolean {
  if (node.processes.some(({ busy }) => busy) || unused(node).length > 0) return false
  for (const { mode, state } of node.store.outbound.values())
    if (state === 'queued' || state === 'waiting' || (state === 'parked' && mode === node.channel?.mode)) return false
  return true
}

/** A year later somebody plays captured requests again: the ledgers must not change. */
function replayMuchLater(world: World, nodes: readonly SimNode[]): void {
  const { timeline, wire } = world
  const before = nodes.map(ledgerDigest)
  for (const [index, { to, pin, body }] of wire.captured.slice(0, 10).entries())
    timeline.at(timeline.now + 365 * days + index * seconds, () => wire.deliver(to, pin, body, () => {}))
  const until = timeline.now + 366 * days
  let over = false
  timeline.at(until, () => {
    over = true
  })
  while (!over && timeline.step());
  for (const [index, node] of nodes.entries())
    if (ledgerDigest(node) !== before[index])
      world.checker.violate(`${node.id}: a replay a year later changed the ledger`)
}

function ledgerDigest({ store }: SimNode): string {
  const out = [...store.outbound.values()].map(
    ({ id, digest, state, receipt }) => `${id} ${digest} ${state} ${receipt}`,
  )
  const come = store.inbound.map(
    ({ id, mode, digest, receipt, state }) => `${id} ${mode} ${digest} ${receipt} ${state}`,
  )
  return sha256([...out, ...come, store.records.length].join('\n'))
}

/** The windows and events of a seed: cuts, outages, clocks, changes of mode. */
class Plan {
  private readonly world: World
  private readonly nodes: readonly SimNode[]
  private readonly span: number
  private readonly random: Random
  private healed = false
  /** Changes of the channel that were not carried out yet. */
  pending = 0
  /** The node that is down for weeks. */
  private away: SimNode | undefined

  constructor(world: World, nodes: readonly SimNode[], span: number) {
    this.world = world
    this.nodes = nodes
    this.span = span
    this.random = new Random(world.seed, 'plan')
  }

  schedule(endMode: 'test' | 'live'): void {
    const { nodes, random, span } = this
    const { wire } = this.world
    const [a, b] = [nodes[0]!, nodes[1]!]
    this.windows('partition', span / 3, () => {
      for (const node of nodes) wire.cut(node, node.partner, 1)
      return () => {
        for (const node of nodes) wire.cut(node, node.partner, -1)
      }
    })
    this.windows('one-way-partition', span / 3, () => {
      const from = random.pick(nodes)
      wire.cut(from, from.partner, 1)
      return () => wire.cut(from, from.partner, -1)
    })
    const outage = () => {
      const node = random.pick(nodes)
      node.trace('is down')
      node.goDown()
      return () => node.comeBack()
    }
    this.windows('outage', span / 4, outage)
    if (this.world.faults.has('long-outage')) {
      // The partner is down until after everything else has healed, for weeks.
      this.world.timeline.at(this.world.timeline.now + random.integer(0, span), () => {
        this.world.faults.count('long-outage')
        const node = random.pick(nodes)
        this.away = node
        node.goDown()
        node.trace('is down for weeks')
        this.world.timeline.after(random.integer(10, 40) * days, () => {
          this.away = undefined
          node.comeBack()
        })
      })
    }
    this.windows('database-down', span / 10, () => {
      const node = random.pick(nodes)
      node.databaseDown = true
      return () => {
        node.databaseDown = false
      }
    })
    this.windows('clock-skew', span, () => {
      const node = random.pick(nodes)
      this.setClock(node, random.integer(-55, 55) * seconds)
      return () => {}
    })
    const jump = () => {
      const node = random.pick(nodes)
      this.setClock(node, random.pick([-1, 1]) * random.magnitude(2 * minutes, Math.max(2 * hours, span / 4)))
      return () => this.setClock(node, 0)
    }
    // Long enough that something is signed under the wrong clock.
    this.windows('clock-jump', span / 4, jump, span / 20)
    this.windows('suspension', span / 6, () => {
      const node = random.pick(nodes)
      const before = node.channel
      node.channel = undefined
      return () => {
        node.channel ??= before
        node.wake()
      }
    })
    // The software and the agreed version come a while later on one side than on the other.
    for (const node of nodes)
      this.world.timeline.at(this.world.timeline.now + random.magnitude(minutes, span), () => this.upgrade(node))
    if (this.world.faults.has('key-rotation'))
      for (const node of nodes) {
        // In good order the partner hears of a key before it is used; here it may hear of it too late.
        this.world.timeline.at(this.world.timeline.now + random.integer(0, span), () => {
          this.world.faults.count('key-rotation')
          node.signsWith = 2
          node.trace('signs with its second key')
        })
        this.world.timeline.at(this.world.timeline.now + random.integer(0, span), () => {
          node.published = 2
          node.trace('has published its second key')
        })
      }
    if (this.world.faults.has('mode-change'))
      for (const node of [a, b])
        this.world.timeline.at(this.world.timeline.now + random.integer(0, span), () => {
          this.world.faults.count('mode-change')
          this.setChannel(node, { mode: endMode, conditions: node.channel?.conditions ?? '1.0' })
        })
  }

  /** Everything that was wrong is right again. A node that is down for weeks comes back by itself. */
  heal(endMode: 'test' | 'live'): void {
    this.healed = true
    this.world.wire.heal()
    for (const node of this.nodes) {
      node.databaseDown = false
      node.published = 2
      this.upgrade(node)
      this.setClock(node, 0)
      this.setChannel(node, { mode: endMode, conditions: '1.1' })
      if (node !== this.away) node.comeBack()
      node.wake()
    }
  }

  private upgrade(node: SimNode): void {
    node.cured = true
    node.types = registered(laterTypes)
    node.acceptedConditions = new Set(['1.0', '1.1'])
  }

  /** The gates open another mode: what waits in the old one is parked in the same commit. */
  private setChannel(node: SimNode, channel: Channel): void {
    this.pending += 1
    this.tryChannel(node, channel)
  }

  private tryChannel(node: SimNode, channel: Channel): void {
    const process = node.upProcess()
    const again = () => this.world.timeline.after(6 * hours, () => this.tryChannel(node, channel))
    if (!process) {
      again()
      return
    }
    const change = node.transaction(process, function* (tx): Work {
      yield* parkMode(node, tx, channel.mode === 'live' ? 'test' : 'live')
      tx.write(() => {
        node.channel = channel
      })
    })
    process.run(change, (ending) => {
      if (ending.kind !== 'done') return again()
      this.pending -= 1
      node.trace(`opens ${channel.mode} ${channel.conditions}`)
      node.wake()
    })
  }

  private setClock(node: SimNode, offset: number): void {
    node.clockOffset = offset
    node.trace(`clock is off by ${offset / 1000} s`)
    node.wake()
  }

  private windows(kind: FaultKind, lengthMax: number, open: () => () => void, lengthMin = 10 * seconds): void {
    const { faults, timeline } = this.world
    const count = this.random.integer(1, 3)
    for (let index = 0; index < count; index += 1) {
      const from = timeline.now + this.random.integer(0, Math.floor(this.span * 0.9))
      const length = this.random.magnitude(lengthMin, lengthMax)
      if (!faults.has(kind)) continue
      timeline.at(from, () => {
        if (this.healed) return
        faults.count(kind)
        const close = open()
        timeline.at(from + length, () => {
          if (!this.healed) close()
        })
      })
    }
  }
}
