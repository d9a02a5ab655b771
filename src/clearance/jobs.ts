import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { type AuditEvent, recordEvents } from '../audit/index.ts'
import { type Mode, partBytesMax } from '../exchange/index.ts'
import { accept, assert, canonicalJson, type Instant, type Problem } from '../kernel/index.ts'
import { type Database, notify, type Transaction, withActor } from '../platform/db/index.ts'
import type { ClearanceContext } from './context.ts'
import { type DeclarationRecord, signWaiting, type Taken, takeDeclarations } from './declaration-store.ts'
import { type IntakeEntry, type IntakeFormat, readSubmission } from './intake/index.ts'
import { signWaitingDepartures, signWaitingUse, takeDeparture, takeRailwayList } from './leg-store.ts'
import { signWaitingRecords, takeRailRecord } from './rail-record-store.ts'

/** How many records, and how many bytes of them, are taken in one transaction. */
const batch = { recordsMax: 100, bytesMax: 2 * 1024 * 1024 } as const

/** The body of a message and its warnings must fit one part; these bytes of it are left to the warnings. */
const contentBytesMax = partBytesMax - 256 * 1024
/** An original up to this length never grows to a body that does not fit. */
const measuredBytesMin = 256 * 1024

/** The channel that wakes senders, here and in other processes, when messages were signed. */
export const outboxChannel = 'dostyk_outbox'

export interface SubmissionRequest {
  readonly channel: 'http' | 'file' | 'folder'
  /** Who handed over: a token's name, an operating-system user. */
  readonly source: string
  readonly fileName?: string | undefined
  readonly declarationVersion?: number | undefined
  /** When the goods of these declarations were released, for formats that do not say. */
  readonly releasedAt?: Instant | undefined
}

export interface SubmissionResult {
  readonly id: string
  readonly mode: Mode
  readonly records: number
  readonly taken: number
  readonly unchanged: number
  readonly refused: number
  readonly bytes: number
  /** SHA-256 of all bytes handed over, hex. */
  readonly digest: string
  /** The first records of the submission, with what became of each. The rest is in the books. */
  readonly results: readonly RecordResult[]
}

export interface RecordResult {
  readonly position: number
  readonly line?: number | undefined
  readonly format: IntakeFormat
  readonly record: string | undefined
  readonly outcome: Taken['outcome']
  readonly about: string | undefined
  readonly problems: readonly Problem[]
  /** What was read differently than it stood, or is not carried. */
  readonly notes: readonly Problem[]
}

const resultsMax = 1000

/**
 * Takes a whole submission, however long: reads it record by record and writes batches, each in one transaction with
 * its decisions and signed messages. What was taken stays taken when the stream breaks; the same bytes may be handed
 * over again and change nothing.
 * @param contextNow gives the context as it is when a batch is written, for the channel may open or close meanwhile
 */
