/**
 * Writes the sample input of `samples/`: six trains with planted facts, spoilt files, the order in which a demo plays
 * them, and what must come of it. The same source always writes the same bytes.
 *
 *     node bin/node24.mjs tools/make-samples.ts
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brokenFiles, changedWithoutVersion } from './samples/broken.ts'
import { expectedOf } from './samples/expected.ts'
import { toJson } from './samples/formats-json.ts'
import type { SampleFile } from './samples/sample-file.ts'
import { trainT1 } from './samples/t1.ts'
import { trainT2 } from './samples/t2.ts'
import { trainT3 } from './samples/t3.ts'
import { trainT4 } from './samples/t4.ts'
import { trainT5 } from './samples/t5.ts'
import { trainT6 } from './samples/t6.ts'
import { timelineOf } from './samples/timeline.ts'

export const samplesFolder = fileURLToPath(new URL('../samples/', import.meta.url))
/** Folders that hold nothing but what is written here. */
const OWN_FOLDERS = ['trains', 'broken']

export interface Samples {
  readonly files: readonly SampleFile[]
  /** Every file below samples/ with its text, expectations and timeline included. */
  readonly texts: ReadonlyMap<string, string>
}

/** Makes all samples in memory, so that a test can compare them with what is on disk. */
export function buildSamples(): Samples {
  const { train: t1, rolled } = trainT1()
  const { train: t2, returning } = trainT2()
  const { train: t4, balance } = trainT4()
  const t5 = trainT5()
  const { train: t6, release } = trainT6(returning)
  const trains = [t1, t2, trainT3(rolled), t4, t5, t6]
  const goodCn = t1.declaration('cn-declarations.ndjson', 1)
  const goodKz = t5.declaration('kz-export-oil.wco.xml', 1)
  const broken = [...brokenFiles(goodCn, goodKz, release), changedWithoutVersion(goodCn)]
  const files = [...trains.flatMap((train) => train.files), ...broken]
  const legs = trains.flatMap((train) => train.legs)
  const timeline = timelineOf(legs, broken)
  const planted = trains.flatMap((train) => train.planted)
  const expected = expectedOf(files, legs, [balance], planted, timeline)
  return {
    files,
    texts: new Map([
      ...files.map(({ path, text }) => [path, text] as const),
      ['timeline.json', `[\n${timeline.map((step) => toJson(step)).join(',\n')}\n]\n`],
      ['expected.json', `${toJson(expected, { indent: 1 })}\n`],
    ]),
  }
}

function writeSamples(): void {
  for (const folder of OWN_FOLDERS) rmSync(join(samplesFolder, folder), { recursive: true, force: true })
  for (const [path, text] of buildSamples().texts) {
    const target = join(samplesFolder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeSamples()
