/** What both nodes hold in memory while clearances pass. */
import { type DeclarationMaker, trainLength } from './declarations.ts'
import { playTrains, trains } from './play-trains.ts'
import { residentBytes } from './processes.ts'
import type { Rig } from './rig.ts'
import { slope } from './statistics.ts'

export interface Memory {
  readonly node: string
  readonly startMb: number
  readonly maxMb: number
  readonly endMb: number
  /** MB for each further 100 000 clearances, over the second half. */
  readonly slopeMb: number
}

export const megabyte = 1_000_000
const samplesWanted = 200

export async function measureMemory(
  rig: Rig,
  maker: DeclarationMaker,
  plan: { readonly clearances: number; readonly inFlight: number },
  onProgress: (clearances: number) => void,
): Promise<readonly Memory[]> {
  const nodes = [rig.sender, rig.receiver].map(({ id, pid }) => ({
    id,
    pid,
    points: [] as Array<readonly [number, number]>,
  }))
  const look = async (clearances: number): Promise<void> => {
    for (const { pid, points } of nodes) points.push([clearances, (await residentBytes(pid)) / megabyte])
  }
  const step = plan.clearances / samplesWanted
  let next = step
  const looks: Array<Promise<void>> = [look(0)]
  const count = Math.ceil(plan.clearances / trainLength)
  await playTrains(
    rig,
    trains(count, () => maker.train()),
    plan.inFlight,
    (clearances) => {
      if (clearances < next) return
      next += step
      looks.push(look(clearances))
      onProgress(clearances)
    },
  )
  await Promise.all(looks)
  return nodes.map(({ id, points }) => {
    const values = points.map(([, mb]) => mb)
    return {
      node: id,
      startMb: values[0] ?? Number.NaN,
      maxMb: Math.max(...values),
      endMb: values.at(-1) ?? Number.NaN,
      slopeMb: slope(points.slice(points.length >> 1)) * 100_000,
    }
  })
}
