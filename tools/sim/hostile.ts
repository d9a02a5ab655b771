import { type FrameEntry, saltBytes, writeEntry, writeFrame } from '../../src/exchange/frame.ts'
import { openAnswer } from '../../src/exchange/link-request.ts'
import { composeMessage, type MessageDraft, type Mode, readMessage } from '../../src/exchange/message.ts'
import type { Signer } from '../../src/exchange/strict-jws.ts'
import { signRequest } from './deliver.ts'
import { agreementId, type SimNode } from './node.ts'
import { answerUse } from './outbox.ts'
import { Random } from './random.ts'
import { pinOf } from './wire.ts'
import { days, hours, type World } from './world.ts'

/** Who attacks, and what faulty software of a partner does. Each act says what the receiver must answer. */
export class Hostile {
  private readonly world: World
  private readonly random: Random

  constructor(world: World, nodes: readonly SimNode[], span: number) {
    this.world = world
    this.random = new Random(world.seed, 'hostile')
    const acts = {
      replay: () => this.replay(false),
      reflection: () => this.replay(true),
      'unknown-peer': () => this.unknownPeer(this.random.pick(nodes)),
      'hostile-frame': () => this.hostileFrame(this.random.pick(nodes)),
      'duplicate-storm': () => this.storm(this.random.pick(nodes)),
      'stolen-key': () => this.stolenKey(this.random.pick(nodes)),
    } as const
    for (const [kind, act] of Object.entries(acts) as [keyof typeof acts, () => void][]) {
      const times = this.random.integer(1, 4)
      const instants = Array.from({ length: times }, () => world.timeline.now + this.random.integer(0, span))
      if (!world.faults.has(kind)) continue
      for (const at of instants)
        world.timeline.at(at, () => {
          world.faults.count(kind)
          act()
        })
    }
  }

  /** Somebody plays captured requests again, to whom they were sent or back to who sent them. */
  private replay(reflected: boolean): void {
    const { captured } = this.world.wire
    for (let times = this.random.pick([1, 3, 10]); times > 0 && captured.length > 0; times -= 1) {
      const { to, pin, body } = this.random.pick(captured)
      const target = reflected ? to.partner : to
      this.world.wire.deliver(target, reflected ? pinOf(to, target.channel?.mode ?? 'test') : pin, body, () => {})
    }
  }

  private unknownPeer(to: SimNode): void {
    const body = this.random.chance(0.1) ? 'x'.repeat(6 * 1024 * 1024 + 1) : (this.world.wire.captured[0]?.body ?? '{}')
    this.world.wire.deliver(to, 'pin-of-nobody', body, ({ status }) => {
      if (status !== 403 && status !== 413)
        this.world.checker.violate(`${to.id}: an unknown peer is answered ${status}`)
    })
  }

  /** A frame by the partner's own key, in which everything is something a receiver must refuse. */
  private hostileFrame(from: SimNode): void {
    const mode = from.channel?.mode
    if (!mode) return
    const other: Mode = mode === 'live' ? 'test' : 'live'
    const signer = from.signer(mode)
    const now = from.now().getTime()
    const theirs = [...from.partner.store.outbound.values()].find((row) => row.mode === mode)
    const receipt = [...from.store.outbound.values()].find((row) => row.receipt)?.receipt
    const nobody: Signer = { kid: signer.kid, sign: () => this.random.bytes(64) }
    const entries: [string, FrameEntry][] = [
      ['MALFORMED', this.bare('not a message')],
      ['MALFORMED', this.bare(`${'ey'.repeat(40)}.e30.${'A'.repeat(86)}`)],
      ['WRONG_AUDIENCE', this.entry(from, { mode, aud: 'XX-THIRD' }, signer)],
      ['WRONG_MODE', this.entry(from, { mode: other }, from.signer(other))],
      ['KEY_UNKNOWN', this.entry(from, { mode }, { ...signer, kid: 'another' })],
      ['KEY_UNKNOWN', this.entry(from, { mode }, from.signer(other))],
      ['SIGNATURE_INVALID', this.entry(from, { mode }, nobody)],
      ['NOT_YET', this.entry(from, { mode, issuedAt: new Date(now + days).toISOString() }, signer)],
      ['EXPIRED', this.entry(from, { mode, expiresAt: new Date(now - hours).toISOString() }, signer)],
      ['AGREEMENT_UNKNOWN', this.entry(from, { mode, agreement: { id: 'OTHER-1', conditions: '1.0' } }, signer)],
    ]
    if (theirs) entries.push(['WRONG_ISSUER', writeEntry(theirs.message, theirs.parts)])
    if (receipt) entries.push(['MALFORMED', this.bare(receipt)])
    if (this.random.chance(0.2)) this.send(from, mode, [], () => {})
    const chosen = entries.filter(() => this.random.chance(0.7))
    if (chosen.length > 0)
      this.send(
        from,
        mode,
        chosen.map(([, entry]) => entry),
        (outcomes) => {
          for (const [index, [expected]] of chosen.entries())
            if (outcomes[index] !== expected && outcomes[index] !== 'BUSY')
              this.world.checker.violate(
                `${from.partner.id}: a hostile entry gets ${outcomes[index]} instead of ${expected}`,
              )
        },
      )
  }

