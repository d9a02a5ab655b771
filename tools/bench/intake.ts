/** One long file of declarations, with bad lines in it, handed over to a node whose line to the partner is cut. */
import { assert } from '../../src/kernel/index.ts'
import type { DeclarationMaker } from './declarations.ts'
import { megabyte } from './memory.ts'
import { residentBytes } from './processes.ts'
import type { Rig } from './rig.ts'

export interface Intake {
  readonly megabytes: number
  readonly records: number
  readonly refused: number
  readonly seconds: number
  readonly startMb: number
  readonly maxMb: number
}

const lookMs = 100
const linesBetweenBad = 1000
/** Each costs its own line: cut short, a member twice, a number that nothing can hold, and a longer line than any may be. */
const badLines: ReadonlyArray<(good: string) => string> = [
  (good) => `${good.slice(0, 400)}\n`,
  (good) => good.replace('"versionId":1', '"versionId":1,"versionId":1'),
  (good) => good.replace('"versionId":1', '"versionId":1e400'),
  (good) => `${good.trimEnd()}${' '.repeat(5 * 1024 * 1024)}\n`,
]

export async function measureIntake(
  rig: Rig,
  maker: DeclarationMaker,
  plan: { readonly bytes: number },
  onProgress: (bytes: number) => void,
): Promise<Intake> {
  rig.two.cutLink()
  const startMb = (await residentBytes(rig.sender.pid)) / megabyte
  let maxMb = startMb
  let bytes = 0
  let lines = 0
  let bad = 0
  const file = async function* (): AsyncGenerator<string> {
    while (bytes < plan.bytes) {
      const good = maker.line()
      lines += 1
      const spoil = lines % linesBetweenBad === 0 ? badLines[bad % badLines.length] : undefined
      if (spoil) bad += 1
      const line = spoil ? spoil(good) : good
      bytes += Buffer.byteLength(line)
      yield line
    }
  }
  const look = setInterval(async () => {
    maxMb = Math.max(maxMb, (await residentBytes(rig.sender.pid)) / megabyte)
    onProgress(bytes)
  }, lookMs)
  try {
    const startedAt = performance.now()
    const result = await rig.submit(file())
    const seconds = (performance.now() - startedAt) / 1000
    assert(result.records === lines && result.refused === bad, 'a bad line costs that line and no other')
    return { megabytes: bytes / megabyte, records: lines, refused: bad, seconds, startMb, maxMb }
  } finally {
    clearInterval(look)
  }
}
