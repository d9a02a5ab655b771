/**
 * Real nodes for tests: their own databases and keys, real HTTP for home systems and real mutual TLS between them, over
 * a line that a test can cut. They run in this process or, where a test kills them, in processes of their own.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type RawBuilder, sql } from 'kysely'
import pg from 'pg'
import { feedStart, numberEntries, type RecordedEvent, readEvents } from '../../src/audit/index.ts'
import type { RecordResult, SubmissionResult } from '../../src/clearance/index.ts'
import { type Config, readConfig } from '../../src/platform/config/index.ts'
import { type Database, withActor } from '../../src/platform/db/index.ts'
import { agreeConditions, approveEachOther, must, openChannel } from '../../src/platform/demo/introduce.ts'
import { createToken, scopes } from '../../src/platform/identity/tokens.ts'
import { initialiseNode } from '../../src/platform/init.ts'
import { type NodeServices, openNode } from '../../src/platform/node.ts'
import { startNode } from '../../src/platform/server.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { type Line, openLine } from './line.ts'

const cli = fileURLToPath(new URL('../../src/platform/cli.ts', import.meta.url))
const node24 = process.execPath

/** How far two administrations have come when a test begins. */
export type Stage = 'strangers' | 'approved' | 'agreed' | 'test' | 'production'
const stages: readonly Stage[] = ['strangers', 'approved', 'agreed', 'test', 'production']

export interface NodeOptions {
  readonly stage?: Stage
  /** Whether the nodes run in processes of their own, so that they can be killed. */
  readonly processes?: boolean
  readonly retry?: { readonly min: number; readonly max: number }
  readonly logLevel?: Config['log']['level']
}

/** What a home system sees of an answer. */
export interface HttpAnswer<Body> {
  readonly status: number
  readonly body: Body
}

export interface RunningPart {
  readonly httpUrl: string
  readonly exchangePort: number
  stop(): Promise<void>
  kill(): Promise<void>
  /** What a process wrote to its log. */
  readonly log: () => string
}

/** One administration's node as a test drives it. */
export class JourneyNode {
  readonly folder: string
  readonly configPath: string
  /** What the command line stands on: the same database and keys, without servers. */
  readonly services: NodeServices
  readonly database: TestDatabase
  readonly token: string
  /** The line on which the partner reaches this node. */
  readonly line: Line
  private readonly options: NodeOptions
  private running: RunningPart | undefined

  constructor(
    made: Pick<JourneyNode, 'folder' | 'configPath' | 'services' | 'database' | 'token' | 'line'>,
    options: NodeOptions,
  ) {
    this.folder = made.folder
    this.configPath = made.configPath
    this.services = made.services
    this.database = made.database
    this.token = made.token
    this.line = made.line
    this.options = options
  }

  get id(): string {
    return this.services.me
  }

  get db(): Database {
    return this.database.database
  }

  get httpUrl(): string {
    return this.part().httpUrl
  }

  get exchangePort(): number {
    return this.running?.exchangePort ?? 0
  }

  get log(): string {
    return this.part().log()
  }

  private part(): RunningPart {
    if (!this.running) throw new Error(`${this.id} is not running`)
    return this.running
  }

  async start(): Promise<void> {
    this.running = this.options.processes ? await startProcess(this.configPath) : await startHere(this)
  }

  /** Ends in order, as an operator ends a node. */
  async stop(): Promise<void> {
    await this.running?.stop()
    this.running = undefined
  }

  /** Ends at once, as a power cut ends a node; only with `processes`. */
  async kill(): Promise<void> {
    await this.part().kill()
    this.running = undefined
  }

  /** Another process of the same node on the same database, on ports of its own. */
  async startSecond(): Promise<RunningPart> {
    return this.options.processes ? await startProcess(this.configPath) : await startHere(this)
  }

