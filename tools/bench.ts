/**
 * Measures the product on the machine it runs on, against the limit of the same machine in the same run.
 *
 *     npm run bench -- [--quick] [--json] [--only ratio,latency,memory,intake] [--intake-gb 1] [--in-flight 8]
 *
 * What each figure means and how to read it: docs/operate/bench.md. Absolute figures say little on a shared machine; the
 * ratio to the limit, taken in turn with it, says what the product adds.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DeclarationMaker } from './bench/declarations.ts'
import { type Intake, measureIntake } from './bench/intake.ts'
import { type Latency, measureLatency } from './bench/latency.ts'
import { type Memory, measureMemory } from './bench/memory.ts'
import { type CpuShares, measureRatio, type RatioPlan, type RatioRound } from './bench/ratio.ts'
import { type Rig, startRig } from './bench/rig.ts'
import { median } from './bench/statistics.ts'

export const parts = ['ratio', 'latency', 'memory', 'intake'] as const
export type Part = (typeof parts)[number]

export interface BenchPlan {
  readonly parts: ReadonlySet<Part>
  readonly ratio: RatioPlan
  readonly latency: { readonly perSecond: number; readonly seconds: number }
  readonly memory: { readonly clearances: number; readonly inFlight: number }
  readonly intake: { readonly bytes: number }
}

export interface BenchReport {
  readonly machine: { readonly cores: number; readonly model: string; readonly node: string; readonly load: number }
  readonly ratio?: {
    readonly limitPerSecond: number
    readonly clearancesPerSecond: number
    readonly ratio: number
    readonly ratioMin: number
    readonly ratioMax: number
    readonly bytesPerClearance: number
    readonly cpuMs: CpuShares
    readonly limitCpuMs: CpuShares
    readonly rounds: readonly RatioRound[]
  }
  readonly latency?: Latency
  readonly memory?: readonly Memory[]
  readonly intake?: Intake
}

/** Runs the chosen parts. @param tell is told what goes on, for people */
export async function runBench(plan: BenchPlan, tell: (line: string) => void): Promise<BenchReport> {
  const processors = cpus()
  const machine = {
    cores: processors.length,
    model: processors[0]?.model ?? '',
    node: process.version,
    load: loadavg()[0] ?? 0,
  }
  const maker = new DeclarationMaker(1, new Date())
  const progress = everyTenth(tell)
  const measured = await withRig(plan, ['ratio', 'latency', 'memory'], async (rig) => {
    const ratio = plan.parts.has('ratio')
      ? await measureRatio(rig, maker, plan.ratio, (round, number) => tell(roundLine(round, number)))
      : undefined
    if (plan.parts.has('latency'))
      tell(`one declaration at a time, ${plan.latency.perSecond} a second for ${plan.latency.seconds} s`)
    const latency = plan.parts.has('latency') ? await measureLatency(rig, maker, plan.latency) : undefined
    const passed = progress('clearances passed', plan.memory.clearances)
    const memory = plan.parts.has('memory') ? await measureMemory(rig, maker, plan.memory, passed) : undefined
    return { ratio, latency, memory }
  })
  // On nodes of its own: the memory of a long file is not that of what ran before.
  const intake = await withRig(plan, ['intake'], (rig) =>
    measureIntake(rig, maker, plan.intake, progress('bytes handed over', plan.intake.bytes)),
  )
  return {
    machine,
    ...(measured?.ratio && { ratio: summarise(measured.ratio) }),
    ...(measured?.latency && { latency: measured.latency }),
    ...(measured?.memory && { memory: measured.memory }),
    ...(intake && { intake }),
  }
}

