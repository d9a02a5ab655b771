import { randomBytes, randomUUID } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { accept, assert, canonicalJson, type Decision, type Instant } from '../kernel/index.ts'
import { type ActedBy, type Database, runPrepared, type Transaction } from '../platform/db/index.ts'
import { type ChainedEntry, type ChainHead, type ChainRefusal, chainStart, decideChain, subjectsOf } from './chain.ts'
import { type AuditEvent, type AuditEventType, auditEventSchemas, narrowToFeed, type StoredEvent } from './events.ts'
import { type FeedPosition, isAfter } from './feed-position.ts'

/** An event with its place in the record and who did it for what purpose. */
export interface RecordedEvent extends StoredEvent {
  readonly at: Instant
  readonly place: FeedPosition
  readonly actor: string
  readonly purpose: string
}

/** An event as the home systems see it. */
export interface FeedEvent extends StoredEvent {
  readonly at: Instant
  readonly place: FeedPosition
}

export interface EventPage<Event> {
  readonly events: readonly Event[]
  /** Where to read on from. It moves past events that are not shown, too. */
  readonly next: FeedPosition
  /** Whether more can be read at once. */
  readonly more: boolean
}

export interface EventRange {
  readonly after: FeedPosition
  readonly limit: number
}

/** What an entry's content is: the canonical JSON of this, with `events` as they were recorded. */
interface EntryContent {
  readonly id: string
  readonly at: Instant
  readonly actor: string
  readonly purpose: string
  readonly events: readonly StoredEvent[]
}

const SALT_BYTES = 16
/** Entries looked at for one page of the feed, so that a long stretch of hidden events is no long query. */
const ENTRIES_PER_PAGE_MAX = 500

const validators = Object.fromEntries(
  Object.entries(auditEventSchemas).map(([type, schema]) => [type, Compile(schema)]),
) as Readonly<Record<AuditEventType, ReturnType<typeof Compile>>>

const insertEntry = {
  name: 'audit/insert-entry',
  text: 'insert into audit.unnumbered (id, at, salt, subjects, content) values ($1, $2, $3, $4, $5)',
}

/**
 * Writes what a transaction did, in that transaction.
 *
 * Why: what happened and the record of it are one commit. The entry gets its number and its place in the chain after
 * the commit, so that transactions do not wait for one another. No events make no entry.
 *
 * @param by who acts and for what purpose, as given to withActor
 * @param events of the closed list; a fact that the list does not allow is a bug
 */
export async function recordEvents(tx: Transaction, by: ActedBy, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return
  assert(by.actor !== '' && by.purpose !== '', 'an entry says who acts and for what purpose')
  for (const event of events)
    assert(validators[event.type]?.Check(event), `the list of audit events allows this ${event.type}`)
  const id = randomUUID()
  const at = new Date().toISOString()
  const content = canonicalJson({ id, at, actor: by.actor, purpose: by.purpose, events })
  await runPrepared(tx, insertEntry, [id, at, randomBytes(SALT_BYTES), subjectsOf(events), content])
}

/** Numbers what was committed. @returns how many entries, or undefined when another process is at it */
export async function numberEntries(database: Database, entriesMax: number): Promise<number | undefined> {
  const { rows } = await database.pool.query<{ numbered: number | null }>({
    name: 'audit/number-entries',
    text: 'select audit.number_entries($1) as numbered',
    values: [entriesMax],
  })
  return rows[0]?.numbered ?? undefined
}

const readEntries = {
  name: 'audit/read-entries',
  text: 'select position, content from audit.entry where position >= $1 order by position limit $2',
}

async function readPage<Event>(
  tx: Transaction,
  { after, limit }: EventRange,
  view: (event: StoredEvent, content: EntryContent, place: FeedPosition) => Event | undefined,
): Promise<EventPage<Event>> {
  const rows = await runPrepared<{ position: number; content: string }>(tx, readEntries, [
    after.position,
    ENTRIES_PER_PAGE_MAX,
  ])
  const events: Event[] = []
  let next = after
  for (const row of rows) {
    const content = JSON.parse(row.content) as EntryContent
    for (const [index, event] of content.events.entries()) {
      const place = { position: row.position, index }
      // The start stands before the first event, every other place on an event that was read.
      if (!isAfter(place, after)) continue
      if (events.length === limit) return { events, next, more: true }
      const shown = view(event, content, place)
      if (shown !== undefined) events.push(shown)
      next = place
    }
  }
  return { events, next, more: rows.length === ENTRIES_PER_PAGE_MAX }
}

/** Reads the record itself, with who did it. */
export function readEvents(tx: Transaction, range: EventRange): Promise<EventPage<RecordedEvent>> {
  return readPage(tx, range, (event, { at, actor, purpose }, place) => ({ ...event, at, place, actor, purpose }))
}

/** Reads what the home systems may follow: fewer events, fewer facts, and not who did it. */
export function readFeed(tx: Transaction, range: EventRange): Promise<EventPage<FeedEvent>> {
  return readPage(tx, range, (event, { at }, place) => {
    const shown = narrowToFeed(event)
    return shown && { ...shown, at, place }
  })
}

/** The last event's place, for one who wants to follow from now on; before everything when nothing is recorded. */
export async function findFeedEnd(tx: Transaction): Promise<FeedPosition> {
  const rows = await runPrepared<{ position: number; content: string }>(
    tx,
    { name: 'audit/feed-end', text: 'select position, content from audit.entry order by position desc limit 1' },
    [],
  )
  const last = rows[0]
  if (last === undefined) return { position: 0, index: 0 }
  const { events } = JSON.parse(last.content) as EntryContent
  return { position: last.position, index: events.length - 1 }
}

/** What the record says about one object, oldest first. */
export async function readHistory(tx: Transaction, subject: string, limit: number): Promise<readonly RecordedEvent[]> {
  const rows = await runPrepared<{ position: number; content: string }>(
    tx,
    {
      name: 'audit/read-history',
      text: 'select position, content from audit.entry where subjects @> array[$1::text] order by position limit $2',
    },
    [subject, limit],
  )
  return rows.flatMap(({ position, content }) => {
    const { at, actor, purpose, events } = JSON.parse(content) as EntryContent
    return events.flatMap((event, index) =>
      event.subject === subject ? [{ ...event, at, place: { position, index }, actor, purpose }] : [],
    )
  })
}

const CHAIN_PAGE = 1000

async function readChain(tx: Transaction, from: number, to: number): Promise<readonly ChainedEntry[]> {
  return runPrepared<ChainedEntry>(
    tx,
    {
      name: 'audit/read-chain',
      text: `select position, id, at, salt, subjects, content, leaf, chain from audit.entry
             where position between $1 and $2 order by position limit ${CHAIN_PAGE}`,
    },
    [from, to],
  )
}

/**
 * Checks that the record runs unbroken from one position to another.
 *
 * @param from the first position to check; the entry before it is trusted for its chain digest
 * @param to the last one; without it, to the end
 * @returns the head at the end, or the first place that is broken
 */
export async function verifyChain(
  tx: Transaction,
  from = 1,
  to: number = Number.MAX_SAFE_INTEGER,
): Promise<Decision<ChainHead, ChainRefusal>> {
  const [before] = from > 1 ? await readChain(tx, from - 1, from - 1) : []
  let head: ChainHead = before ?? { ...chainStart, position: from - 1 }
  for (;;) {
    const entries = await readChain(tx, head.position + 1, to)
    if (entries.length === 0) return accept(head)
    const decision = decideChain(head, entries)
    if (!decision.ok) return decision
    head = decision.value
  }
}
