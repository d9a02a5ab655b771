import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { faultKinds } from './sim/faults.ts'
import { heldThoughExpired, runSeed } from './sim/run-seed.ts'
import type { Batch } from './sim/seed-worker.ts'
import { addReport, addSummary, emptySummary, replayCommand, type Summary } from './sim/summary.ts'

const help = `Usage: npm run sim -- [options]

Runs two nodes of the exchange in one process, on virtual time, wire and store, under the faults that each seed draws,
and checks at every commit and after the world has healed that nothing was lost, forged, repeated or denied.

  --seeds N        how many seeds to run (default 1000)
  --from S         the first seed (default 1)
  --seed X         run one seed
  --trace          with --seed: print every event; two runs of one seed print the same
  --without A,B    leave out kinds of faults, to find which ones a violation needs
  --workers W      how many threads (default: one for each core)
  --json           print the summary as one JSON object
  --help           print this

Exit codes: 0 no violation, 1 a violation, 2 wrong usage.
Kinds of faults: ${Object.keys(faultKinds).join(', ')}.
`

const batchSize = 25
const shownMax = 20

interface Options {
  readonly from: number
  readonly seeds: number
  readonly workers: number
  readonly without: readonly string[]
  readonly single: boolean
  readonly trace: boolean
  readonly json: boolean
}

function readOptions(): Options | string {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      without: { type: 'string', default: '' },
      workers: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return help
  const number = (name: string, text: string, min: number): number => {
    if (!/^\d{1,12}$/.test(text) || Number(text) < min) throw new Error(`--${name} must be a whole number from ${min}`)
    return Number(text)
  }
  const without = values.without.split(',').filter(Boolean)
  const unknown = without.find((kind) => !Object.hasOwn(faultKinds, kind))
  if (unknown) throw new Error(`--without: no fault is called ${unknown}`)
  const single = values.seed !== undefined
  if (values.trace && !single) throw new Error('--trace needs --seed')
  return {
    from: number(single ? 'seed' : 'from', values.seed ?? values.from, 0),
    seeds: single ? 1 : number('seeds', values.seeds, 1),
    workers: number('workers', values.workers, 1),
    without,
    single,
    trace: values.trace,
    json: values.json,
  }
}

/** Runs all seeds in worker threads, handing out small batches so that no thread waits for another. */
async function runAll(
  { from, seeds, workers, without }: Options,
  progress: (soFar: Summary) => void,
): Promise<Summary> {
  const total = emptySummary()
  let next = from
  const end = from + seeds
  await Promise.all(
    Array.from({ length: Math.min(workers, Math.ceil(seeds / batchSize)) }, () => {
      const worker = new Worker(new URL('./sim/seed-worker.ts', import.meta.url))
      return new Promise<void>((resolve, reject) => {
        const hand = () => {
          if (next >= end) {
            void worker.terminate().then(() => resolve())
            return
          }
          const batch: Batch = { from: next, count: Math.min(batchSize, end - next), without }
          next += batch.count
          worker.postMessage(batch)
        }
        worker.on('message', (part: Summary) => {
          addSummary(total, part)
          progress(total)
          hand()
        })
        worker.on('error', reject)
        hand()
      })
    }),
  )
  total.violations.sort((a, b) => a.seed - b.seed)
  return total
}

function print(summary: Summary, seconds: number, options: Options): void {
  const perSecond = summary.seeds / seconds
  if (options.json) {
    const violations = summary.violations.map(({ seed, what }) => ({
      seed,
      what,
      replay: replayCommand(seed, options.without),
    }))
    process.stdout.write(`${JSON.stringify({ ...summary, violations, from: options.from, seconds, perSecond })}\n`)
    return
  }
  const table = (counts: { [name: string]: number }, test: (name: string) => boolean) =>
    Object.entries(counts)
      .filter(([name]) => test(name))
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `  ${name.replace(/^(answer|result) /, '').padEnd(34)}${String(count).padStart(10)}\n`)
      .join('')
  process.stdout.write(
    `${summary.seeds} seeds from ${options.from} in ${seconds.toFixed(1)} s (${perSecond.toFixed(1)} a second), ` +
      `${Math.round(summary.virtualDays)} days of virtual time\n` +
      `${summary.messages} messages signed, ${summary.received} received\n\n` +
      `Faults that struck\n${table(summary.faults, () => true)}\n` +
      `Requests answered\n${table(summary.counts, (name) => name.startsWith('answer '))}\n` +
      `Messages answered\n${table(summary.counts, (name) => name.startsWith('result '))}\n` +
      `Violations: ${summary.violations.length}\n`,
  )
  const unknown = summary.counts[heldThoughExpired] ?? 0
  if (unknown > 0)
    process.stdout.write(
      `Open: ${unknown} messages that their sender gave up as expired before it learnt that they had arrived\n`,
    )
  for (const { seed, what } of summary.violations.slice(0, shownMax)) {
    process.stdout.write(`\nseed ${seed}\n`)
    for (const each of what) process.stdout.write(`  ${each}\n`)
    process.stdout.write(`  replay: ${replayCommand(seed, options.without)}\n`)
  }
}

async function main(): Promise<number> {
  let options: Options | string
  try {
    options = readOptions()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`)
    return 2
  }
  if (typeof options === 'string') {
    process.stdout.write(options)
    return 0
  }
  const { seeds, single, without } = options
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  let summary = emptySummary()
  if (single) {
    const report = runSeed(options.from, { without: new Set(without) })
    if (options.trace) process.stdout.write(`${report.trace.join('\n')}\ntrace ${report.traceDigest}\n\n`)
    addReport(summary, report)
  } else {
    let shownAt = 0
    summary = await runAll(options, (soFar) => {
      if (elapsed() - shownAt < (process.stderr.isTTY ? 0.5 : 10) && soFar.seeds < seeds) return
      shownAt = elapsed()
      const rate = (soFar.seeds / shownAt).toFixed(0)
      const line = `${soFar.seeds} of ${seeds} seeds, ${rate} a second, ${soFar.violations.length} with a violation`
      process.stderr.write(process.stderr.isTTY ? `\r${line}${soFar.seeds < seeds ? '' : '\n'}` : `${line}\n`)
    })
  }
  print(summary, elapsed(), options)
  return summary.violations.length > 0 ? 1 : 0
}

process.exitCode = await main()