async function withRig<Result>(
  plan: BenchPlan,
  wanted: readonly Part[],
  work: (rig: Rig) => Promise<Result>,
): Promise<Result | undefined> {
  if (!wanted.some((part) => plan.parts.has(part))) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'dostyk-bench-'))
  try {
    const rig = await startRig(folder)
    try {
      return await work(rig)
    } finally {
      await rig.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function everyTenth(tell: (line: string) => void) {
  return (what: string, of: number) => {
    let told = 0
    return (done: number): void => {
      const tenth = Math.floor((10 * done) / of)
      if (tenth <= told) return
      told = tenth
      tell(`  ${done} ${what}`)
    }
  }
}

function summarise(rounds: readonly RatioRound[]): NonNullable<BenchReport['ratio']> {
  const of = (take: (round: RatioRound) => number): number => median(rounds.map(take))
  const shares = (take: (round: RatioRound) => CpuShares): CpuShares => ({
    sender: of((round) => take(round).sender),
    receiver: of((round) => take(round).receiver),
    postgres: of((round) => take(round).postgres),
    bench: of((round) => take(round).bench),
  })
  return {
    limitPerSecond: of((round) => round.limitPerSecond),
    clearancesPerSecond: of((round) => round.clearancesPerSecond),
    ratio: of((round) => round.ratio),
    ratioMin: Math.min(...rounds.map(({ ratio }) => ratio)),
    ratioMax: Math.max(...rounds.map(({ ratio }) => ratio)),
    bytesPerClearance: of((round) => round.bytesPerClearance),
    cpuMs: shares(({ cpuMs }) => cpuMs),
    limitCpuMs: shares(({ limitCpuMs }) => limitCpuMs),
    rounds,
  }
}

const roundLine = (round: RatioRound, number: number): string =>
  `  round ${number}: limit ${round.limitPerSecond.toFixed(0)}/s, product ${round.clearancesPerSecond.toFixed(0)}/s, ratio ${round.ratio.toFixed(2)}`

const cpuLine = ({ sender, receiver, postgres, bench }: CpuShares): string => {
  const total = sender + receiver + postgres + bench
  const shown = { sender, receiver, PostgreSQL: postgres, bench }
  const each = Object.entries(shown).map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
  return `${total.toFixed(2)} ms a clearance (${each.join(', ')})`
}

function printReport({ machine, ratio, latency, memory, intake }: BenchReport, print: (line: string) => void): void {
  print(`\n${machine.cores} × ${machine.model}, Node.js ${machine.node}, load at the start ${machine.load.toFixed(1)}`)
  if (ratio) {
    print(`limit                 ${ratio.limitPerSecond.toFixed(0)} clearances a second`)
    print(`intake to ACCEPTED    ${ratio.clearancesPerSecond.toFixed(0)} clearances a second`)
    print(
      `ratio to the limit    ${ratio.ratio.toFixed(2)} (${ratio.ratioMin.toFixed(2)} to ${ratio.ratioMax.toFixed(2)})`,
    )
    print(`processor, product    ${cpuLine(ratio.cpuMs)}`)
    print(`processor, limit      ${cpuLine(ratio.limitCpuMs)}`)
    print(`on the wire           ${ratio.bytesPerClearance.toFixed(0)} bytes a clearance, both directions`)
  }
  if (latency)
    print(
      `submit to RECEIVED    p50 ${latency.p50Ms.toFixed(0)} ms, p99 ${latency.p99Ms.toFixed(0)} ms, max ${latency.maxMs.toFixed(0)} ms over ${latency.count}`,
    )
  for (const { node, startMb, maxMb, endMb, slopeMb } of memory ?? [])
    print(
      `memory of ${node.padEnd(11)} ${startMb.toFixed(0)} MB at first, ${maxMb.toFixed(0)} at most, ${endMb.toFixed(0)} at the end; ${slopeMb.toFixed(0)} for each further 100 000`,
    )
  if (intake)
    print(
      `one file              ${intake.megabytes.toFixed(0)} MB, ${intake.records} records (${intake.refused} refused) in ${intake.seconds.toFixed(0)} s, at most ${intake.maxMb.toFixed(0)} MB of memory`,
    )
}

const full = {
  ratio: { rounds: 5, trainsPerRound: 60, warmUpTrains: 20 },
  latency: { perSecond: 50, seconds: 60 },
  memoryClearances: 200_000,
  intakeGb: 0.1,
}
const quick: typeof full = {
  ratio: { rounds: 3, trainsPerRound: 16, warmUpTrains: 8 },
  latency: { perSecond: 50, seconds: 10 },
  memoryClearances: 5000,
  intakeGb: 0.02,
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: parts.join(',') },
      'intake-gb': { type: 'string' },
      'in-flight': { type: 'string', default: '8' },
    },
  })
  const size = values.quick ? quick : full
  const inFlight = Number(values['in-flight'])
  const chosen = values.only.split(',')
  const report = await runBench(
    {
      parts: new Set(parts.filter((part) => chosen.includes(part))),
      ratio: { ...size.ratio, inFlight },
      latency: size.latency,
      memory: { clearances: size.memoryClearances, inFlight },
      intake: { bytes: Number(values['intake-gb'] ?? size.intakeGb) * 1e9 },
    },
    (line) => process.stderr.write(`${line}\n`),
  )
  const print = (line: string): void => {
    process.stdout.write(`${line}\n`)
  }
  if (values.json) print(JSON.stringify(report, null, 2))
  else printReport(report, print)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main()
  process.exit()
}
