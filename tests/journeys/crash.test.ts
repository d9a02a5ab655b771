/** Nodes that die without a word, run twice, or stop under load: what was acknowledged is neither lost nor doubled. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SubmissionResult } from '../../src/clearance/index.ts'
import { eventually, type JourneyNode, startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { declaration, newNumber } from './journey.ts'

// Processes that start again and again take long on a machine that is busy.
vi.setConfig({ testTimeout: 180_000 })

let two: TwoTestNodes | undefined
afterEach(async () => {
  await two?.close()
  two = undefined
})

/** A schedule that a seed decides, so that a failure can be played again. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** A national system that hands over batch after batch and remembers what was acknowledged. */
class NationalSystem {
  readonly acknowledged = new Set<string>()
  readonly handedOver = new Set<string>()
  private readonly node: JourneyNode
  private stopped = false

  constructor(node: JourneyNode) {
    this.node = node
  }

  stop(): void {
    this.stopped = true
  }

  /** Hands over until stopped; what was not acknowledged is handed over again, as such systems do. */
  async run(size: number): Promise<void> {
    let again: string[] = []
    while (!this.stopped || again.length > 0) {
      const ids = again.length > 0 ? again : Array.from({ length: size }, newNumber)
      for (const id of ids) this.handedOver.add(id)
      again = (await this.handOver(ids)) ? [] : ids
      await sleep(30)
    }
  }

  private async handOver(ids: readonly string[]): Promise<boolean> {
    try {
      const { refused } = await this.node.submit(...ids.map((id) => declaration(id)))
      expect(refused).toBe(0)
      for (const id of ids) this.acknowledged.add(id)
      return true
    } catch {
      // The connection broke: nobody knows whether it was taken.
      return false
    }
  }
}

/** What was handed over stands once in each book, and both ledgers hold the same messages. */
async function expectNothingLostOrDoubled({ kz, cn }: TwoTestNodes, handedOver: ReadonlySet<string>): Promise<void> {
  for (const [from, to] of [
    [cn, kz],
    [kz, cn],
  ] as const)
    expect(await to.ledger('inbound')).toEqual(await from.ledger('outbound'))
  const sent = await cn.rows(
    sql<{ count: number; places: number }>`select count(*)::int as count, count(distinct (lane, seq))::int as places
      from exchange.outbound where type = 'EXP-CLR'`,
  )
  expect(sent).toEqual([{ count: handedOver.size, places: handedOver.size }])
  for (const [node, table] of [
    [cn, 'clearance.declaration'],
    [kz, 'clearance.received'],
  ] as const) {
    const rows = await node.rows(sql<{ id: string }>`select declaration_id as id from ${sql.table(table)}`)
    expect(new Set(rows.map(({ id }) => id))).toEqual(handedOver)
    expect(rows).toHaveLength(handedOver.size)
  }
}

describe('a node that is killed', () => {
  for (const seed of [1, 2])
    clause('STOP-2021/2.2-r1', `loses and doubles nothing of what was acknowledged (seed ${seed})`, async () => {
      two = await startNodes({ processes: true })
      const { kz, cn } = two
      const random = randomOf(seed)
      const system = new NationalSystem(cn)
      const running = system.run(10)
      for (let kill = 0; kill < 3; kill += 1) {
        await sleep(150 + random() * 500)
        const victim = random() < 0.5 ? kz : cn
        await victim.kill()
        await sleep(random() * 200)
        await victim.start()
      }
      await sleep(200)
      system.stop()
      await running
      await two.settle(60)
      expect(system.acknowledged.size).toBeGreaterThan(20)
      await expectNothingLostOrDoubled(two, system.handedOver)
    })
})

describe('two processes of one node', () => {
  test('share the sending: nothing goes twice, and every lane keeps its order', async () => {
    two = await startNodes()
    const { kz, cn } = two
    const second = await cn.startSecond()
    try {
      two.cut()
      const ids = Array.from({ length: 60 }, newNumber)
      const versions = [1, 2, 3].map((version) =>
        ids.map((id) =>
          JSON.stringify(declaration(id, version, { declaration: { totalGrossMass: String(21200 + version) } })),
        ),
      )
      // Both take what is handed over, half each, version after version.
      for (const lines of versions)
        await Promise.all(
          [lines.slice(0, 30), lines.slice(30)].map((half, index) =>
            cn.post<SubmissionResult>('/api/v1/submissions', undefined, {
              body: half.join('\n'),
              ...(index === 1 && { at: second.httpUrl }),
            }),
          ),
        )
      two.restore()
      await two.settle(60)
      const sent = await cn.rows(sql<{ count: number }>`select count(*)::int as count from exchange.outbound`)
      expect(sent).toEqual([{ count: 180 }])
      expect(await kz.ledger('inbound')).toEqual(await cn.ledger('outbound'))
      const [row] = await kz.rows(sql<{ duplicates: number; gaps: number; disordered: number }>`
        select sum(duplicates)::int as duplicates, count(*) filter (where gap)::int as gaps,
          (select count(*)::int from exchange.inbound a join exchange.inbound b on b.lane = a.lane and b.seq > a.seq
            and b.received_at < a.received_at) as disordered
        from exchange.inbound`)
      expect(row).toEqual({ duplicates: 0, gaps: 0, disordered: 0 })
      const shown = await kz.rows(sql<{ version: number; count: number }>`
        select version, count(*)::int as count from clearance.received group by version`)
      expect(shown).toEqual([{ version: 3, count: 60 }])
      expect(await kz.placesOf('21201')).not.toEqual([])
    } finally {
      await second.stop()
    }
  })

  test('go on with one when the other is stopped', async () => {
    two = await startNodes()
    const second = await two.cn.startSecond()
    await two.cn.submit(declaration(newNumber()))
    await second.stop()
    await two.cn.submit(declaration(newNumber()))
    await two.settle()
    expect(await two.kz.ledger('inbound')).toEqual(await two.cn.ledger('outbound'))
  })
})

test('a node that is told to stop under load ends in order and loses nothing', async () => {
  two = await startNodes({ processes: true, logLevel: 'debug' })
  const { kz, cn } = two
  const system = new NationalSystem(cn)
  const running = system.run(10)
  const logs: string[] = []
  for (const node of [cn, kz]) {
    await eventually(async () => system.acknowledged.size > 0)
    await sleep(300)
    logs.push(node.log)
    const startedAt = Date.now()
    await node.stop()
    expect(Date.now() - startedAt).toBeLessThan(10_000)
    await node.start()
  }
  system.stop()
  await running
  await two.settle(60)
  await expectNothingLostOrDoubled(two, system.handedOver)
  // What an operator reads holds codes and ids, and nothing of what was declared.
  for (const secret of ['西安样本贸易有限公司', 'Пример', '分体式空调', '91610131MA6TX0000X', cn.token])
    for (const log of [...logs, kz.log, cn.log]) expect(log).not.toContain(secret)
  for (const log of logs) expect(log).toContain('node started')
})
