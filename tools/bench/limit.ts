/**
 * The limit: how many clearances a second this machine could at most sign, verify and keep.
 *
 * What the product leaves in both databases for one train is read once and then written again and again with fresh
 * keys: the same rows of the same tables under the same indexes and row-level security, in the same commits, with the
 * same four signatures and four verifications for each clearance. Nothing is read, parsed, checked, decided, encrypted
 * or carried; that is what the product adds.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { assert } from '../../src/kernel/index.ts'
import { type Database, migrate, openDatabase, type Transaction, withActor } from '../../src/platform/db/index.ts'
import type { DemoNode } from '../../src/platform/demo/two-nodes.ts'
import { trainLength } from './declarations.ts'
import type { LimitOrder, LimitPlan, LimitReport, PlannedTransaction, TableRows } from './limit-side.ts'
import type { Rig } from './rig.ts'

export interface Limit {
  /** Plays trains at full speed on both sides. @returns the seconds until both were done */
  play(trains: number, inFlight: number): Promise<number>
  readonly pids: readonly number[]
  stop(): Promise<void>
}

const reader = { actor: 'bench', purpose: 'limit' }
const program = fileURLToPath(new URL('limit-side.ts', import.meta.url))

/** @param train the declarations of one train that went through, as the sender's books name them */
export async function prepareLimit(rig: Rig, train: readonly string[]): Promise<Limit> {
  const plans = [
    await planSide(rig, rig.sender, 'limit_sender', (tx) => senderTransactions(tx, train)),
    await planSide(rig, rig.receiver, 'limit_receiver', (tx) => receiverTransactions(tx, train)),
  ]
  const sides = await Promise.all(plans.map(startSide))
  return {
    pids: sides.map(({ pid }) => pid ?? 0),
    play: async (trains, inFlight) => {
      const startedAt = performance.now()
      await Promise.all(sides.map((side) => order(side, { kind: 'play', trains, inFlight })))
      return (performance.now() - startedAt) / 1000
    },
    stop: async () => {
      for (const side of sides) side.disconnect()
      await Promise.all(sides.map((side) => new Promise((resolve) => side.once('exit', resolve))))
    },
  }
}

async function startSide(plan: LimitPlan): Promise<ChildProcess> {
  const side = fork(program, { serialization: 'advanced', execArgv: ['--disable-warning=ExperimentalWarning'] })
  await order(side, { kind: 'prepare', plan })
  return side
}

function order(side: ChildProcess, what: LimitOrder): Promise<LimitReport> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a side of the limit ended'))
    side.once('exit', ended)
    side.once('message', (report) => {
      side.off('exit', ended)
      resolve(report as LimitReport)
    })
    side.send(what)
  })
}

/** A database with the product's tables and its partner, and what is to be written there. */
async function planSide(
  rig: Rig,
  node: DemoNode,
  name: string,
  plan: (tx: Transaction) => Promise<readonly PlannedTransaction[]>,
): Promise<LimitPlan> {
  await rig.postgres.dropDatabase(name)
  const urls = await rig.postgres.createDatabase(name)
  await migrate(urls.ownerUrl)
  const { transactions, partner, signed } = await withActor(node.db, reader, async (tx) => {
    const texts = await sql<{ text: string }>`
      select message as text from exchange.outbound union all select receipt from exchange.inbound limit ${trainLength}`.execute(
      tx,
    )
    return {
      transactions: await plan(tx),
      partner: await readRows(tx, 'exchange.partner', sql`true`),
      signed: texts.rows.map(({ text }) => text),
    }
  })
  const db: Database = openDatabase({ url: urls.appUrl, max: 1 })
  try {
    await withActor(db, reader, async (tx) => {
      const columns = partner.columns.map(({ name }) => sql.ref(name))
      const values = partner.columns.map(({ type, values }) => sql`${values[0]}::${sql.raw(type)}`)
      await sql`insert into exchange.partner (${sql.join(columns)}) values (${sql.join(values)})`.execute(tx)
    })
  } finally {
    await db.close()
  }
  return { databaseUrl: urls.appUrl, transactions, signed }
}

/** Reads the rows of a table that a condition picks, each value as PostgreSQL writes it. */
async function readRows(tx: Transaction, table: string, where: ReturnType<typeof sql>): Promise<TableRows> {
  const { rows: columns } = await sql<{ name: string; type: string }>`
    select attname as name, format_type(atttypid, null) as type from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum`.execute(tx)
  const shown = columns.map(({ name, type }) =>
    type === 'bytea' || type.endsWith('[]') ? sql.ref(name) : sql`${sql.ref(name)}::text as ${sql.ref(name)}`,
  )
  const { rows } = await sql<Record<string, string | Buffer | null>>`
    select ${sql.join(shown)} from ${sql.table(table)} where ${where}`.execute(tx)
  return {
    table,
    columns: columns.map(({ name, type }) => ({ name, type, values: rows.map((row) => row[name] ?? null) })),
  }
}

/** The same rows with some columns as they were before: empty, or of the one value given. */
function withColumns(rows: TableRows, before: Readonly<Record<string, string | null>>): TableRows {
  const columns = rows.columns.map((column) =>
    Object.hasOwn(before, column.name)
      ? { ...column, values: column.values.map(() => before[column.name] ?? null) }
      : column,
  )
  return { ...rows, columns }
}

function onlyColumns(rows: TableRows, names: readonly string[]): TableRows {
  return { ...rows, columns: rows.columns.filter(({ name }) => names.includes(name)) }
}

