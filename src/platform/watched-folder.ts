/** The folder a national system or a railway drops files into: each is taken once, and what became of it lies beside. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, writeFile } from 'node:fs/promises'
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
/** A folder that cannot be read is looked at more and more seldom, down to this. */
const sweepMsMax = 60_000
/** After so long a file that another process began to take is taken to be abandoned. */
const abandonedMs = 60 * 60_000
/** What a file system takes of a name, less an id and `.result.json`. */
const nameBytesMax = 200
/** Only a file that stands in the folder itself, and never waiting for one who writes to a pipe. */
const readOnly = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const idLength = randomUUID().length

/**
 * Watches a folder by looking at it: rename-into-place and plain copying both work, on network shares too.
 *
 * A file is claimed by moving it to `taking/`, so that of several processes one reads it and a newer file of the same
 * name is another file. After its records were committed it is moved to `taken/` or `refused/`, with
 * `<name>.result.json` beside it. When the node dies in between, or the file was written to while it was read, it is
 * taken again, and what was taken before changes nothing. A file is refused as a whole only when no record of it could
 * be taken. Links and pipes are not followed: a sender hands over its own files and nothing else of this machine.
 */
export function watchFolder(
  folder: string,
  take: (fileName: string, source: AsyncIterable<Uint8Array>) => Promise<SubmissionResult>,
  report: (code: string, cause: unknown, facts: Readonly<Record<string, string>>) => void,
): WatchedFolder {
  const taking = join(folder, 'taking')
  const stopping = new AbortController()
  let first = true
  let reading: FileHandle | undefined
  /** What could not be taken yet, by its name in the folder or in `taking/`. */
  const putOff = new Map<string, { readonly failures: number; readonly untilMs: number }>()
  const waits = (name: string): boolean => (putOff.get(name)?.untilMs ?? 0) > Date.now()

  /** Reads a claimed file to its end and lays it aside. @returns false when it was written to meanwhile */
  const takeClaimed = async (claimed: string): Promise<boolean> => {
    const path = join(taking, claimed)
    // Opened before anything is recorded: a file that cannot be read leaves no trace but the operator's warning.
    const handle = await open(path, readOnly)
    reading = handle
    let result: SubmissionResult
    try {
      const before = await handle.stat()
      if (!before.isFile()) throw new Fault('platform/watched-folder', 'what lies there is no ordinary file')
      result = await take(claimed.slice(idLength + 1), handle.createReadStream({ autoClose: false }))
      const after = await handle.stat()
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
        putOff.set(claimed, { failures: 0, untilMs: Date.now() + settledMs })
        return false
      }
    } finally {
      reading = undefined
      await handle.close().catch(() => {})
    }
    await layAside(folder, path, claimed, result)
    return true
  }

  /** Does one thing with one file. When it fails, the file stays where it is and is tried again later. */
  const attempt = async <Value>(name: string, work: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work()
    } catch (error) {
      report('platform/watched-folder', error, { file: name })
      const failures = (putOff.get(name)?.failures ?? 0) + 1
      putOff.set(name, { failures, untilMs: Date.now() + Math.min(retryMsMax, 500 * 2 ** Math.min(failures, 20)) })
      return undefined
    }
  }

  /** Moves a file that is ready to `taking/`. @returns its name there, or undefined when it is not to be taken now */
  const claim = async (raw: Buffer, name: string): Promise<string | undefined> => {
    const path = Buffer.concat([Buffer.from(join(folder, '/')), raw])
    const info = await lstat(path).catch(() => undefined)
    if (!info || info.isDirectory() || unfinished.test(name)) return undefined
    if (!info.isFile()) throw new Fault('platform/watched-folder', 'what lies there is no ordinary file')
    if (Date.now() - info.mtimeMs < settledMs) return undefined
    const claimed = `${randomUUID()}-${shortened(name)}`
    return await rename(path, join(taking, claimed)).then(
      () => claimed,
      (error: NodeJS.ErrnoException) => {
        // Another process of this node was quicker.
        if (error.code === 'ENOENT') return undefined
        throw error
      },
    )
  }

  const sweep = async (): Promise<number> => {
    // Seen to before anything is read: what can be taken can be laid aside.
    for (const own of ['taking', 'taken', 'refused']) await ensureFolder(join(folder, own))
    const names = await readdir(folder, { encoding: 'buffer' }).catch(cannotBeRead(folder))
    const begun = await readdir(taking).catch(cannotBeRead(taking))
    const here = new Set([...names.map(String), ...begun])
    for (const name of putOff.keys()) if (!here.has(name)) putOff.delete(name)
    let taken = 0
    const finish = async (claimed: string): Promise<void> => {
      if (!(await attempt(claimed, () => takeClaimed(claimed)))) return
      putOff.delete(claimed)
      taken += 1
    }
    for (const claimed of begun.sort()) {
      if (stopping.signal.aborted) break
      if (waits(claimed)) continue
      const mine = first || putOff.has(claimed)
      const info = await lstat(join(taking, claimed)).catch(() => undefined)
      if (info && (mine || Date.now() - info.ctimeMs > abandonedMs)) await finish(claimed)
    }
    first = false
    for (const raw of names.sort(Buffer.compare)) {
      const name = raw.toString()
      if (stopping.signal.aborted) break
      if (waits(name)) continue
      const claimed = await attempt(name, () => claim(raw, name))
      if (claimed) await finish(claimed)
    }
    return taken
  }
  return {
    sweep,
    run: async (everySeconds) => {
      for (let failures = 0; !stopping.signal.aborted; ) {
        failures = await sweep().then(
          () => 0,
          (error: unknown) => {
            report('platform/watched-folder', error, {})
            return failures + 1
          },
        )
        const pauseMs = Math.min(sweepMsMax, everySeconds * 1000 * 2 ** failures)
        await sleep(pauseMs, undefined, { ref: false, signal: stopping.signal }).catch(() => {})
      }
    },
    stop: () => {
      stopping.abort()
    },
    breakOff: () => {
      reading?.close().catch(() => {})
    },
  }
}

const cannotBeRead =
  (folder: string) =>
  (cause: unknown): never => {
    throw new Fault('platform/watched-folder', `the watched folder cannot be read: ${folder}`, {
      cause,
      retryable: true,
    })
  }

/** Makes a folder of ours, and takes no link that stands in its place. */
async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
  if (!(await lstat(path)).isDirectory())
    throw new Fault('platform/watched-folder', `what stands at ${path} is no folder`)
}

async function layAside(folder: string, path: string, claimed: string, result: SubmissionResult): Promise<void> {
  const target = join(folder, result.refused > 0 && result.refused === result.records ? 'refused' : 'taken')
  const place = join(target, `${result.id}${claimed.slice(idLength)}`)
  await writeFile(`${place}.result.json`, `${JSON.stringify(result, null, 2)}\n`, { flag: 'wx' })
  await rename(path, place)
  const handle = await open(target, 'r')
  await handle.sync().catch(() => {})
  await handle.close()
}

/**
 * A name as ours may be: without signs that a terminal or a script obeys, and short enough. The end of a name tells more
 * than its beginning: it holds the number and the kind.
 */
function shortened(name: string): string {
  let short = name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu, '_')
  while (Buffer.byteLength(short) > nameBytesMax) short = short.slice(1)
  return short.toWellFormed()
}
