/** One server process: its start, its end, and what an earlier run may have left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../../kernel/index.ts'
import { type OrdinaryUser, type Program, programEnvironment, runProgram } from './program.ts'

const STOP_SECONDS_MAX = 60
const START_SECONDS_MAX = 120

/** What `postmaster.pid` says about the server that uses a data folder. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly socketFolder: string
  readonly ready: boolean
}

export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const [pid, , , port, socketFolder, , , state] = text.split('\n')
  if (!pid || !Number.isInteger(Number(pid))) return undefined
  return {
    pid: Math.abs(Number(pid)),
    port: Number(port ?? 0),
    socketFolder: socketFolder ?? '',
    ready: state?.trim() === 'ready',
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether the process with this id is a PostgreSQL server of this data folder, and not a later one with the same id. */
async function isServerOf(data: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform === 'win32') return true
  const commandLine =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : (await runProgram('ps', ['-o', 'command=', '-p', String(pid)], undefined)).output
  return commandLine.includes('postgres') && commandLine.includes(data)
}

/** The server that really runs on a data folder; a file left by one that is gone is removed. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const found = await readPostmaster(data)
  if (found === undefined) return undefined
  if (await isServerOf(data, found.pid)) return found
  await rm(join(data, 'postmaster.pid'), { force: true })
  return undefined
}

/** Ends a server in order (sessions are cut, everything committed is on disk) and waits until it is gone. */
export async function endPostmaster(
  program: Program,
  data: string,
  pid: number,
  user: OrdinaryUser | undefined,
): Promise<void> {
  const kill = async (mode: 'fast' | 'immediate') => {
    if (process.platform === 'win32') {
      await runProgram(program.pgCtl, ['stop', '-W', '-D', data, '-m', mode], user)
      return
    }
    try {
      process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  await kill('fast')
  const waitStepMs = 5
  for (let waitedMs = 0; isAlive(pid); waitedMs += waitStepMs) {
    if (waitedMs === STOP_SECONDS_MAX * 1000) await kill('immediate')
    if (waitedMs >= 2 * STOP_SECONDS_MAX * 1000)
      throw new Fault('platform/postgres-will-not-stop', `The PostgreSQL server ${pid} does not end.`, {
        facts: { pid },
      })
    await sleep(waitStepMs)
  }
}

export interface StartedServer {
  readonly pid: number
  /** Resolves when the process is gone, whoever ended it. */
  readonly ended: Promise<void>
  /** Lets the server live no longer than this process, even if this one is killed without notice. */
  readonly leash: ChildProcess | undefined
}

/** The end of the server's own log, where it says why it would not start. */
async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-5).join('\n')
}

/**
 * Holds a pipe open to a small process in a session of its own. When this process goes, for whatever reason, the pipe
 * closes and the small process ends the server. A terminal's Ctrl-C reaches neither.
 */
function leashTo(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const leash = spawn('/bin/sh', ['-c', `read -r line; [ "$line" = free ] || kill -INT ${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  })
  leash.on('error', () => {})
  leash.stdin.on('error', () => {})
  leash.unref()
  ;(leash.stdin as unknown as { unref?: () => void }).unref?.()
  return leash
}

/** Starts the server and waits until it accepts connections. */
export async function startPostmaster(
  program: Program,
  data: string,
  settings: Readonly<Record<string, string>>,
  logFile: string,
  user: OrdinaryUser | undefined,
): Promise<StartedServer> {
  const log = await open(logFile, 'w', 0o600)
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const child = spawn(program.postgres, args, {
    ...user,
    cwd: data,
    env: programEnvironment(),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => {})
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await log.close()
  child.unref()
  const waitStepMs = 5
  for (let waitedMs = 0; ; waitedMs += waitStepMs) {
    const found = await readPostmaster(data)
    if (found?.pid === child.pid && found?.ready) break
    const outcome = await Promise.race([
      sleep(waitStepMs, 'waiting' as const),
      ended.then(() => 'ended' as const),
      failed.catch((error: Error) => error),
    ])
    if (outcome !== 'waiting' || waitedMs > START_SECONDS_MAX * 1000) {
      if (outcome === 'waiting') child.kill('SIGQUIT')
      throw new Fault('platform/postgres-start-failed', `PostgreSQL did not start: ${await lastWords(logFile)}`, {
        cause: outcome instanceof Error ? outcome : undefined,
        facts: { folder: data },
      })
    }
  }
  const pid = child.pid as number
  return { pid, ended, leash: leashTo(pid) }
}
