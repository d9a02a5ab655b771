/** What the operating system says of a process. Linux tells it in /proc, others through `ps`. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type pg from 'pg'

const run = promisify(execFile)
const isLinux = process.platform === 'linux'
const ticksPerSecond = 100

/** The memory a process holds now, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  if (isLinux) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout.trim()) * 1024
}

/** Processor time a process has used, in seconds; 0 where the system does not tell, or when the process is gone. */
export async function cpuSeconds(pid: number): Promise<number> {
  if (!isLinux) return 0
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond
}

/** Processor time of all live processes of a PostgreSQL server on this machine. */
export async function postgresCpuSeconds(pool: pg.Pool): Promise<ReadonlyMap<number, number>> {
  const { rows } = await pool.query<{ pid: number }>('select pid from pg_stat_activity')
  return new Map(await Promise.all(rows.map(async ({ pid }) => [pid, await cpuSeconds(pid)] as const)))
}

/** What the processes of the second look used since the first; a process that ended in between is not counted. */
export function cpuSince(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0)
}
