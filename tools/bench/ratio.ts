/** How many clearances a second go from intake to ACCEPTED, in turn with the limit of the same machine. */
import { type DeclarationMaker, trainLength } from './declarations.ts'
import { prepareLimit } from './limit.ts'
import { playTrains, trains } from './play-trains.ts'
import { cpuSeconds, cpuSince, postgresCpuSeconds } from './processes.ts'
import type { Rig } from './rig.ts'

export interface RatioPlan {
  readonly rounds: number
  readonly trainsPerRound: number
  readonly warmUpTrains: number
  readonly inFlight: number
}

/** Processor time in milliseconds for each clearance, by process. Without meaning where the system does not tell. */
export interface CpuShares {
  readonly sender: number
  readonly receiver: number
  readonly postgres: number
  /** The national system that hands over, and the line between the nodes. */
  readonly bench: number
}

export interface RatioRound {
  readonly limitPerSecond: number
  readonly clearancesPerSecond: number
  readonly ratio: number
  readonly bytesPerClearance: number
  readonly cpuMs: CpuShares
  readonly limitCpuMs: CpuShares
}

/** Plays limit and product in turn, so that a machine that slows down slows both. */
export async function measureRatio(
  rig: Rig,
  maker: DeclarationMaker,
  plan: RatioPlan,
  onRound: (round: RatioRound, number: number) => void,
): Promise<readonly RatioRound[]> {
  const make = (): string => maker.train()
  const warm = await playTrains(rig, trains(plan.warmUpTrains, make), plan.inFlight)
  const limit = await prepareLimit(rig, warm.lastTrain)
  const clearances = plan.trainsPerRound * trainLength
  try {
    await limit.play(plan.warmUpTrains, plan.inFlight)
    const rounds: RatioRound[] = []
    for (let number = 1; number <= plan.rounds; number += 1) {
      const bound = await withCpu(rig, limit.pids, clearances, () => limit.play(plan.trainsPerRound, plan.inFlight))
      const carried = rig.two.carriedBytes()
      const played = await withCpu(rig, [rig.sender.pid, rig.receiver.pid], clearances, () =>
        playTrains(rig, trains(plan.trainsPerRound, make), plan.inFlight),
      )
      const limitPerSecond = clearances / bound.result
      const clearancesPerSecond = clearances / played.result.seconds
      const round = {
        limitPerSecond,
        clearancesPerSecond,
        ratio: clearancesPerSecond / limitPerSecond,
        bytesPerClearance: (rig.two.carriedBytes() - carried) / clearances,
        cpuMs: played.cpuMs,
        limitCpuMs: bound.cpuMs,
      }
      rounds.push(round)
      onRound(round, number)
    }
    return rounds
  } finally {
    await limit.stop()
  }
}

async function withCpu<Result>(
  rig: Rig,
  pids: readonly number[],
  clearances: number,
  work: () => Promise<Result>,
): Promise<{ result: Result; cpuMs: CpuShares }> {
  const look = async () => ({
    sides: await Promise.all(pids.map(cpuSeconds)),
    postgres: await postgresCpuSeconds(rig.sender.db.pool),
    bench: process.cpuUsage(),
  })
  const before = await look()
  const result = await work()
  const after = await look()
  const side = (index: number): number => (after.sides[index] ?? 0) - (before.sides[index] ?? 0)
  const own = (usage: NodeJS.CpuUsage): number => (usage.user + usage.system) / 1e6
  const each = (seconds: number): number => (seconds * 1000) / clearances
  return {
    result,
    cpuMs: {
      sender: each(side(0)),
      receiver: each(side(1)),
      postgres: each(cpuSince(before.postgres, after.postgres)),
      bench: each(own(after.bench) - own(before.bench)),
    },
  }
}
