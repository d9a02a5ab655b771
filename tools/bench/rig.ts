/** The two nodes that are measured, as the demonstration starts them, and the national system that feeds one of them. */
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { SubmissionResult } from '../../src/clearance/index.ts'
import { assert } from '../../src/kernel/index.ts'
import { type DemoNode, startTwoNodes, type TwoNodes } from '../../src/platform/demo/two-nodes.ts'
import { type EmbeddedPostgres, findEmbeddedPostgres } from '../../src/platform/postgres/index.ts'

export interface Rig {
  readonly two: TwoNodes
  /** China exports: its national system hands over, and its node signs and sends. */
  readonly sender: DemoNode
  readonly receiver: DemoNode
  readonly postgres: EmbeddedPostgres
  submit(body: string | AsyncIterable<string>): Promise<SubmissionResult>
  stop(): Promise<void>
}

/** Starts both nodes with empty books on one embedded PostgreSQL and checks that nothing of durability is off. */
export async function startRig(folder: string): Promise<Rig> {
  const two = await startTwoNodes(folder, { min: 0.5, max: 2 })
  try {
    const [receiver, sender] = two.nodes
    const postgres = await findEmbeddedPostgres({ folder: join(folder, 'postgres') })
    assert(postgres, 'the server that was just started is found')
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      const { rows } = await sender.db.pool.query<Record<string, string>>(`show ${setting}`)
      assert(rows[0]?.[setting] === 'on', `nothing is measured without durability: ${setting}`)
    }
    const agent = new Agent({ keepAlive: true })
    return {
      two,
      sender,
      receiver,
      postgres,
      submit: (body) => post(agent, sender, body),
      stop: async () => {
        agent.destroy()
        await two.stop()
      },
    }
  } catch (error) {
    await two.stop()
    throw error
  }
}

/** Hands over as a national system does. Waits however long the answer takes. */
function post(agent: Agent, node: DemoNode, body: string | AsyncIterable<string>): Promise<SubmissionResult> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL('/api/v1/submissions', node.httpUrl),
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${node.token}`,
          'content-type': 'application/x-ndjson',
          ...(typeof body === 'string' && { 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if (response.statusCode === 200) resolve(JSON.parse(text) as SubmissionResult)
          else reject(new Error(`the node answered ${response.statusCode}: ${text.slice(0, 500)}`))
        })
      },
    )
    sent.on('error', reject)
    if (typeof body === 'string') sent.end(body)
    else Readable.from(body).on('error', reject).pipe(sent)
  })
}

/**
 * Looks into the sender's books, every few milliseconds and in one short statement, for what somebody waits for.
 *
 * Why by looking: the event feed follows within a second, which is exact enough for a national system and not for a
 * measurement. A look finds what is committed, so whatever is measured with it is late by one interval at most.
 */
export class BooksWatch {
  private readonly client: pg.PoolClient
  private readonly statement: { readonly name: string; readonly text: string }
  private readonly intervalMs: number
  private readonly waiting = new Map<string, PromiseWithResolvers<number>>()
  private stopped = false
  private readonly done: Promise<void>

  private constructor(client: pg.PoolClient, statement: BooksWatch['statement'], intervalMs: number) {
    this.client = client
    this.statement = statement
    this.intervalMs = intervalMs
    this.done = this.look().catch((error: unknown) => {
      for (const { reject } of this.waiting.values()) reject(error)
    })
  }

  /** @param statement takes the keys that are waited for and gives, as `key`, those that are there */
  static async open(node: DemoNode, statement: BooksWatch['statement'], intervalMs: number): Promise<BooksWatch> {
    const client = await node.db.pool.connect()
    await client.query(
      `select set_config('dostyk.actor', 'bench', false), set_config('dostyk.purpose', 'bench', false)`,
    )
    return new BooksWatch(client, statement, intervalMs)
  }

  /** @returns the moment (performance.now) at which the key was first seen */
  found(key: string): Promise<number> {
    const waiter = Promise.withResolvers<number>()
    this.waiting.set(key, waiter)
    return waiter.promise
  }

  async close(): Promise<void> {
    this.stopped = true
    await this.done
    this.client.release(true)
  }

  private async look(): Promise<void> {
    while (!this.stopped) {
      const next = performance.now() + this.intervalMs
      if (this.waiting.size > 0) {
        const values = [[...this.waiting.keys()]]
        const { rows } = await this.client.query<{ key: string }>({ ...this.statement, values })
        const now = performance.now()
        for (const { key } of rows) {
          this.waiting.get(key)?.resolve(now)
          this.waiting.delete(key)
        }
      }
      await sleep(Math.max(1, next - performance.now()))
    }
  }
}
