import type { SeedReport } from './run-seed.ts'

/** What a number of seeds came to. */
export interface Summary {
  seeds: number
  messages: number
  received: number
  virtualDays: number
  /** Faults that struck, by kind. */
  faults: { [kind: string]: number }
  /** Everything else that was counted: messages signed by type, outcomes answered, effects at the sender. */
  counts: { [name: string]: number }
  violations: { seed: number; what: readonly string[] }[]
}

export function emptySummary(): Summary {
  return { seeds: 0, messages: 0, received: 0, virtualDays: 0, faults: {}, counts: {}, violations: [] }
}

function addCounts(to: { [name: string]: number }, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) to[name] = (to[name] ?? 0) + count
}

export function addReport(summary: Summary, report: SeedReport): void {
  summary.seeds += 1
  summary.messages += report.messages
  summary.received += report.received
  summary.virtualDays += report.virtualDays
  addCounts(summary.faults, report.faults)
  addCounts(summary.counts, report.counts)
  if (report.violations.length > 0) summary.violations.push({ seed: report.seed, what: report.violations })
}

export function addSummary(to: Summary, part: Summary): void {
  to.seeds += part.seeds
  to.messages += part.messages
  to.received += part.received
  to.virtualDays += part.virtualDays
  addCounts(to.faults, part.faults)
  addCounts(to.counts, part.counts)
  to.violations.push(...part.violations)
}

/** The command that runs one seed again and shows what happened in it. */
export function replayCommand(seed: number, without: readonly string[]): string {
  return `npm run sim -- --seed ${seed} --trace${without.length > 0 ? ` --without ${without.join(',')}` : ''}`
}
