import { parentPort } from 'node:worker_threads'
import { runSeed } from './run-seed.ts'
import { addReport, emptySummary } from './summary.ts'

/** A batch of seeds to run: `count` of them from `from`. */
export interface Batch {
  readonly from: number
  readonly count: number
  readonly without: readonly string[]
}

parentPort?.on('message', (batch: Batch) => {
  const summary = emptySummary()
  const without = new Set(batch.without)
  for (let seed = batch.from; seed < batch.from + batch.count; seed += 1) addReport(summary, runSeed(seed, { without }))
  parentPort?.postMessage(summary)
})
