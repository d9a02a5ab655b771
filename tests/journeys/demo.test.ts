/** What `npm start` does, from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventually } from '../builders/node.ts'

vi.setConfig({ testTimeout: 240_000 })

const program = fileURLToPath(new URL('../../bin/dostyk.mjs', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dostyk-demo-test-'))
  // So that the database's own user may enter when the tests run as root.
  await chmod(folder, 0o711)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function start(...args: readonly string[]): { child: ChildProcess; said: () => string } {
  // A group of its own, as a terminal gives to the command in front.
  const child = spawn(process.execPath, [program, 'demo', '--folder', folder, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { child, said: () => text }
}

/** Processes that know the demonstration's folder, but for those that look for them. */
async function processesOfDemo(): Promise<readonly string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const command = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '')
    if (command.includes(folder)) found.push(command.replaceAll('\0', ' '))
  }
  return found
}

async function expectNothingLeft(urls: readonly string[]): Promise<void> {
  expect(await eventually(async () => (await processesOfDemo()).length === 0, 5)).toBe(true)
  expect(await readdir(join(folder, 'postgres', 'data'))).not.toContain('postmaster.pid')
  for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed')
}

interface Account {
  readonly held: boolean
  readonly submissions: number
  readonly invariants: ReadonlyArray<{ claim: string; holds: boolean }>
  readonly accounts: ReadonlyArray<{
    node: string
    sent: Readonly<Record<string, number>>
    retried: number
    rejected: number
  }>
}

test('plays six trains, counts them, holds every invariant, ends with 0 and leaves nothing behind', async () => {
  const { child, said } = start('--once', '--json')
  const [code] = (await once(child, 'close')) as [number]
  const account = JSON.parse(said()) as Account
  expect(account.invariants.filter(({ holds }) => !holds)).toEqual([])
  expect([code, account.held]).toEqual([0, true])
  expect(account.submissions).toBeGreaterThan(90)
  expect(account.accounts.map(({ node }) => node)).toEqual(['KZ-KGD', 'CN-GACC'])
  for (const { sent, retried, rejected } of account.accounts) {
    expect(sent['DEP']).toBeGreaterThan(2)
    expect(retried).toBeGreaterThan(0)
    expect(rejected).toBe(0)
  }
  await expectNothingLeft([])
})

test('starts again with the same keys, and Ctrl-C in the middle ends it and leaves nothing behind', async () => {
  const { child, said } = start()
  const urls = (): readonly string[] => said().match(/http:\/\/127\.0\.0\.1:\d+\//g) ?? []
  expect(await eventually(async () => urls().length >= 2 && said().includes('2026-10-2'), 60)).toBe(true)
  for (const url of urls().slice(0, 2)) expect((await fetch(`${url}healthz`)).status).toBe(200)
  const closed = once(child, 'close')
  process.kill(-(child.pid ?? 0), 'SIGINT')
  await closed
  await expectNothingLeft(urls().slice(0, 2))
})
