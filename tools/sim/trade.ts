import type { MessagePayload, PartContent, Use } from '../../src/exchange/message.ts'
import { sha256 } from '../../src/exchange/strict-jws.ts'
import { type JsonValue, type Problem, readJson } from '../../src/kernel/index.ts'
import type { NodeProcess, SimNode } from './node.ts'
import { answerUse, type Draft, parkMode, resendMessage, saveOutbound, skipMessage } from './outbox.ts'
import { Random } from './random.ts'
import { DatabaseFailure, type InboundRow, type Transaction } from './store.ts'
import type { Work } from './timeline.ts'
import { days, hours, minutes, seconds, type World } from './world.ts'

/** Types that everybody knows from the start; DSC comes with a later version of the software. */
export const firstTypes = ['EXP-CLR', 'TRN-CLR', 'AMD', 'CNL', 'DEP', 'ARR', 'ACCEPTED', 'REJECTED', 'USED', 'SKIP']
export const laterTypes = [...firstTypes, 'DSC']
const clearances: ReadonlySet<string> = new Set(['EXP-CLR', 'TRN-CLR', 'AMD'])
const answers: ReadonlySet<string> = new Set(['ACCEPTED', 'REJECTED', 'USED', 'SKIP'])

export function isAnswered(type: string): boolean {
  return !answers.has(type)
}

/** The types as the exchange names them. */
export function registered(types: readonly string[]): ReadonlySet<string> {
  return new Set(types.map((type) => `${type}@1`))
}

export interface BodyDecision {
  readonly kind: 'accepted' | 'rejected' | 'quarantined'
  readonly problems: readonly Problem[]
  /** The software cannot keep it until it is cured. */
  readonly unkeepable?: boolean
}

export function readBody(parts: readonly PartContent[]): JsonValue | undefined | 'unreadable' {
  const part = parts.find(({ name }) => name === 'body')
  if (!part) return undefined
  const read = readJson(part.bytes.toString('utf8'), { lengthMax: 2 ** 21, depthMax: 16, otherNumbers: 'refuse' })
  return read.ok ? read.value : 'unreadable'
}

/** Stands for the rules of the message types: the body says what becomes of it. */
export function decideBody(body: JsonValue | undefined): BodyDecision {
  if (body === 'unreadable') return { kind: 'rejected', problems: [{ code: 'exchange/body-unreadable', pointer: '' }] }
  const fate =
    body !== null && typeof body === 'object' && !Array.isArray(body) ? (body as { fate?: JsonValue }).fate : undefined
  if (fate === 'defect') return { kind: 'rejected', problems: [{ code: 'clearance/item-missing', pointer: '/items' }] }
  if (fate === 'prohibited') return { kind: 'quarantined', problems: [{ code: 'clearance/not-for-us', pointer: '' }] }
  if (fate === 'warn') return { kind: 'accepted', problems: [{ code: 'clearance/check-digit', pointer: '/container' }] }
  return { kind: 'accepted', problems: [], unkeepable: fate === 'unkeepable' }
}

/** Keeps what a message says, in the commit that stores it. */
export function* keepRecord(
  node: SimNode,
  tx: Transaction,
  payload: MessagePayload,
  parts: readonly PartContent[],
  decision: BodyDecision,
): Work {
  if (decision.unkeepable && !node.cured) throw new DatabaseFailure('refused', 'cannot be kept')
  const body = parts.find(({ name }) => name === 'body')
  const { id: messageId, mode, subject, type } = payload
  const record = { messageId, mode, subject, type, contentDigest: body && sha256(body.bytes) }
  tx.write(() => node.store.records.push(record))
  const about = payload.ref ? node.store.outbound.get(payload.ref) : undefined
  if (about?.mode !== payload.mode) return
  yield* node.acquire(tx, `message ${about.id}`)
  if (payload.type === 'ACCEPTED' && !about.answer) tx.changeOutbound(about, { answer: 'accepted' })
  if (payload.type === 'REJECTED' && !about.answer) tx.changeOutbound(about, { answer: 'rejected' })
  if (payload.type === 'USED' && !about.usedAt) tx.changeOutbound(about, { usedAt: node.world.timeline.now })
}

interface Item {
  readonly type: string
  readonly subject: string
  readonly lane: string
  readonly body: Buffer
  readonly priority: number
}

