/**
 * One side of the limit, in a process of its own as a node is: the rows of a train, signatures and verifications, in
 * plain transactions. Told by its parent what to write and when to begin.
 */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { startSequencer } from '../../src/audit/index.ts'
import { verifyJws } from '../../src/exchange/index.ts'
import { type Database, openDatabase, runPrepared, type Transaction, withActor } from '../../src/platform/db/index.ts'
import { signEs256 } from '../../src/platform/keys/index.ts'

/** The rows that one train left in a table, column by column. */
export interface TableRows {
  readonly table: string
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string; readonly values: readonly Value[] }>
}
type Value = string | Buffer | null

/** One transaction of a train. Its rows are all written anew, with fresh keys; its updates are of rows written before. */
export interface PlannedTransaction {
  readonly rows: readonly TableRows[]
  /** Sets these columns of `exchange.outbound` to these values, row by row. */
  readonly updates: TableRows | undefined
  readonly signatures: number
  readonly verifications: number
}

export interface LimitPlan {
  readonly databaseUrl: string
  readonly transactions: readonly PlannedTransaction[]
  /** What is signed and verified: as long as the product's own messages and receipts are. */
  readonly signed: readonly string[]
}

export type LimitOrder =
  | { readonly kind: 'prepare'; readonly plan: LimitPlan }
  | { readonly kind: 'play'; readonly trains: number; readonly inFlight: number }
export type LimitReport = { readonly kind: 'ready' } | { readonly kind: 'played' }

const actor = { actor: 'bench', purpose: 'limit' }

class LimitSide {
  private readonly db: Database
  private readonly plan: LimitPlan
  private readonly privateKey: KeyObject
  private readonly publicKey: KeyObject
  private readonly proofs: ReadonlyArray<{ readonly signingInput: string; readonly signature: Buffer }>
  private trains = 0

  constructor(plan: LimitPlan) {
    this.plan = plan
    this.db = openDatabase({ url: plan.databaseUrl })
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.privateKey = privateKey
    this.publicKey = publicKey
    this.proofs = plan.signed.map((text) => ({
      signingInput: text,
      signature: signEs256(privateKey, Buffer.from(text)),
    }))
    // What the product leaves numbered in its record is numbered here, too.
    startSequencer(this.db, (error) => {
      throw error
    })
  }

  async play(trains: number, inFlight: number): Promise<void> {
    let given = 0
    const track = async (): Promise<void> => {
      while (given < trains) {
        given += 1
        await this.train()
      }
    }
    await Promise.all(Array.from({ length: inFlight }, track))
  }

  private async train(): Promise<void> {
    this.trains += 1
    const fresh = freshKeys(this.trains)
    for (const planned of this.plan.transactions)
      await withActor(this.db, actor, async (tx) => {
        for (let done = 0; done < planned.verifications; done += 1) this.verify(done)
        for (let done = 0; done < planned.signatures; done += 1) this.sign(done)
        for (const rows of planned.rows) await insert(tx, rows, fresh)
        if (planned.updates) await update(tx, planned.updates, fresh)
      })
  }

  private sign(index: number): void {
    const proof = this.proofs[index % this.proofs.length]
    if (proof) signEs256(this.privateKey, Buffer.from(proof.signingInput))
  }

  private verify(index: number): void {
    const proof = this.proofs[index % this.proofs.length]
    if (!proof || !verifyJws(proof, this.publicKey)) throw new Error('Bug: what was signed here verifies here')
  }
}

/** Gives every key of a train another value, the same one wherever it stands. */
function freshKeys(train: number): (value: Value, column: string, type: string) => Value {
  const known = new Map<string, string>()
  return (value, column, type) => {
    if (typeof value !== 'string') return value
    if (type !== 'uuid' && column !== 'declaration_id') return value
    const made =
      known.get(value) ??
      (type === 'uuid' ? freshUuid(value) : `${train}-${value.slice(-10)}`.padStart(value.length, '0'))
    known.set(value, made)
    return made
  }
}

/** Ids of version 7 rise with time and lie side by side in an index; others are scattered. Both stay what they are. */
function freshUuid(value: string): string {
  return value[14] === '7' ? uuidv7() : randomUUID()
}

async function insert(tx: Transaction, rows: TableRows, fresh: ReturnType<typeof freshKeys>): Promise<void> {
  const { table, columns } = rows
  const names = columns.map(({ name }) => name).join(', ')
  const values = columns.map(({ name, type, values }) => values.map((value) => fresh(value, name, type)))
  // An array of arrays cannot be taken apart by rows: such a table is written row by row.
  if (columns.some(({ type }) => type.endsWith('[]'))) {
    const places = columns.map(({ type }, index) => `$${index + 1}::${type}`).join(', ')
    const text = `insert into ${table} (${names}) values (${places})`
    const count = values[0]?.length ?? 0
    for (let row = 0; row < count; row += 1)
      await runPrepared(
        tx,
        { name: `limit/${table}`, text },
        values.map((column) => column[row]),
      )
    return
  }
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ')
  const text = `insert into ${table} (${names}) select * from unnest(${arrays})`
  await runPrepared(tx, { name: `limit/${table}`, text }, values)
}

async function update(tx: Transaction, rows: TableRows, fresh: ReturnType<typeof freshKeys>): Promise<void> {
  const { table, columns } = rows
  const names = columns.map(({ name }) => name)
  const set = names.filter((name) => name !== 'id').map((name) => `${name} = r.${name}`)
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`)
  const text = `update ${table} t set ${set.join(', ')} from unnest(${arrays.join(', ')}) as r (${names.join(', ')}) where t.id = r.id`
  const values = columns.map(({ name, type, values }) => values.map((value) => fresh(value, name, type)))
  await runPrepared(tx, { name: `limit/update ${names.join(' ')}`.slice(0, 63), text }, values)
}

let side: LimitSide | undefined
const tell = (report: LimitReport): void => {
  process.send?.(report)
}
process.on('message', async (order: LimitOrder) => {
  if (order.kind === 'prepare') {
    side = new LimitSide(order.plan)
    tell({ kind: 'ready' })
  } else {
    await side?.play(order.trains, order.inFlight)
    tell({ kind: 'played' })
  }
})
process.on('disconnect', () => process.exit())
