import { type Breaker, closedBreaker, type RetryPolicy } from '../../src/exchange/decide-delivery.ts'
import type { Keyring } from '../../src/exchange/keyset.ts'
import type { Mode } from '../../src/exchange/message.ts'
import type { Signer } from '../../src/exchange/strict-jws.ts'
import type { AdministrationId } from '../../src/kernel/index.ts'
import { type KeyNumber, simulationKeyring, simulationSigner } from './keys.ts'
import { Random } from './random.ts'
import { DatabaseFailure, Store, Transaction } from './store.ts'
import { Process, type Work } from './timeline.ts'
import { hours, minutes, seconds, type World } from './world.ts'

export const agreementId = 'STOP-2021'
const lockWaitMax = 5 * minutes

/** What is open with the partner now, as the gates of the agreement decided it. */
export interface Channel {
  readonly mode: Mode
  /** The version our own messages state. */
  readonly conditions: string
}

/** One process of a node: it answers the partner's requests and carries the outbox. */
export class NodeProcess extends Process {
  breaker: Breaker = closedBreaker
  sending = false
  again = false
  pollAt = Number.POSITIVE_INFINITY
}

/** One administration's node: a store, a clock and one or two processes. */
export class SimNode {
  readonly id: AdministrationId
  readonly world: World
  readonly store: Store
  readonly processes: readonly NodeProcess[]
  readonly policy: RetryPolicy
  readonly random: Random
  partner!: SimNode
  channel: Channel | undefined
  acceptedConditions: ReadonlySet<string> = new Set(['1.0'])
  types: ReadonlySet<string> = new Set()
  /** How far this node's clock is from true time, in milliseconds. */
  clockOffset = 0
  databaseDown = false
  signsWith: KeyNumber = 1
  /** How many of its signing keys the partner has heard of. */
  published: KeyNumber = 1
  /** The software can keep what it could not keep before. */
  cured = false
  down = false

  constructor(world: World, id: AdministrationId, processes: number, policy: RetryPolicy) {
    this.world = world
    this.id = id
    this.policy = policy
    this.random = new Random(world.seed, `node/${id}`)
    this.store = new Store(world.checker.watch(id))
    this.processes = Array.from({ length: processes }, (_, index) => new NodeProcess(`${id}/${index + 1}`))
  }

  now(): Date {
    return new Date(this.world.timeline.now + this.clockOffset)
  }

  signer(mode: Mode): Signer {
    return simulationSigner(this.world.nonces, this.id, mode, this.signsWith)
  }

  /** The published keys of this node, as its partner knows them. */
  keyring(mode: Mode): Keyring {
    return simulationKeyring(this.world.nonces, this.id, mode, this.published)
  }

  trace(what: string): void {
    this.world.trace.add(this.world.timeline.now, this.id, what)
  }

  upProcess(): NodeProcess | undefined {
    const up = this.processes.filter((process) => process.up)
    return up.length > 0 ? this.random.pick(up) : undefined
  }

  /** One step of a process: it takes a moment, and the process may die in it. */
  *step(process: NodeProcess, name: string): Work {
    const { faults, timeline } = this.world
    if (faults.strikes('process-crash'))
      yield () => {
        this.trace(`${process.name} dies at ${name}`)
        this.crash(process)
      }
    yield (wake) => timeline.after(this.random.integer(0, 6), () => wake.resume())
  }

  crash(process: NodeProcess): void {
    process.crash()
    const { random, world } = this
    const pause = random.chance(0.8) ? random.integer(200, 20 * seconds) : random.magnitude(20 * seconds, 2 * hours)
    world.timeline.after(pause, () => this.start(process))
  }

  start(process: NodeProcess): void {
    if (process.up || this.down) return
    process.up = true
    process.breaker = closedBreaker
    process.sending = false
    process.again = false
    process.pollAt = Number.POSITIVE_INFINITY
    this.trace(`${process.name} starts`)
    this.wakeSender(process)
  }

  /** All processes of the node are gone until `comeBack`. */
  goDown(): void {
    this.down = true
    for (const process of this.processes) if (process.up) process.crash()
  }

  comeBack(): void {
    this.down = false
    for (const process of this.processes) this.start(process)
  }

  /** Something may be due. Set by the sender, which this class need not know. */
  wakeSender: (process: NodeProcess) => void = () => {}

  wake(): void {
    for (const process of this.processes) this.wakeSender(process)
  }

  /** Runs work in one transaction. What the process or the database loses before the commit never happened. */
  *transaction<Value>(process: NodeProcess, work: (tx: Transaction) => Work<Value>): Work<Value> {
    const { faults } = this.world
    if (this.databaseDown) throw new DatabaseFailure('away', 'down')
    const tx = new Transaction(this.store)
    try {
      const value = yield* work(tx)
      yield* this.step(process, 'before commit')
      if (this.databaseDown) throw new DatabaseFailure('away', 'down')
      if (faults.strikes('commit-lost')) throw new DatabaseFailure('refused', 'commit lost')
      tx.commit()
      if (faults.strikes('commit-unknown')) throw new DatabaseFailure('away', 'committed, and the answer was lost')
      yield* this.step(process, 'after commit')
      return value
    } finally {
      tx.end()
    }
  }

  /** Waits for a row lock, as a database session does. */
  *acquire(tx: Transaction, key: string): Work {
    const until = this.world.timeline.now + lockWaitMax
    for (let pause = 5; !tx.tryLock(key); pause = Math.min(2 * pause, 2 * seconds)) {
      if (this.world.timeline.now >= until) throw new DatabaseFailure('refused', 'lock')
      const wait = pause
      yield (wake) => this.world.timeline.after(wait, () => wake.resume())
    }
  }
}
