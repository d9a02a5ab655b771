import type { QueuedMessage } from '../../src/exchange/decide-delivery.ts'
import { findVerificationKey } from '../../src/exchange/keyset.ts'
import type { AnswerResult } from '../../src/exchange/link-request.ts'
import { type Mode, readMessage } from '../../src/exchange/message.ts'
import { provesReceipt } from '../../src/exchange/receipt.ts'
import { verifyJws } from '../../src/exchange/strict-jws.ts'
import type { SimNode } from './node.ts'
import {
  DatabaseFailure,
  type InboundRow,
  type LedgerWatch,
  laneKey,
  type OutboundChange,
  type OutboundRow,
  type OutboundState,
  placeKey,
} from './store.ts'
import { isAnswered, type Trade } from './trade.ts'

/** From which state a message may go to which. `received` is for good; what was given up can only turn out received. */
const transitions: Readonly<Record<OutboundState, ReadonlySet<OutboundState>>> = {
  queued: new Set(['queued', 'waiting', 'parked', 'received']),
  waiting: new Set(['waiting', 'queued', 'parked', 'received']),
  parked: new Set(['parked', 'queued', 'skipped', 'reissued', 'received']),
  skipped: new Set(['skipped', 'received']),
  reissued: new Set(['reissued', 'received']),
  received: new Set(['received']),
}

const violationsMax = 20

/**
 * Knows both ledgers and everything that was answered, and says when a promise of the exchange is broken: at each commit
 * and each answer, and of the whole once the world has healed.
 */
export class Checker {
  readonly violations: string[] = []
  /** Digests signed with a stolen key: the receiver may hold them, their apparent issuer knows nothing of them. */
  readonly forged = new Set<string>()
  /** Digests that faulty software posted on its own, out of their turn. */
  readonly outOfTurn = new Set<string>()
  /** Messages that the receiver holds and the sender gave up as expired. */
  expiredUnknown = 0
  private nodes: readonly SimNode[] = []
  /** What receivers truly decided: `OUTCOME digest`. */
  private readonly refused = new Set<string>()
  private readonly put = new Set<string>()
  private readonly inserted = new Set<string>()

  meet(nodes: readonly SimNode[]): void {
    this.nodes = nodes
  }

  violate(what: string): void {
    if (this.violations.length < violationsMax) this.violations.push(what)
    this.nodes[0]?.trace(`VIOLATION ${what}`)
  }