  async call<Body>(method: 'GET' | 'POST', path: string, options: CallOptions = {}): Promise<HttpAnswer<Body>> {
    const { body, json, token = this.token, headers } = options
    const response = await fetch(new URL(path, options.at ?? this.httpUrl), {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/octet-stream' }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : text) as Body }
  }

  /** Asks and expects an answer that is no refusal. */
  async get<Body>(path: string, options: CallOptions = {}): Promise<Body> {
    const { status, body } = await this.call<Body>('GET', path, options)
    if (status !== 200) throw new Error(`${this.id} answered ${status} to ${path}: ${JSON.stringify(body)}`)
    return body
  }

  async post<Body>(path: string, json?: unknown, options: CallOptions = {}): Promise<Body> {
    const { status, body } = await this.call<Body>('POST', path, { ...(json !== undefined && { json }), ...options })
    if (status !== 200) throw new Error(`${this.id} answered ${status} to ${path}: ${JSON.stringify(body)}`)
    return body
  }

  /** Hands records over as our own JSON, as the national system or the railway does. */
  async submit(...records: readonly HomeRecordToSubmit[]): Promise<SubmissionResult> {
    const lines = records.map((each) => JSON.stringify(each)).join('\n')
    return await this.post<SubmissionResult>('/api/v1/submissions?fileName=test.ndjson', undefined, { body: lines })
  }

  /** Hands one record over and expects it to be taken. */
  async take(record: HomeRecordToSubmit): Promise<RecordResult> {
    const { results } = await this.submit(record)
    const [only] = results
    if (!only || only.outcome === 'refused') throw new Error(`${this.id} refused: ${JSON.stringify(only)}`)
    return only
  }

  /** Hands a sample over over HTTP. */
  async submitFile(path: string): Promise<SubmissionResult> {
    const body = await readFile(fileURLToPath(new URL(`../../samples/${path}`, import.meta.url)))
    const name = encodeURIComponent(path.split('/').at(-1) ?? path)
    return await this.post<SubmissionResult>(`/api/v1/submissions?fileName=${name}`, undefined, { body })
  }

  /** Looks into the books of this node. */
  async rows<Row>(query: RawBuilder<Row>): Promise<readonly Row[]> {
    return await withActor(this.db, { actor: 'test', purpose: 'test' }, async (tx) => (await query.execute(tx)).rows)
  }

  /** Message ids and digests of one direction: what both ledgers must agree about. */
  async ledger(direction: 'outbound' | 'inbound', mode = 'live'): Promise<ReadonlyMap<string, string>> {
    const rows = await this.rows(
      sql<{
        id: string
        digest: string
      }>`select id, digest from ${sql.table(`exchange.${direction}`)} where mode = ${mode}`,
    )
    return new Map(rows.map(({ id, digest }) => [id, digest]))
  }

  /** Everything on the audit record of this node. */
  async audit(): Promise<readonly RecordedEvent[]> {
    // Undefined while the node itself is at it.
    while ((await numberEntries(this.db, 10_000)) !== 0) await sleep(10)
    const range = { after: feedStart, limit: 1_000_000 }
    const read = await withActor(this.db, { actor: 'test', purpose: 'test' }, async (tx) => {
      const events: RecordedEvent[] = []
      for (let page = await readEvents(tx, range); ; page = await readEvents(tx, { ...range, after: page.next })) {
        events.push(...page.events)
        if (!page.more) return events
      }
    })
    return read
  }

  /** Every place in the whole database, seen as its superuser, that holds the text: table and column. */
  async placesOf(text: string): Promise<readonly string[]> {
    return await placesOf(this.database.ownerUrl, text)
  }
}

export interface CallOptions {
  readonly body?: string | Uint8Array
  readonly json?: unknown
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Another process of this node. */
  readonly at?: string
}

export interface HomeRecordToSubmit {
  readonly record: string
  readonly content: unknown
}

export interface TwoTestNodes {
  readonly kz: JourneyNode
  readonly cn: JourneyNode
  /** Cuts both directions. */
  cut(): void
  restore(): void
  /** Waits until every message has its receipt and every answer is home, in both modes. */
  settle(seconds?: number): Promise<void>
  close(): Promise<void>
}

const sides = [
  { id: 'KZ-KGD', zone: 'Asia/Almaty' },
  { id: 'CN-GACC', zone: 'Asia/Shanghai' },
] as const

/** Starts both nodes of a test, as far introduced to each other as it wants. Close them when the test ends. */
export async function startNodes(options: NodeOptions = {}): Promise<TwoTestNodes> {
  const folder = await mkdtemp(join(tmpdir(), 'dostyk-nodes-'))
  const nodes: JourneyNode[] = []
  const closers: Array<() => Promise<unknown>> = [() => rm(folder, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const prepared = sides.map(async (side) => {
      const database = await createTestDatabase()
      closers.push(() => database.drop())
      const line = await openLine(() => nodes.find(({ id }) => id === side.id)?.exchangePort ?? 0)
      closers.push(() => line.close())
      return await prepareNode(join(folder, side.id), side, line, database, options)
    })
    nodes.push(...(await Promise.all(prepared)))
    const [kz, cn] = nodes
    if (!kz || !cn) throw new Error('there are two sides')
    await introduceUpTo(kz.services, cn.services, options.stage ?? 'production')
    await introduceUpTo(cn.services, kz.services, options.stage ?? 'production')
    await Promise.all([kz.start(), cn.start()])
    return {
      kz,
      cn,
      cut: () => {
        for (const { line } of nodes) line.cut()
      },
      restore: () => {
        for (const { line } of nodes) line.restore()
      },
      settle: (seconds = 30) => settle(nodes, seconds),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function introduceUpTo(home: NodeServices, other: NodeServices, stage: Stage): Promise<void> {
  const reached = (wanted: Stage): boolean => stages.indexOf(stage) >= stages.indexOf(wanted)
  if (reached('approved')) await approveEachOther(home, other)
  if (reached('agreed')) await agreeConditions(home, other)
  if (reached('test')) await openChannel(home, other, 'test')
  if (reached('production')) await openChannel(home, other, 'production')
}

async function prepareNode(
  folder: string,
  side: (typeof sides)[number],
  line: Line,
  database: TestDatabase,
  options: NodeOptions,
): Promise<JourneyNode> {
  const { configPath } = await initialiseNode({
    folder,
    administration: side.id,
    zone: side.zone,
    httpPort: 0,
    exchangePort: 0,
    exchangeHost: '127.0.0.1',
    publicUrl: `https://127.0.0.1:${line.port}`,
    retry: options.retry ?? { min: 0.1, max: 0.4 },
    logLevel: options.logLevel ?? 'silent',
    now: new Date(),
  })
  const config = JSON.parse(await readFile(configPath, 'utf8')) as Record<string, unknown>
  const { appUrl: url, ownerUrl } = database
  await writeFile(configPath, JSON.stringify({ ...config, database: { url, ownerUrl } }))
  const passphrase = (await readFile(join(folder, 'passphrase'), 'utf8')).trim()
  const services = await openNode(await readConfig(configPath), database.database, passphrase)
  const token = await withActor(database.database, { actor: 'test', purpose: 'administration' }, async (tx) =>
    createToken(tx, { name: 'test', scopes: Object.keys(scopes), requestsPerMinute: 1_000_000 }, 'test'),
  )
  return new JourneyNode({ folder, configPath, services, database, token: must(token).secret, line }, options)
}

async function startHere(node: JourneyNode): Promise<RunningPart> {
  const passphrase = (await readFile(join(node.folder, 'passphrase'), 'utf8')).trim()
  const { appUrl: url, ownerUrl } = node.database
  const running = await startNode({
    config: await readConfig(node.configPath),
    database: { url, ownerUrl },
    passphrase,
  })
  return {
    httpUrl: running.httpUrl,
    exchangePort: running.exchangePort,
    stop: () => running.close(),
    kill: () => Promise.reject(new Error('a node inside the test cannot be killed')),
    log: () => '',
  }
}

async function startProcess(configPath: string): Promise<RunningPart> {
  const child = fork(cli, ['serve', '--config', configPath], {
    execPath: node24,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // A node that is started again and again in one test is compiled once.
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(configPath), '..', 'compiled') },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
    })
  const first = await Promise.race([
    once(child, 'message').then(([message]) => message as { httpUrl: string; exchangePort: number }),
    once(child, 'exit').then(([code]) => Number(code)),
  ])
  if (typeof first === 'number') throw new Error(`a node ended while starting (exit code ${first}): ${log}`)
  return {
    ...first,
    log: () => log,
    stop: () => endChild(child, 'SIGTERM'),
    kill: () => endChild(child, 'SIGKILL'),
  }
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/** Waits until a condition holds. */
export async function eventually(holds: () => Promise<boolean>, seconds = 15): Promise<boolean> {
  const until = Date.now() + seconds * 1000
  for (;;) {
    if (await holds()) return true
    if (Date.now() > until) return false
    await sleep(25)
  }
}

async function settle(nodes: readonly JourneyNode[], seconds: number): Promise<void> {
  const open = async (): Promise<readonly number[]> =>
    await Promise.all(
      nodes.map(async (node) => {
        const [row] = await node.rows(
          sql<{ open: number }>`select count(*)::int as open from exchange.outbound
            where state in ('queued', 'waiting') or (state = 'received' and answer is null
              and type not in ('ACCEPTED', 'REJECTED', 'USED', 'SKIP'))`,
        )
        return row?.open ?? 0
      }),
    )
  const settled = await eventually(async () => (await open()).every((count) => count === 0), seconds)
  if (!settled) throw new Error(`messages are still on their way after ${seconds} s: ${(await open()).join(' and ')}`)
}

async function placesOf(ownerUrl: string, text: string): Promise<readonly string[]> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    // Row-level security holds the owner too; this search must see everything.
    await owner.query(`set dostyk.actor = 'test'; set dostyk.purpose = 'test'`)
    const tables = await owner.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'm') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`,
    )
    const found = new Set<string>()
    for (const { name } of tables.rows)
      for (const row of (await owner.query<Record<string, unknown>>(`select * from ${name}`)).rows)
        for (const [column, value] of Object.entries(row))
          if (textsOf(value).some((each) => each.includes(text))) found.add(`${name}.${column}`)
    return [...found]
  } finally {
    await owner.end()
  }
}

/** A value as every text that it could be read as: bytes as UTF-8, JSON as written, a signed object by its payload. */
function textsOf(value: unknown): readonly string[] {
  if (value === null || value === undefined) return []
  if (Buffer.isBuffer(value)) return textsOf(value.toString('utf8'))
  if (typeof value !== 'string') return [JSON.stringify(value)]
  const segments = /^[\w-]+(\.[\w-]+){2,}$/.test(value) ? value.split('.') : []
  return [value, ...segments.map((segment) => Buffer.from(segment, 'base64url').toString('utf8'))]
}
