/** How long one declaration takes from the moment it is due to be handed over until its receipt is in the books. */
import { setTimeout as sleep } from 'node:timers/promises'
import { assert } from '../../src/kernel/index.ts'
import type { DeclarationMaker } from './declarations.ts'
import { BooksWatch, type Rig } from './rig.ts'
import { quantile } from './statistics.ts'

export interface Latency {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const received = {
  name: 'bench/received',
  text: `select d.declaration_id as key from clearance.declaration d join exchange.outbound o on o.subject = d.key
    where d.declaration_id = any($1::text[]) and d.mode = 'live' and o.state = 'received'`,
}
const intervalMs = 5
const leadMs = 200

/**
 * Hands single declarations over at a steady pace, whatever the answers do, and takes the time of each from the moment it
 * was due: a node that falls behind is not excused.
 */
export async function measureLatency(
  rig: Rig,
  maker: DeclarationMaker,
  plan: { readonly perSecond: number; readonly seconds: number },
): Promise<Latency> {
  const watch = await BooksWatch.open(rig.sender, received, intervalMs)
  const startAt = performance.now() + leadMs
  const handOver = async (index: number): Promise<number> => {
    const line = maker.line()
    const dueAt = startAt + (index * 1000) / plan.perSecond
    await sleep(Math.max(0, dueAt - performance.now()))
    const found = watch.found(idOf(line))
    const { taken } = await rig.submit(line)
    assert(taken === 1, 'a declaration of the measurement is taken')
    return (await found) - dueAt
  }
  try {
    const times = await Promise.all(
      Array.from({ length: plan.seconds * plan.perSecond }, (_, index) => handOver(index)),
    )
    return {
      count: times.length,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      maxMs: Math.max(...times),
    }
  } finally {
    await watch.close()
  }
}

function idOf(line: string): string {
  return (JSON.parse(line) as { content: { declaration: { id: string } } }).content.declaration.id
}