  bug(node: SimNode, error: unknown): void {
    this.violate(
      `${node.id}: the program failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  }

  unlessDatabase(node: SimNode, error: unknown): void {
    if (!(error instanceof DatabaseFailure)) this.bug(node, error)
  }

  /** A request that could not be answered: only the database may be the cause. */
  receiverFails(node: SimNode, error: unknown): void {
    this.unlessDatabase(node, error)
  }

  watch(id: string): LedgerWatch {
    return {
      outboundChanges: (row, change) => this.outboundChanges(this.node(id), row, change),
      inboundInserted: (row) => this.inboundInserted(this.node(id), row),
      inboundChanges: () => {},
    }
  }

  private node(id: string): SimNode {
    return this.nodes.find((node) => node.id === id)!
  }

  private outboundChanges(node: SimNode, row: OutboundRow, change: Partial<OutboundChange>): void {
    const { state } = change
    const name = `${node.id}: message ${row.id}`
    if (!state) return
    if (!transitions[row.state].has(state)) this.violate(`${name} goes from ${row.state} to ${state}`)
    if (state === 'received') this.receives(node, row, change.receipt ?? '', name)
    if (state !== 'parked' || change.lastOutcome === 'MODE_CLOSED') return
    const expired = change.lastOutcome === 'EXPIRED' && Date.parse(row.expiresAt) <= node.now().getTime()
    if (!expired && !this.refused.has(`${change.lastOutcome} ${row.digest}`))
      this.violate(`${name} is parked as ${change.lastOutcome}, and nobody refused it so`)
  }

  /** Whatever the sender holds as received: a proving receipt, and the same message in the receiver's ledger. */
  private receives(node: SimNode, row: OutboundRow, receipt: string, name: string): void {
    const { partner } = node
    const { id, digest, mode } = row
    const held = partner.store.inboundById.get(`${mode}/${id}`)
    if (held?.digest !== digest) this.violate(`${name} is held as received, and the receiver's ledger does not hold it`)
    // The text that the receiver itself committed needs no proof; any other would.
    if (held?.receipt === receipt) return
    if (!provesReceipt(receipt, { id, digest, mode, iss: node.id, aud: partner.id }, partner.keyring(mode)))
      this.violate(`${name} is held as received without a proving receipt`)
    this.violate(`${name} has another receipt than the receiver's ledger`)
  }

  private inboundInserted(node: SimNode, row: InboundRow): void {
    const { partner } = node
    const name = `${node.id}: message ${row.id}`
    const key = `${node.id}/${row.mode}/${row.id}`
    if (this.inserted.has(key)) this.violate(`${name} stands in the ledger twice`)
    this.inserted.add(key)
    const sent = partner.store.outbound.get(row.id)
    // The very text that the partner signed into its own ledger needs no proof; any other does.
    if (sent?.message !== row.message || sent.mode !== row.mode) this.provesItself(node, row, name)
    if (this.forged.has(row.digest)) return
    if (sent?.digest !== row.digest) this.violate(`${name} is in the ledger and its issuer never signed it`)
    if (row.gap && !this.excused(partner, row)) this.violate(`${name} came ahead of the message before it in its lane`)
  }

  private provesItself(node: SimNode, row: InboundRow, name: string): void {
    const { partner } = node
    const read = readMessage(row.message)
    const verification = read.ok && findVerificationKey(partner.keyring(row.mode), read.value.jws.kid, node.now())
    if (!read.ok || !verification || !verifyJws(read.value.jws, verification)) {
      this.violate(`${name} in the ${row.mode} ledger is not signed by the partner for ${row.mode}`)
      return
    }
    const { payload } = read.value
    if (payload.mode !== row.mode || payload.iss !== partner.id || payload.aud !== node.id)
      this.violate(`${name} is in the ledger and is not for it`)
  }

  /** Whether the message in front was refused, put off or given up at least once: then the lane could not stay in step. */
  private excused(sender: SimNode, row: InboundRow): boolean {
    if (this.outOfTurn.has(row.digest)) return true
    const before = (sender.store.outboundOfLane.get(laneKey(row.mode, row.lane)) ?? []).filter(
      ({ seq }) => seq === row.seq - 1,
    )
    return before.some((other) => this.put.has(other.digest) || ['parked', 'skipped', 'reissued'].includes(other.state))
  }

  /** The receiver decided what becomes of the entries of a frame. */
  judges(results: readonly AnswerResult[]): void {
    for (const { digest, outcome } of results) {
      if (outcome === 'RECEIVED') continue
      this.refused.add(`${outcome} ${digest}`)
      if (digest) this.put.add(digest)
    }
  }

  /** An answer leaves the receiver: what it acknowledges is committed, and there is one receipt for it only. */
  answers(node: SimNode, mode: Mode, results: readonly AnswerResult[]): void {
    this.judges(results)
    for (const { id, digest, outcome, receipt } of results) {
      if (outcome !== 'RECEIVED') continue
      const held = node.store.inboundById.get(`${mode}/${id}`)
      if (!held || held.digest !== digest || held.receipt !== receipt)
        this.violate(`${node.id}: message ${id} is acknowledged, and the ledger does not hold it so`)
    }
  }

  /** A lane keeps its order: nothing goes while something in front of it still waits to go. */
  frameIsPlanned(node: SimNode, mode: Mode, send: readonly QueuedMessage[]): void {
    const sent = new Map<string, { last: number; ids: Set<string> }>()
    for (const { id, lane, seq } of send) {
      const run = sent.get(lane) ?? { last: 0, ids: new Set() }
      if (seq < run.last) this.violate(`${node.id}: lane ${lane} is sent out of order`)
      run.last = seq
      sent.set(lane, run)
      run.ids.add(id)
    }
    for (const [lane, { last, ids }] of sent)
      for (const row of node.store.outboundOfLane.get(laneKey(mode, lane)) ?? [])
        if ((row.state === 'queued' || row.state === 'parked') && row.seq < last && !ids.has(row.id))
          this.violate(`${node.id}: message ${row.id} is ${row.state} and overtaken in its lane`)
  }

  /** Of a healed world that has come to rest. */
  finish(trade: Trade): void {
    for (const node of this.nodes) {
      this.sentWell(node)
      this.lanesComplete(node)
      this.receivedWell(node, trade)
    }
  }

  private sentWell(node: SimNode): void {
    const { partner } = node
    for (const row of node.store.outbound.values()) {
      const name = `${node.id}: message ${row.id} (${row.type}, ${row.mode})`
      const open = row.mode === node.channel?.mode
      if (row.state === 'queued' || row.state === 'waiting' || (open && row.state === 'parked'))
        this.violate(`${name} is still ${row.state} after ${row.lastOutcome ?? 'nothing'}`)
      if (row.state !== 'received') continue
      const held = partner.store.inbound.filter(({ id, mode }) => id === row.id && mode === row.mode)
      if (held.length !== 1 || held[0]?.digest !== row.digest)
        this.violate(`${name} was acknowledged and stands in the receiver's ledger ${held.length} times`)
      if (!open || !isAnswered(row.type) || !held[0]) continue
      const answers = [...partner.store.outbound.values()].filter(
        ({ ref, mode }) => ref === row.id && mode === row.mode,
      )
      const expected = held[0].state === 'accepted' ? 'accepted' : 'rejected'
      if (row.answer !== expected && !wasSkipped(answers, expected.toUpperCase()))
        this.violate(`${name} was ${expected} and its sender holds ${row.answer ?? 'no answer'}`)
      if (held[0].usedAt !== undefined && row.usedAt === undefined && !wasSkipped(answers, 'USED'))
        this.violate(`${name} was used and its sender does not know`)
    }
  }

  private lanesComplete(node: SimNode): void {
    for (const rows of node.store.outboundOfLane.values()) {
      if (rows[0]?.mode !== node.channel?.mode) continue
      for (const row of rows)
        if (!node.partner.store.inboundAtPlace.has(placeKey(row.mode, row)))
          this.violate(`${node.id}: place ${row.seq} of lane ${row.lane} stays empty`)
    }
  }

  private receivedWell(node: SimNode, trade: Trade): void {
    const { inbound, inboundAtPlace, records } = node.store
    const kept = new Map<string, number>()
    for (const { messageId, mode } of records)
      kept.set(`${mode}/${messageId}`, (kept.get(`${mode}/${messageId}`) ?? 0) + 1)
    for (const row of inbound) {
      const name = `${node.id}: message ${row.id} (${row.type}, ${row.mode})`
      if (kept.get(`${row.mode}/${row.id}`) !== 1) this.violate(`${name} was not kept exactly once`)
      if (this.forged.has(row.digest)) continue
      const sent = node.partner.store.outbound.get(row.id)
      if (sent?.digest !== row.digest) this.violate(`${name} is in the ledger and its issuer never signed it`)
      const before = inboundAtPlace.get(placeKey(row.mode, { ...row, seq: row.seq - 1 })) ?? []
      // Two transactions that store neighbours at the same time do not see each other; a lane in turn never has two.
      const inTurn = [row, ...before].every(({ digest }) => !this.outOfTurn.has(digest) && !this.forged.has(digest))
      if (row.gap && inTurn && (row.seq === 1 || before.length > 0)) this.violate(`${name} shows a gap that is filled`)
      const posted = this.outOfTurn.has(row.digest)
      if (row.mode !== node.channel?.mode || sent?.state === 'received' || posted) continue
      // Open: its receipt was lost and its time ran out before the next attempt. Until statements are exchanged the
      // sender learns from the answer alone that the partner holds it.
      if (sent?.lastOutcome === 'EXPIRED' && !this.refused.has(`EXPIRED ${row.digest}`)) this.expiredUnknown += 1
      else
        this.violate(`${name} is held by the receiver and its sender has it as ${sent?.state} (${sent?.lastOutcome})`)
    }
    for (const { contentDigest, messageId, subject, type } of records)
      if (contentDigest && isAnswered(type) && !this.forgedId(node, messageId))
        if (!trade.submittedContent.get(`${subject}/${type}`)?.has(contentDigest))
          this.violate(`${node.id}: message ${messageId} (${type}) holds other content than was submitted`)
  }

  private forgedId(node: SimNode, id: string): boolean {
    return node.store.inbound.some((row) => row.id === id && this.forged.has(row.digest))
  }
}

function wasSkipped(answers: readonly OutboundRow[], type: string): boolean {
  const ofType = answers.filter((row) => row.type === type)
  return ofType.length > 0 && ofType.every(({ state }) => state === 'skipped' || state === 'reissued')
}