/** The national systems, the trains and the officers of both sides. */
export class Trade {
  /** Submissions that were not taken in yet. */
  pending = 0
  /** Digest of the content as it was handed in, by subject and type. */
  readonly submittedContent = new Map<string, Set<string>>()
  private readonly world: World
  private readonly random: Random
  private readonly tries = new Map<string, number>()
  private healed = false
  private stopped = false

  constructor(world: World, nodes: readonly SimNode[], span: number) {
    this.world = world
    this.random = new Random(world.seed, 'trade')
    for (const node of nodes) {
      this.plan(node, span)
      this.repeat(() => this.officerLooks(node), 3 * hours)
      this.repeat(() => this.legsClose(node), 6 * hours)
      this.repeat(() => this.sweepTest(node), 6 * hours)
    }
  }

  heal(): void {
    this.healed = true
  }

  /** Nobody acts any more. */
  stop(): void {
    this.stopped = true
  }

  private repeat(act: () => void, pause: number): void {
    const { timeline } = this.world
    const again = () => {
      if (this.stopped) return
      act()
      timeline.after(this.healed ? 2 * hours : this.random.integer(pause / 4, pause), again)
    }
    timeline.after(this.random.integer(0, pause), again)
  }

  private plan(node: SimNode, span: number): void {
    const { random } = this
    const { timeline } = this.world
    const flood = random.chance(0.001)
    const bulky = !flood && random.chance(0.001)
    const trains = flood || bulky ? 1 : random.pick([0, 1, 1, 1, 2, 3])
    for (let train = 0; train < trains; train += 1) {
      const at = timeline.now + random.integer(0, Math.floor(span * 0.8))
      const leg = random.uuid()
      const boxes = flood ? random.integer(505, 530) : bulky ? 14 : random.magnitude(1, 9)
      const declared = Array.from({ length: boxes }, (_, index) => {
        const subject = random.uuid()
        const type = random.pick(['EXP-CLR', 'EXP-CLR', 'TRN-CLR'])
        const later = random.chance(0.3) && !flood ? random.pick(['AMD', 'AMD', 'AMD', 'CNL']) : undefined
        if (later)
          this.submit(
            node,
            [this.item(later, subject, subject, index, false)],
            at + random.magnitude(minutes, span / 4),
          )
        return this.item(type, subject, subject, index, bulky)
      })
      if (random.chance(0.5)) this.submit(node, declared, at)
      else for (const item of declared) this.submit(node, [item], at + random.magnitude(seconds, 6 * hours))
      this.submit(node, [this.item('DEP', leg, leg, train, false)], at + random.magnitude(10 * minutes, 12 * hours))
      if (random.chance(0.5))
        this.submit(node.partner, [this.item('ARR', leg, leg, train, false)], at + random.magnitude(hours, 24 * hours))
    }
  }

  private item(type: string, subject: string, lane: string, index: number, bulky: boolean): Item {
    const { faults } = this.world
    const { random } = this
    const fate = faults.strikes('save-fails')
      ? 'unkeepable'
      : random.pick(['sound', 'sound', 'sound', 'sound', 'sound', 'sound', 'warn', 'warn', 'defect', 'prohibited'])
    const text = JSON.stringify({
      declaration: `${type}-${index}`,
      fate,
      goods: (bulky ? 'x'.repeat(330_000) : '') + random.hex(24),
    })
    return {
      type: faults.strikes('type-unknown') ? 'DSC' : type,
      subject,
      lane,
      body: Buffer.from(random.chance(0.02) ? `${text},` : text),
      priority: type === 'DEP' ? 9 : 4,
    }
  }

  private submit(node: SimNode, items: readonly Item[], at: number): void {
    this.pending += 1
    const key = this.random.uuid()
    for (const { subject, type, body } of items) {
      const known = this.submittedContent.get(`${subject}/${type}`) ?? new Set()
      this.submittedContent.set(`${subject}/${type}`, known.add(sha256(body)))
    }
    let pause = 2 * minutes
    const attempt = () => {
      const process = node.upProcess()
      const again = () => {
        pause = Math.min(2 * pause, 12 * hours)
        this.world.timeline.after(this.random.integer(minutes, pause), attempt)
      }
      if (!process || !node.channel) return again()
      process.run(this.takeIn(node, process, key, items), (ending) => {
        if (ending.kind === 'done') {
          this.pending -= 1
          node.wake()
        } else {
          if (ending.kind === 'failed') this.world.checker.unlessDatabase(node, ending.error)
          again()
        }
      })
    }
    this.world.timeline.at(at, attempt)
  }

