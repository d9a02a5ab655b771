/** The folder a national system or a railway drops files into: each is taken once, and what became of it lies beside. */
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SubmissionResult } from '../clearance/index.ts'
import { Fault } from '../kernel/index.ts'

export interface WatchedFolder {
  /** Takes what lies there now. @returns how many files were taken */
  sweep(): Promise<number>
  /** Sweeps until stopped. */
  run(everySeconds: number): Promise<void>
  stop(): void
}

/** A file that changed less than this long ago may still be written to. */
const settledMs = 1000
/** Names that a sender uses while it writes. */
const unfinished = /^\.|\.(part|tmp|filepart)$/i

/**
 * Watches a folder by looking at it: rename-into-place and plain copying both work, on network shares too.
 *
 * A file is moved to `taken/` or `refused/` after its records were committed, with `<name>.result.json` beside it. When
 * the node dies in between, the file is taken again and changes nothing. A file is refused as a whole only when no
 * record of it could be taken.
 */
export function watchFolder(
  folder: string,
  take: (fileName: string, source: AsyncIterable<Uint8Array>) => Promise<SubmissionResult>,
  report: (code: string, cause: unknown, facts: Readonly<Record<string, string>>) => void,
): WatchedFolder {
  let stopped = false
  const sweep = async (): Promise<number> => {
    const names = await readdir(folder).catch((cause: unknown) => {
      throw new Fault('platform/watched-folder', `the watched folder cannot be read: ${folder}`, {
        cause,
        retryable: true,
      })
    })
    let taken = 0
    for (const name of names.sort()) {
      if (stopped) break
      const path = join(folder, name)
      const info = await stat(path).catch(() => undefined)
      if (!info?.isFile() || unfinished.test(name) || Date.now() - info.mtimeMs < settledMs) continue
      try {
        const result = await take(name, createReadStream(path))
        await put(folder, name, result)
        taken += 1
      } catch (error) {
        // The file stays where it is and is tried again at the next look.
        report('platform/watched-folder', error, { file: name })
      }
    }
    return taken
  }
  return {
    sweep,
    run: async (everySeconds) => {
      for (const each of ['taken', 'refused']) await mkdir(join(folder, each), { recursive: true })
      while (!stopped) {
        await sweep().catch((error: unknown) => report('platform/watched-folder', error, {}))
        await sleep(everySeconds * 1000, undefined, { ref: false })
      }
    },
    stop: () => {
      stopped = true
    },
  }
}

async function put(folder: string, name: string, result: SubmissionResult): Promise<void> {
  const target = join(folder, result.refused > 0 && result.refused === result.records ? 'refused' : 'taken')
  await mkdir(target, { recursive: true })
  const place = join(target, `${result.id}-${name}`)
  await writeFile(`${place}.result.json`, `${JSON.stringify(result, null, 2)}\n`)
  await rename(join(folder, name), place)
  const handle = await open(target, 'r')
  await handle.sync().catch(() => {})
  await handle.close()
}