const receiptColumns = ['id', 'state', 'receipt', 'received_at', 'attempts', 'first_sent_at', 'last_outcome']
const answerColumns = ['id', 'answer', 'answer_id', 'answered_at', 'problems']
/** A message as it stands in the outbox before it was sent. */
const unsent = {
  state: 'queued',
  receipt: null,
  received_at: null,
  attempts: '0',
  first_sent_at: null,
  last_outcome: null,
  answer: null,
  answer_id: null,
  answered_at: null,
  problems: null,
}

/** The entries of the record that name these objects, as they are before they are numbered. */
async function readEntries(tx: Transaction, subjects: readonly string[]): Promise<TableRows> {
  const entries = await readRows(tx, 'audit.entry', sql`subjects && ${subjects}::text[]`)
  const columns = entries.columns.filter(({ name }) => ['id', 'at', 'salt', 'subjects', 'content'].includes(name))
  return { table: 'audit.unnumbered', columns }
}

/** Some of the rows, so that each of several transactions writes its share of them. */
function share(rows: TableRows, index: number, of: number): TableRows {
  const columns = rows.columns.map((column) => ({
    ...column,
    values: column.values.filter((_, row) => row % of === index),
  }))
  return { ...rows, columns }
}

const valuesOf = (rows: TableRows, column: string): string[] =>
  rows.columns
    .find(({ name }) => name === column)
    ?.values.flatMap((value) => (typeof value === 'string' ? [value] : [])) ?? []

/** The sender's three commits: taken and signed; the receipts; the answers with their receipts. */
async function senderTransactions(tx: Transaction, train: readonly string[]): Promise<readonly PlannedTransaction[]> {
  const keys = sql`${train}::uuid[]`
  const outbound = await readRows(tx, 'exchange.outbound', sql`subject = any(${keys})`)
  const sent = valuesOf(outbound, 'id')
  const inbound = await readRows(tx, 'exchange.inbound', sql`ref = any(${sent}::uuid[])`)
  const records = await readRows(tx, 'clearance.submission_record', sql`about = any(${keys})`)
  const entries = await readEntries(tx, [...train, ...sent, ...valuesOf(inbound, 'id')])
  const of = (table: string, column: string) => readRows(tx, table, sql`${sql.ref(column)} = any(${keys})`)
  const submissions = valuesOf(records, 'submission')
  const taken = [
    await readRows(tx, 'clearance.submission', sql`id = any(${submissions}::uuid[])`),
    await of('clearance.declaration', 'key'),
    await of('clearance.declaration_version', 'declaration'),
    await of('clearance.declaration_unit', 'declaration'),
    records,
    await readRows(tx, 'exchange.lane', sql`id = any(${valuesOf(outbound, 'lane')}::uuid[])`),
    withColumns(outbound, unsent),
    await readRows(tx, 'exchange.part', sql`direction = 'out' and message_id = any(${sent}::uuid[])`),
  ]
  return balanced([
    { rows: [...taken, share(entries, 0, 3)], updates: undefined, signatures: trainLength, verifications: 0 },
    {
      rows: [share(entries, 1, 3)],
      updates: onlyColumns(outbound, receiptColumns),
      signatures: 0,
      verifications: trainLength,
    },
    {
      rows: [inbound, share(entries, 2, 3)],
      updates: onlyColumns(outbound, answerColumns),
      signatures: trainLength,
      verifications: trainLength,
    },
  ])
}

/** The receiver's two commits: received, kept and answered; the receipts of the answers. */
async function receiverTransactions(tx: Transaction, train: readonly string[]): Promise<readonly PlannedTransaction[]> {
  const inbound = await readRows(tx, 'exchange.inbound', sql`subject = any(${train}::uuid[])`)
  const came = valuesOf(inbound, 'id')
  const outbound = await readRows(tx, 'exchange.outbound', sql`ref = any(${came}::uuid[])`)
  const received = await readRows(tx, 'clearance.received', sql`message = any(${came}::uuid[])`)
  const keys = sql`${valuesOf(received, 'key')}::uuid[]`
  const entries = await readEntries(tx, [...came, ...valuesOf(outbound, 'id')])
  const kept = [
    inbound,
    await readRows(tx, 'exchange.part', sql`direction = 'in' and message_id = any(${came}::uuid[])`),
    received,
    await readRows(tx, 'clearance.received_version', sql`received = any(${keys})`),
    await readRows(tx, 'clearance.received_unit', sql`received = any(${keys})`),
    await readRows(tx, 'exchange.lane', sql`id = any(${valuesOf(outbound, 'lane')}::uuid[])`),
    withColumns(outbound, unsent),
  ]
  return balanced([
    {
      rows: [...kept, share(entries, 0, 2)],
      updates: undefined,
      signatures: 2 * trainLength,
      verifications: trainLength,
    },
    {
      rows: [share(entries, 1, 2)],
      updates: onlyColumns(outbound, receiptColumns),
      signatures: 0,
      verifications: trainLength,
    },
  ])
}

/** Checks that a whole train was found: a limit that writes less than the product would flatter nobody but itself. */
function balanced(transactions: readonly PlannedTransaction[]): readonly PlannedTransaction[] {
  for (const { rows } of transactions)
    for (const { table, columns } of rows)
      if (/outbound|inbound|part|version|record$/.test(table))
        assert(columns[0]?.values.length === trainLength, `the books hold a whole train in ${table}`)
  return transactions
}
