import type { Mode, PartContent, Use } from '../../src/exchange/message.ts'

export type OutboundState = 'queued' | 'waiting' | 'received' | 'parked' | 'skipped' | 'reissued'

/** A row of the sender's ledger. What stands in `OutboundChange` changes, the rest never. */
export interface OutboundRow extends OutboundChange {
  readonly id: string
  readonly mode: Mode
  readonly lane: string
  readonly epoch: number
  readonly seq: number
  readonly type: string
  readonly version: number
  readonly subject: string
  readonly ref: string | undefined
  readonly message: string
  readonly digest: string
  readonly use: Use
  readonly expiresAt: string
  readonly dueAt: number
  parts: readonly PartContent[]
}

export interface OutboundChange {
  state: OutboundState
  notBefore: number
  attempts: number
  lastOutcome?: string | undefined
  receipt?: string | undefined
  receivedAt?: string | undefined
  answer?: 'accepted' | 'rejected' | undefined
  usedAt?: number | undefined
}

/** A row of the receiver's ledger. */
export interface InboundRow extends InboundChange {
  readonly mode: Mode
  readonly id: string
  readonly lane: string
  readonly epoch: number
  readonly seq: number
  readonly type: string
  readonly subject: string
  readonly message: string
  readonly digest: string
  readonly receipt: string
  readonly state: 'received' | 'accepted' | 'rejected' | 'quarantined'
  readonly answerId: string | undefined
}

export interface InboundChange {
  gap: boolean
  duplicates: number
  usedAt?: number | undefined
}

/** What the rules of a message type kept of it: the business record behind the ledger. */
export interface KeptRecord {
  readonly messageId: string
  readonly mode: Mode
  readonly type: string
  readonly subject: string
  /** Digest of the body as it was kept. */
  readonly contentDigest: string | undefined
}

/** Hears of every change when it is committed. */
export interface LedgerWatch {
  outboundChanges(row: OutboundRow, change: Partial<OutboundChange>): void
  inboundInserted(row: InboundRow): void
  inboundChanges(row: InboundRow, change: Partial<InboundChange>): void
}

/**
 * The database failed. `away`: it could not be reached, and nobody knows whether a commit under way came through.
 * `refused`: it rolled this transaction back, for a conflict or for what it could not keep.
 */
export class DatabaseFailure extends Error {
  readonly kind: 'away' | 'refused'

  constructor(kind: 'away' | 'refused', message: string) {
    super(message)
    this.kind = kind
  }
}

export const placeKey = (mode: Mode, place: { lane: string; epoch: number; seq: number }): string =>
  `${mode}/${place.lane}/${place.epoch}/${place.seq}`
export const laneKey = (mode: Mode, lane: string): string => `${mode}/${lane}`

/**
 * The tables of one node, as its SQL sees them: committed rows, unique ids, row locks. A transaction reads what is
 * committed at each statement and adds its own at the commit.
 */
export class Store {
  readonly outbound = new Map<string, OutboundRow>()
  readonly outboundOfLane = new Map<string, OutboundRow[]>()
  /** A list, so that a second row for one id would be seen. */
  readonly inbound: InboundRow[] = []
  readonly inboundById = new Map<string, InboundRow>()
  readonly inboundAtPlace = new Map<string, InboundRow[]>()
  readonly parkedLanes = new Map<string, string>()
  readonly requestsSeen = new Map<string, number>()
  readonly records: KeptRecord[] = []
  /** Submissions already taken in: the national system hands each over until it hears so. */
  readonly submitted = new Set<string>()
  readonly locks = new Map<string, Transaction>()
  readonly watch: LedgerWatch

  constructor(watch: LedgerWatch) {
    this.watch = watch
  }
}

export class Transaction {
  private readonly store: Store
  private readonly writes: (() => void)[] = []
  private readonly held: string[] = []
  private readonly staged = new Map<OutboundRow, OutboundState>()
  /** Rows this transaction inserted: it sees them, nobody else does. */
  readonly insertedInbound: InboundRow[] = []
  readonly insertedOutbound: OutboundRow[] = []
  private open = true

  constructor(store: Store) {
    this.store = store
  }

  /** @returns false while another transaction holds the lock */
  tryLock(key: string): boolean {
    const holder = this.store.locks.get(key)
    if (holder) return holder === this
    this.store.locks.set(key, this)
    this.held.push(key)
    return true
  }

  write(apply: () => void): void {
    this.writes.push(apply)
  }

  insertOutbound(row: OutboundRow): void {
    const { store } = this
    this.insertedOutbound.push(row)
    this.write(() => {
      store.outbound.set(row.id, row)
      append(store.outboundOfLane, laneKey(row.mode, row.lane), row)
    })
  }

  /** The state of a row as this transaction sees it, its own changes included. */
  stateOf(row: OutboundRow): OutboundState {
    return this.staged.get(row) ?? row.state
  }

  /** The row's lock must be held: `message ID`. */
  changeOutbound(row: OutboundRow, change: Partial<OutboundChange>): void {
    if (change.state) this.staged.set(row, change.state)
    this.write(() => {
      this.store.watch.outboundChanges(row, change)
      Object.assign(row, change)
    })
  }

  insertInbound(row: InboundRow): void {
    const { store } = this
    this.insertedInbound.push(row)
    this.write(() => {
      store.inbound.push(row)
      store.inboundById.set(`${row.mode}/${row.id}`, row)
      append(store.inboundAtPlace, placeKey(row.mode, row), row)
      store.watch.inboundInserted(row)
    })
  }

  changeInbound(row: InboundRow, change: Partial<InboundChange>): void {
    this.write(() => {
      this.store.watch.inboundChanges(row, change)
      Object.assign(row, change)
    })
  }

  commit(): void {
    for (const apply of this.writes) apply()
    this.end()
  }

  /** Frees the locks. What was not committed by now never happened. */
  end(): void {
    if (!this.open) return
    this.open = false
    for (const key of this.held) this.store.locks.delete(key)
  }
}

function append<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
