/**
 * Measures the product on the machine it runs on, against the limit of the same machine in the same run.
 *
 *     npm run bench [-- --json] [-- --quick]
 *
 * What each figure means and how to read it: docs/operate/bench.md. Absolute figures say little on a shared machine; the
 * ratio to the limit, taken in turn with it, says what the product adds.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeclarationMaker, trainLength } from './bench/declarations.ts'
import { prepareLimit } from './bench/limit.ts'
import { playTrains, trains } from './bench/play-trains.ts'
import { residentBytes } from './bench/processes.ts'
import { BooksWatch, type Rig, startRig } from './bench/rig.ts'
import { median, quantile, slope } from './bench/statistics.ts'

const quick = process.argv.includes('--quick')
const asJson = process.argv.includes('--json')
const plan = quick
  ? { warmUpTrains: 4, rounds: 3, trainsPerRound: 12, inFlight: 4, latencySeconds: 10, memoryClearances: 5000 }
  : { warmUpTrains: 20, rounds: 5, trainsPerRound: 60, inFlight: 4, latencySeconds: 60, memoryClearances: 200_000 }
const perSecond = 50

interface Round {
  readonly limitPerSecond: number
  readonly clearancesPerSecond: number
  readonly ratio: number
}

const say = (line: string): void => {
  if (!asJson) process.stdout.write(`${line}\n`)
  else process.stderr.write(`${line}\n`)
}
const round = (value: number, digits = 2): number => Number(value.toFixed(digits))

/** Plays limit and product in turn, so that a machine that slows down slows both. */
async function measureRatio(rig: Rig, make: () => string): Promise<readonly Round[]> {
  const warm = await playTrains(rig, trains(plan.warmUpTrains, make), plan.inFlight)
  const limit = await prepareLimit(rig, warm.lastTrain)
  try {
    await limit.play(plan.warmUpTrains, plan.inFlight)
    const rounds: Round[] = []
    for (let index = 0; index < plan.rounds; index += 1) {
      const limitSeconds = await limit.play(plan.trainsPerRound, plan.inFlight)
      const played = await playTrains(rig, trains(plan.trainsPerRound, make), plan.inFlight)
      const limitPerSecond = (plan.trainsPerRound * trainLength) / limitSeconds
      const clearancesPerSecond = played.clearances / played.seconds
      rounds.push({ limitPerSecond, clearancesPerSecond, ratio: clearancesPerSecond / limitPerSecond })
      say(
        `  round ${index + 1}: limit ${round(limitPerSecond, 0)}/s, product ${round(clearancesPerSecond, 0)}/s, ratio ${round(clearancesPerSecond / limitPerSecond)}`,
      )
    }
    return rounds
  } finally {
    await limit.stop()
  }
}

const received = {
  name: 'bench/received',
  text: `select subject as key from exchange.outbound where subject = any($1::uuid[]) and state = 'received'`,
}

/**
 * Hands single declarations over at a steady pace, whatever the answers do, and takes the time of each from the moment it
 * was due: a node that falls behind is not excused.
 */
async function measureLatency(rig: Rig, maker: DeclarationMaker): Promise<{ p50: number; p99: number; count: number }> {
  const watch = await BooksWatch.open(rig.sender, received, 5)
  const startAt = performance.now() + 200
  const count = plan.latencySeconds * perSecond
  const times = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const dueAt = startAt + (index * 1000) / perSecond
      const line = maker.line()
      await sleep(Math.max(0, dueAt - performance.now()))
      const { results } = await rig.submit(line)
      const key = results[0]?.about
      if (!key) throw new Error('a declaration of the measurement was not taken')
      return (await watch.found(key)) - dueAt
    }),
  )
  await watch.close()
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), count }
}

interface Memory {
  readonly node: string
  readonly startMb: number
  readonly maxMb: number
  readonly endMb: number
  /** MB for each further 100 000 clearances, over the second half. */
  readonly slopeMb: number
}

/** Watches the memory of both nodes while clearances pass. */
async function measureMemory(rig: Rig, make: () => string): Promise<readonly Memory[]> {
  const pids = rig.two.nodes.map(({ id, pid }) => ({ id, pid }))
  const samples = new Map<string, Array<readonly [number, number]>>(pids.map(({ id }) => [id, []]))
  const look = async (clearances: number): Promise<void> => {
    for (const { id, pid } of pids) samples.get(id)?.push([clearances, (await residentBytes(pid)) / 1_048_576])
  }
  await look(0)
  let lookedAt = 0
  const step = Math.max(500, plan.memoryClearances / 200)
  await playTrains(rig, trains(Math.ceil(plan.memoryClearances / trainLength), make), plan.inFlight, (clearances) => {
    if (clearances - lookedAt < step) return
    lookedAt = clearances
    void look(clearances)
  })
  await look(plan.memoryClearances)
  return pids.map(({ id }) => {
    const points = samples.get(id) ?? []
    const values = points.map(([, mb]) => mb)
    const half = points.slice(Math.floor(points.length / 2))
    return {
      node: id,
      startMb: round(values[0] ?? 0, 0),
      maxMb: round(Math.max(...values), 0),
      endMb: round(values.at(-1) ?? 0, 0),
      slopeMb: round(slope(half) * 100_000, 0),
    }
  })
}

const folder = await mkdtemp(join(tmpdir(), 'dostyk-bench-'))
const rig = await startRig(folder)
try {
  const maker = new DeclarationMaker(1, new Date())
  const make = (): string => maker.train()
  say(`Throughput, ${plan.inFlight} trains of ${trainLength} in flight, both commits durable`)
  const rounds = await measureRatio(rig, make)
  const carriedBefore = rig.two.carriedBytes()
  const wire = await playTrains(rig, trains(plan.trainsPerRound, make), plan.inFlight)
  const bytesPerClearance = (rig.two.carriedBytes() - carriedBefore) / wire.clearances
  say(`Latency, one declaration at a time, ${perSecond} a second for ${plan.latencySeconds} s`)
  const latency = await measureLatency(rig, maker)
  say(`Memory over ${plan.memoryClearances} clearances`)
  const memory = await measureMemory(rig, make)
  const report = {
    quick,
    limitPerSecond: round(median(rounds.map((each) => each.limitPerSecond)), 0),
    clearancesPerSecond: round(median(rounds.map((each) => each.clearancesPerSecond)), 0),
    ratio: round(median(rounds.map((each) => each.ratio))),
    ratioMin: round(Math.min(...rounds.map((each) => each.ratio))),
    ratioMax: round(Math.max(...rounds.map((each) => each.ratio))),
    submitToReceivedMs: { p50: round(latency.p50, 0), p99: round(latency.p99, 0), messages: latency.count },
    bytesOnTheWirePerClearance: round(bytesPerClearance, 0),
    memory,
  }
  if (asJson) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else {
    say(`\nlimit                        ${report.limitPerSecond} clearances/s`)
    say(`intake to ACCEPTED           ${report.clearancesPerSecond} clearances/s`)
    say(`ratio to the limit           ${report.ratio} (${report.ratioMin} to ${report.ratioMax})`)
    say(`submit to RECEIVED           p50 ${report.submitToReceivedMs.p50} ms, p99 ${report.submitToReceivedMs.p99} ms`)
    say(`on the wire                  ${report.bytesOnTheWirePerClearance} bytes a clearance, both directions`)
    for (const { node, startMb, maxMb, endMb, slopeMb } of memory)
      say(`memory ${node.padEnd(22)}${startMb} MB at first, ${maxMb} at most, ${endMb} at the end, ${slopeMb} for each further 100 000`)
  }
} finally {
  await rig.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exit()