  /** Intake: the submission is known, or its messages are signed into the outbox, in one commit. */
  private takeIn(node: SimNode, process: NodeProcess, key: string, items: readonly Item[]): Work {
    const trade = this
    return node.transaction(process, function* (tx): Work {
      yield* node.acquire(tx, `submission ${key}`)
      const { channel, store } = node
      if (store.submitted.has(key) || !channel) return
      const rows = yield* saveOutbound(
        node,
        tx,
        items.map((item) => trade.draft(node, item, channel)),
      )
      for (const row of rows) {
        if (!node.world.faults.strikes('part-rotted')) continue
        row.parts = row.parts.map((part) => ({ ...part, bytes: rotted(part.bytes) }))
      }
      tx.write(() => store.submitted.add(key))
    })
  }

  private draft(node: SimNode, item: Item, channel: NonNullable<SimNode['channel']>): Draft {
    const { faults } = this.world
    const use: Use = { ...answerUse, personalData: true }
    const now = node.now().getTime()
    const life = faults.strikes('short-expiry') ? this.random.magnitude(10 * minutes, 3 * days) : 120 * days
    return {
      ...item,
      mode: channel.mode,
      conditions: channel.conditions,
      agreement: faults.strikes('agreement-unknown') ? 'OTHER-1' : undefined,
      use: faults.strikes('use-refused') ? { ...use, retention: 'FOREVER' } : use,
      expiresAt: new Date(now + life),
    }
  }

  /** An officer acts on what is parked: sends it again or gives it up. */
  private officerLooks(node: SimNode): void {
    const { channel } = node
    const process = node.upProcess()
    if (!process || !channel) return
    for (const row of node.store.outbound.values()) {
      if (!process.up) return
      if (row.state !== 'parked' || row.mode !== channel.mode) continue
      if (!this.healed && this.random.chance(0.3)) continue
      const place = `${node.id}/${row.mode}/${row.lane}/${row.seq}`
      const tries = (this.tries.get(place) ?? 0) + 1
      this.tries.set(place, tries)
      const skips = this.healed ? tries > 2 : this.random.chance(0.3)
      const act = skips ? skipMessage : resendMessage
      process.run(
        node.transaction(process, (tx) => act(node, tx, row.id, channel.conditions)),
        (ending) => {
          if (ending.kind === 'failed') this.world.checker.unlessDatabase(node, ending.error)
          node.wake()
        },
      )
    }
  }

  /** A test message may have been signed while the channel left test: it is parked too. */
  private sweepTest(node: SimNode): void {
    const process = node.upProcess()
    if (!process || node.channel?.mode !== 'live') return
    process.run(
      node.transaction(process, (tx) => parkMode(node, tx, 'test')),
      (ending) => {
        if (ending.kind === 'failed') this.world.checker.unlessDatabase(node, ending.error)
      },
    )
  }

  /** Records whose leg has closed are reported as used, all alike. */
  private legsClose(node: SimNode): void {
    const process = node.upProcess()
    const { channel } = node
    if (!process || !channel) return
    const rows = unused(node).filter(() => this.healed || this.random.chance(0.7))
    if (rows.length === 0) return
    process.run(
      node.transaction(process, function* (tx): Work {
        const now = node.now()
        const open = rows.filter((row) => row.usedAt === undefined && row.mode === node.channel?.mode)
        yield* saveOutbound(
          node,
          tx,
          open.map(({ id, lane, mode, subject }) => ({
            mode,
            conditions: channel.conditions,
            type: 'USED',
            subject,
            lane,
            ref: id,
            use: answerUse,
            priority: 1,
            expiresAt: new Date(now.getTime() + 120 * days),
          })),
        )
        for (const row of open) tx.changeInbound(row, { usedAt: now.getTime() })
      }),
      (ending) => {
        if (ending.kind === 'failed') this.world.checker.unlessDatabase(node, ending.error)
        node.wake()
      },
    )
  }
}

/** Accepted clearance records that were not reported as used yet. */
export function unused(node: SimNode): readonly InboundRow[] {
  return node.store.inbound.filter(
    (row) =>
      row.usedAt === undefined &&
      row.mode === node.channel?.mode &&
      row.state === 'accepted' &&
      clearances.has(row.type),
  )
}

/** Bytes in which a page of the disk flipped one bit, inside a word where JSON stays JSON. */
function rotted(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const at = copy.lastIndexOf('"') - 3
  copy[at] = copy[at]! ^ 1
  return copy
}