export async function takeSubmission(
  db: Database,
  contextNow: () => Promise<ClearanceContext>,
  request: SubmissionRequest,
  source: AsyncIterable<Uint8Array>,
  onProgress?: (soFar: { records: number; refused: number; bytes: number }) => void,
): Promise<SubmissionResult> {
  const opened = await contextNow()
  const id = uuidv7({ msecs: opened.now.getTime() })
  const actor = { actor: request.source, purpose: 'intake' }
  const hash = createHash('sha256')
  let totals: Totals = { records: 0, taken: 0, unchanged: 0, refused: 0, bytes: 0 }
  const results: RecordResult[] = []
  // It is opened with its first records and closed with its last: a short submission is one commit.
  let isOpen = false
  const open = async (tx: Transaction): Promise<readonly AuditEvent[]> => {
    if (isOpen) return []
    await sql`insert into clearance.submission (id, mode, channel, source, file_name)
      values (${id}, ${opened.mode}, ${request.channel}, ${request.source}, ${request.fileName ?? null})`.execute(tx)
    return [{ type: 'submission.received', subject: id, facts: { channel: request.channel, mode: opened.mode } }]
  }
  const counted = count(source, (chunk) => {
    hash.update(chunk)
    totals = { ...totals, bytes: totals.bytes + chunk.length }
  })
  const flush = async (entries: readonly IntakeEntry[], digest?: string): Promise<void> => {
    const context = inMode(await contextNow(), opened.mode)
    const taken = await withActor(db, actor, async (tx) => {
      const outcomes = await takeEntries(tx, context, id, request.source, entries, await open(tx))
      if (digest !== undefined) await closeSubmission(tx, id, countTaken(totals, outcomes), digest)
      return outcomes
    })
    isOpen = true
    totals = countTaken(totals, taken)
    for (const [index, entry] of entries.entries()) {
      const each = taken[index]
      assert(each, 'every entry has an outcome')
      if (results.length < resultsMax)
        results.push({
          position: entry.position,
          line: entry.line,
          format: entry.format,
          record: entry.result.ok ? entry.result.value.record : undefined,
          outcome: each.outcome,
          about: each.about,
          problems: each.problems,
          notes: entry.notes,
        })
    }
    onProgress?.(totals)
  }
  let digest: string
  try {
    let waiting: IntakeEntry[] = []
    let bytes = 0
    const reading = { fileName: request.fileName, declarationVersion: request.declarationVersion }
    for await (const read of readSubmission(counted, {
      ...reading,
      homeCountry: opened.homeCountry,
      homeZone: opened.homeZone,
    })) {
      const entry = request.releasedAt ? withRelease(read, request.releasedAt) : read
      waiting.push(entry)
      bytes += entry.original.length
      if (waiting.length < batch.recordsMax && bytes < batch.bytesMax) continue
      await flush(waiting)
      waiting = []
      bytes = 0
    }
    digest = hash.copy().digest('hex')
    await flush(waiting, digest)
  } catch (error) {
    await withActor(db, actor, async (tx) => {
      await recordEvents(tx, actor, await open(tx))
      await closeSubmission(tx, id, totals, hash.digest('hex'), 'interrupted')
    })
    throw error
  }
  return { id, mode: opened.mode, ...totals, digest, results }
}

interface Totals {
  readonly records: number
  readonly taken: number
  readonly unchanged: number
  readonly refused: number
  readonly bytes: number
}

function countTaken(before: Totals, taken: readonly Taken[]): Totals {
  const count = (...outcomes: Taken['outcome'][]): number =>
    taken.filter(({ outcome }) => outcomes.includes(outcome)).length
  const unchanged = count('unchanged', 'superseded')
  const refused = count('refused')
  return {
    ...before,
    records: before.records + taken.length,
    taken: before.taken + taken.length - unchanged - refused,
    unchanged: before.unchanged + unchanged,
    refused: before.refused + refused,
  }
}

async function closeSubmission(
  tx: Transaction,
  id: string,
  totals: Totals,
  digest: string,
  failure: 'interrupted' | null = null,
): Promise<void> {
  await sql`update clearance.submission set finished_at = now(), bytes = ${totals.bytes}, digest = ${digest},
    records = ${totals.records}, taken = ${totals.taken}, unchanged = ${totals.unchanged}, refused = ${totals.refused},
    failure = ${failure} where id = ${id}`.execute(tx)
}

/** States the release of a cleared declaration whose format cannot say it. What the record says itself prevails. */
function withRelease(entry: IntakeEntry, releasedAt: Instant): IntakeEntry {
  if (!entry.result.ok || entry.result.value.record !== 'declaration') return entry
  const { content } = entry.result.value
  if (content.customsDecision.releaseDateTime !== undefined) return entry
  const customsDecision = { ...content.customsDecision, releaseDateTime: releasedAt }
  return { ...entry, result: accept({ record: 'declaration', content: { ...content, customsDecision } }) }
}

/** A submission stays in the mode it began in: what began as a test is never signed as live, nor the reverse. */
function inMode(context: ClearanceContext, mode: Mode): ClearanceContext {
  return context.mode === mode ? context : { ...context, mode, channel: undefined }
}

async function* count(source: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    see(chunk)
    yield chunk
  }
}

/**
 * Takes entries in their order and writes what became of each, with the original bytes.
 * @param before what this transaction did already, for its one entry in the record
 */
