/** Two nodes on this machine, set up as two administrations would set theirs up, each in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AdministrationId, assert, Fault } from '../../kernel/index.ts'
import { readConfig } from '../config/index.ts'
import { type Database, migrate, openDatabase, withActor } from '../db/index.ts'
import { createToken, revokeToken, scopes } from '../identity/tokens.ts'
import { initialiseNode } from '../init.ts'
import { openKeys } from '../keys/index.ts'
import { openNode } from '../node.ts'
import { type RunningEmbeddedPostgres, startEmbeddedPostgres } from '../postgres/index.ts'
import { type CuttableLink, openLink } from './cuttable-link.ts'
import { introduce, must, setupActor } from './introduce.ts'

export interface DemoNode {
  readonly id: AdministrationId
  readonly pid: number
  readonly configPath: string
  readonly httpUrl: string
  readonly token: string
  /** For reading what is in its books, to check them. */
  readonly db: Database
}

export interface TwoNodes {
  readonly nodes: readonly [DemoNode, DemoNode]
  cutLink(): void
  restoreLink(): void
  /** How many bytes the line between them has carried, in both directions together. */
  carriedBytes(): number
  /** Resolves when a node has ended without being told to. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

const sides = [
  { id: 'KZ-KGD', country: 'KZ', zone: 'Asia/Almaty', folder: 'kz', database: 'dostyk_kz' },
  { id: 'CN-GACC', country: 'CN', zone: 'Asia/Shanghai', folder: 'cn', database: 'dostyk_cn' },
] as const
type Side = (typeof sides)[number]

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))

/**
 * Starts both nodes on one embedded PostgreSQL with a database each, on free ports, with generated keys and sample
 * approvals of the Technical Conditions. The books start empty; keys are kept from start to start.
 */
export async function startTwoNodes(folder: string, retry: { min: number; max: number }): Promise<TwoNodes> {
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const closers: Array<() => Promise<void>> = []
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close().catch(() => {})
  }
  try {
    const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
    closers.push(() => postgres.stop())
    const ports = new Map<string, number>()
    const links = new Map<string, CuttableLink>()
    for (const side of sides) {
      const link = await openLink(() => ports.get(side.id) ?? 0)
      links.set(side.id, link)
      closers.push(() => link.close())
    }
    const prepared = []
    for (const side of sides)
      prepared.push(await prepareSide(folder, side, links.get(side.id)?.port ?? 0, postgres, retry))
    const [first, second] = prepared
    assert(first && second, 'there are two sides')
    await introduce(first.services, second.services)
    await introduce(second.services, first.services)
    const nodes: DemoNode[] = []
    const children: ChildProcess[] = []
    for (const { side, configPath, services, token, db } of prepared) {
      const { child, httpUrl, exchangePort } = await startProcess(configPath)
      ports.set(side.id, exchangePort)
      children.push(child)
      closers.push(() => db.close())
      closers.push(() => endProcess(child))
      nodes.push({ id: services.me, pid: child.pid ?? 0, configPath, httpUrl, token, db })
    }
    const [a, b] = nodes
    assert(a && b, 'there are two nodes')
    const ended = Promise.race(
      children.map(
        (child, index) => new Promise<string>((resolve) => child.once('exit', () => resolve(nodes[index]?.id ?? ''))),
      ),
    )
    return {
      nodes: [a, b],
      cutLink: () => {
        for (const link of links.values()) link.cut()
      },
      restoreLink: () => {
        for (const link of links.values()) link.restore()
      },
      carriedBytes: () => [...links.values()].reduce((sum, link) => sum + link.carriedBytes(), 0),
      ended,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The folder of one side: made at the first start, its books emptied at every start. */
async function prepareSide(
  folder: string,
  side: Side,
  linkPort: number,
  postgres: RunningEmbeddedPostgres,
  retry: { min: number; max: number },
) {
  const nodeFolder = join(folder, side.folder)
  const configPath = join(nodeFolder, 'dostyk.json')
  const publicUrl = `https://127.0.0.1:${linkPort}`
  const embedded = { folder: '../postgres', database: side.database }
  const config = await readConfig(configPath).catch(() => undefined)
  const passphrase = config && (await readFile(join(nodeFolder, 'passphrase'), 'utf8').catch(() => '')).trim()
  const keys = passphrase
    ? await openKeys({ folder: join(nodeFolder, 'keys'), passphrase }).catch(() => undefined)
    : undefined
  const usable = keys && Date.parse(keys.keysetExpiresAt('live')) > Date.now() + 86_400_000
  if (!usable) {
    await rm(nodeFolder, { recursive: true, force: true })
    await initialiseNode({
      folder: nodeFolder,
      administration: side.id,
      zone: side.zone,
      httpPort: 0,
      exchangePort: 0,
      exchangeHost: '127.0.0.1',
      publicUrl,
      embedded,
      retry,
      logLevel: 'warn',
      now: new Date(),
    })
  }
  const text = JSON.parse(await readFile(configPath, 'utf8')) as { exchange: { publicUrl: string } }
  text.exchange.publicUrl = publicUrl
  await writeFile(configPath, `${JSON.stringify(text, null, 2)}\n`, { mode: 0o600 })
  await postgres.dropDatabase(side.database)
  const urls = await postgres.createDatabase(side.database)
  await migrate(urls.ownerUrl)
  const db = openDatabase({ url: urls.appUrl, max: 4 })
  const services = await openNode(
    await readConfig(configPath),
    db,
    (await readFile(join(nodeFolder, 'passphrase'), 'utf8')).trim(),
  )
  const token = await withActor(db, { actor: setupActor, purpose: 'administration' }, async (tx) => {
    await revokeToken(tx, 'national-system', setupActor)
    return await createToken(
      tx,
      { name: 'national-system', scopes: Object.keys(scopes), requestsPerMinute: 100_000 },
      setupActor,
    )
  })
  return { side, configPath, services, token: must(token).secret, db }
}

export async function startProcess(
  configPath: string,
): Promise<{ child: ChildProcess; httpUrl: string; exchangePort: number }> {
  const child = fork(cli, ['serve', '--config', configPath], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Ctrl-C reaches us alone; the nodes are stopped in order.
    detached: process.platform !== 'win32',
  })
  return await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve({ child, ...(message as { httpUrl: string; exchangePort: number }) }))
    child.once('exit', (code) =>
      reject(new Fault('platform/node-ended', `a node ended while starting (exit code ${code})`)),
    )
  })
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(force)
}