  /** Faulty software posts messages of the ledger again and again, twice in one frame too. */
  private storm(from: SimNode): void {
    const mode = from.channel?.mode
    const rows = [...from.store.outbound.values()].filter((row) => row.mode === mode)
    if (!mode || rows.length === 0) return
    for (let times = this.random.pick([2, 5, 20]); times > 0; times -= 1) {
      const row = this.random.pick(rows)
      this.world.checker.outOfTurn.add(row.digest)
      const entry = writeEntry(row.message, row.parts)
      this.send(from, mode, this.random.chance(0.5) ? [entry, entry] : [entry], () => {})
    }
  }

  /** Whoever holds the partner's key signs what the partner never did: other content for its ids, and in its places. */
  private stolenKey(from: SimNode): void {
    const mode = from.channel?.mode
    const rows = [...from.store.outbound.values()].filter((row) => row.mode === mode)
    if (!mode || rows.length === 0) return
    const row = this.random.pick(rows)
    const id = this.random.chance(0.6) ? row.id : this.random.uuidV7(from.now().getTime())
    const entry = this.entry(from, { mode, id, lane: row.lane, seq: row.seq, type: 'AMD' }, from.signer(mode))
    const read = readMessage(entry.message)
    if (read.ok) this.world.checker.forged.add(read.value.jws.digest)
    this.send(from, mode, [entry], () => {})
  }

  private bare(message: string): FrameEntry {
    return { message, parts: {} }
  }

  private entry(from: SimNode, change: Partial<MessageDraft> & { mode: Mode }, signer: Signer): FrameEntry {
    const { random } = this
    const now = from.now()
    const part = {
      name: 'body',
      salt: random.bytes(saltBytes),
      bytes: Buffer.from(`{"fate":"sound","goods":"${random.hex(8)}"}`),
    }
    const { compact } = composeMessage(
      {
        id: random.uuidV7(now.getTime()),
        iss: from.id,
        aud: from.partner.id,
        agreement: { id: agreementId, conditions: '1.0' },
        type: 'EXP-CLR',
        version: 1,
        subject: random.uuid(),
        lane: random.uuid(),
        seq: 1,
        epoch: 1,
        issuedAt: now.toISOString(),
        expiresAt: new Date(now.getTime() + days).toISOString(),
        use: answerUse,
        parts: [{ ...part, mediaType: 'application/json' }],
        ...change,
      },
      signer,
    )
    return writeEntry(compact, [part])
  }

  /** Posts a frame past the partner's own sender and hands over the outcomes, when the frame was read at all. */
  private send(
    from: SimNode,
    mode: Mode,
    entries: readonly FrameEntry[],
    hear: (outcomes: readonly string[]) => void,
  ): void {
    const body = signRequest(from, mode, writeFrame(entries))
    const keyring = from.partner.keyring(mode)
    this.world.wire.deliver(from.partner, pinOf(from, mode), body.text, (response) => {
      const answer = openAnswer(response.body(), { me: from.id, keyring, requestDigest: body.digest })
      if (answer?.outcome === 'OK' && !this.world.faults.has('wrong-answer'))
        hear(answer.results.map(({ outcome }) => outcome))
    })
  }
}