async function takeEntries(
  tx: Transaction,
  context: ClearanceContext,
  submission: string,
  source: string,
  entries: readonly IntakeEntry[],
  before: readonly AuditEvent[],
): Promise<readonly Taken[]> {
  const taken = new Map<IntakeEntry, Taken>()
  const events: AuditEvent[] = [...before]
  let signed = 0
  let wave: { entry: IntakeEntry; record: DeclarationRecord }[] = []
  const flushWave = async (): Promise<void> => {
    const handed = await takeDeclarations(
      tx,
      context,
      wave.map(({ record }) => record),
    )
    for (const [index, { entry }] of wave.entries()) {
      const each = handed.taken[index]
      if (each) taken.set(entry, each)
    }
    events.push(...handed.events)
    signed += handed.signed
    wave = []
  }
  for (const entry of entries) {
    if (!entry.result.ok) {
      taken.set(entry, { outcome: 'refused', about: undefined, problems: entry.result.refusal.problems })
      continue
    }
    const record = entry.result.value
    if (isTooLarge(entry.original, record.content)) {
      const facts = { bytesMax: contentBytesMax }
      const problems = [{ code: 'clearance/record-too-large', pointer: '', facts }]
      taken.set(entry, { outcome: 'refused', about: undefined, problems })
      continue
    }
    if (record.record === 'declaration' || record.record === 'cancellation') {
      const { id } = record.content.declaration
      if (wave.some((other) => other.record.content.declaration.id === id)) await flushWave()
      wave.push({ entry, record })
      continue
    }
    await flushWave()
    const handed =
      record.record === 'railway-list'
        ? await takeRailwayList(tx, context, record.content)
        : record.record === 'departure'
          ? await takeDeparture(tx, context, record.content)
          : await takeRailRecord(tx, context, record)
    taken.set(entry, handed.taken)
    events.push(...handed.events)
    signed += handed.signed
  }
  await flushWave()
  const outcomes = entries.map((entry): Taken => {
    const each = taken.get(entry)
    assert(each, 'every entry has an outcome')
    return each
  })
  await saveEntries(tx, submission, entries, outcomes)
  const refused = outcomes.filter(({ outcome }) => outcome === 'refused').length
  if (refused > 0) events.push({ type: 'record.refused', subject: submission, facts: { records: refused } })
  await recordEvents(tx, { actor: source, purpose: 'intake' }, events)
  if (signed > 0) await notify(tx, outboxChannel)
  return outcomes
}

function isTooLarge(original: Uint8Array, content: object): boolean {
  return original.length > measuredBytesMin && Buffer.byteLength(canonicalJson(content)) > contentBytesMax
}

async function saveEntries(
  tx: Transaction,
  submission: string,
  entries: readonly IntakeEntry[],
  outcomes: readonly Taken[],
): Promise<void> {
  await sql`
    insert into clearance.submission_record (submission, position, line, format, record, outcome, problems, notes,
      digest, original, about)
    select ${submission}, * from unnest(
      ${entries.map(({ position }) => position)}::int[], ${entries.map(({ line }) => line ?? null)}::int[],
      ${entries.map(({ format }) => format)}::text[],
      ${entries.map(({ result }) => (result.ok ? result.value.record : null))}::text[],
      ${outcomes.map(({ outcome }) => outcome)}::text[],
      ${outcomes.map(({ problems }) => (problems.length > 0 ? JSON.stringify(problems) : null))}::jsonb[],
      ${entries.map(({ notes }) => (notes.length > 0 ? JSON.stringify(notes) : null))}::jsonb[],
      ${entries.map(({ digest }) => digest)}::text[], ${entries.map(({ original }) => Buffer.from(original))}::bytea[],
      ${outcomes.map(({ about }) => about ?? null)}::uuid[])`.execute(tx)
}

/**
 * Signs what waited for the channel, batch by batch, until nothing waits: declarations first, because a departure names
 * those that the partner was sent.
 */
export async function signAllWaiting(db: Database, contextNow: () => Promise<ClearanceContext>): Promise<number> {
  let total = 0
  for (const sign of [signWaiting, signWaitingDepartures, signWaitingRecords, signWaitingUse]) {
    for (;;) {
      const context = await contextNow()
      if (!context.channel) return total
      const by = { actor: context.me, purpose: 'exchange' }
      const made = await withActor(db, by, async (tx) => {
        const signed = await sign(tx, context, batch.recordsMax)
        await recordEvents(tx, by, signed.events)
        if (signed.signed > 0) await notify(tx, outboxChannel)
        return signed
      })
      total += made.signed
      if (made.looked < batch.recordsMax) break
    }
  }
  return total
}
