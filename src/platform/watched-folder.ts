/** The folder a national system or a railway drops files into: each is taken once, and what became of it lies beside. */
import type { Stats } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SubmissionResult } from '../clearance/index.ts'
import { Fault } from '../kernel/index.ts'

export interface WatchedFolder {
  /** Takes what lies there now. @returns how many files were taken */
  sweep(): Promise<number>
  /** Sweeps until stopped. */
  run(everySeconds: number): Promise<void>
  /** Begins no other file. */
  stop(): void
  /** Breaks off the file that is being read; it is taken whole at the next start. */
  breakOff(): void
}

/** A file that changed less than this long ago may still be written to. */
const settledMs = 2000
/** Names that a sender uses while it writes. */
const unfinished = /^\.|\.(part|tmp|filepart)$/i
/** A file that could not be taken is left alone for a second, then two, four … up to this long. */
const retryMsMax = 10 * 60_000
/** What a file system takes of a name, less the submission's id and `.result.json`. */
const nameBytesMax = 200

/**
 * Watches a folder by looking at it: rename-into-place and plain copying both work, on network shares too.
 *
 * A file is moved to `taken/` or `refused/` after its records were committed, with `<name>.result.json` beside it. When
 * the node dies in between, or the file was written to while it was read, it is taken again, and what was taken before
 * changes nothing. A file is refused as a whole only when no record of it could be taken.
 */
export function watchFolder(
  folder: string,
  take: (fileName: string, source: AsyncIterable<Uint8Array>) => Promise<SubmissionResult>,
  report: (code: string, cause: unknown, facts: Readonly<Record<string, string>>) => void,
): WatchedFolder {
  let stopped = false
  let reading: FileHandle | undefined
  const putOff = new Map<string, { readonly failures: number; readonly untilMs: number }>()
  const takeFile = async (name: string, before: Stats): Promise<boolean> => {
    const path = join(folder, name)
    // Opened before anything is recorded: a file that cannot be read leaves no trace but the operator's warning.
    const handle = await open(path, 'r')
    reading = handle
    let result: SubmissionResult
    try {
      result = await take(name, handle.createReadStream({ autoClose: false }))
    } finally {
      reading = undefined
      await handle.close().catch(() => {})
    }
    const after = await stat(path)
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) return false
    await put(folder, name, result)
    return true
  }
  const sweep = async (): Promise<number> => {
    const names = await readdir(folder).catch((cause: unknown) => {
      throw new Fault('platform/watched-folder', `the watched folder cannot be read: ${folder}`, {
        cause,
        retryable: true,
      })
    })
    for (const name of putOff.keys()) if (!names.includes(name)) putOff.delete(name)
    let taken = 0
    for (const name of names.sort()) {
      if (stopped) break
      const info = await stat(join(folder, name)).catch(() => undefined)
      if (!info?.isFile() || unfinished.test(name) || Date.now() - info.mtimeMs < settledMs) continue
      if ((putOff.get(name)?.untilMs ?? 0) > Date.now()) continue
      try {
        if (await takeFile(name, info)) taken += 1
        putOff.delete(name)
      } catch (error) {
        // The file stays where it is and is tried again later.
        report('platform/watched-folder', error, { file: name })
        const failures = (putOff.get(name)?.failures ?? 0) + 1
        putOff.set(name, { failures, untilMs: Date.now() + Math.min(retryMsMax, 500 * 2 ** Math.min(failures, 20)) })
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
        if (!stopped) await sleep(everySeconds * 1000, undefined, { ref: false })
      }
    },
    stop: () => {
      stopped = true
    },
    breakOff: () => {
      reading?.close().catch(() => {})
    },
  }
}

async function put(folder: string, name: string, result: SubmissionResult): Promise<void> {
  const target = join(folder, result.refused > 0 && result.refused === result.records ? 'refused' : 'taken')
  await mkdir(target, { recursive: true })
  const place = join(target, `${result.id}-${shortened(name)}`)
  await writeFile(`${place}.result.json`, `${JSON.stringify(result, null, 2)}\n`)
  await rename(join(folder, name), place)
  const handle = await open(target, 'r')
  await handle.sync().catch(() => {})
  await handle.close()
}

/** The end of a name tells more than its beginning: it holds the number and the kind. */
function shortened(name: string): string {
  let short = name
  while (Buffer.byteLength(short) > nameBytesMax) short = short.slice(1)
  return short
}
