import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type EmbeddedPostgres,
  findEmbeddedPostgres,
  type RunningEmbeddedPostgres,
  startEmbeddedPostgres,
} from './embedded.ts'
import { startPostmaster } from './postmaster.ts'
import { chooseUser, prepareProgram } from './program.ts'

const isRoot = process.getuid?.() === 0
let parent: string
let folder: string
const running: RunningEmbeddedPostgres[] = []
const children: ChildProcess[] = []

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'dostyk-pg-'))
  await chmod(parent, 0o755)
  folder = join(parent, 'pg')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const server of running.splice(0)) await server.stop()
  await rm(parent, { recursive: true, force: true })
})

async function start(options: { port?: number; settings?: Record<string, string>; at?: string } = {}) {
  const { at, ...others } = options
  const server = await startEmbeddedPostgres({ folder: at ?? folder, ...others })
  running.push(server)
  return server
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function waitUntilGone(pid: number): Promise<void> {
  for (let waitedMs = 0; isAlive(pid) && waitedMs < 20_000; waitedMs += 20) await sleep(20)
}

const program = fileURLToPath(new URL('../../../tests/builders/postgres-process.ts', import.meta.url))

async function startInChild(user: { uid?: number; gid?: number } = {}): Promise<{
  child: ChildProcess
  pid: number
  appUrl: string
}> {
  const child = fork(program, [folder], { execArgv: [], stdio: 'pipe', cwd: '/', ...user })
  children.push(child)
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve({ child, ...(message as { pid: number; appUrl: string }) }))
    child.once('exit', () => reject(new Error(errors)))
  })
}

const makeAndRead = async (server: EmbeddedPostgres) => {
  const { ownerUrl } = await server.createDatabase('kz')
  await query(ownerUrl, 'create table if not exists kept (id integer)')
  await query(ownerUrl, 'insert into kept values (1)')
  return query(ownerUrl, 'select count(*)::integer as kept from kept')
}

describe('the embedded server', () => {
  test('keeps what was committed from one start to the next', async () => {
    const first = await start()
    expect(await makeAndRead(first)).toEqual([{ kept: 1 }])
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)
    const second = await start()
    expect(await makeAndRead(second)).toEqual([{ kept: 2 }])
  })

  test('listens on the loopback where the path is too long for a socket, or where a port is asked for', async () => {
    const deep = join(parent, 'a'.repeat(100), 'pg')
    const byPath = await start({ at: deep })
    const { appUrl } = await byPath.createDatabase('kz')
    expect(new URL(appUrl).hostname).toBe('127.0.0.1')
    expect(await query(appUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    const byPort = await start({ port: 0 })
    expect(new URL(byPort.appUrlFor('kz')).hostname).toBe('127.0.0.1')
  })
})

describe('a running server', () => {
  let sharedFolder: string
  let shared: RunningEmbeddedPostgres
  let count = 0
  const nextName = () => {
    count += 1
    return `db${count}`
  }
  beforeAll(async () => {
    sharedFolder = await mkdtemp(join(tmpdir(), 'dostyk-pg-'))
    const settings = { fsync: 'off', synchronous_commit: 'off', max_connections: '50' }
    await chmod(sharedFolder, 0o755)
    shared = await startEmbeddedPostgres({ folder: sharedFolder, settings })
  })
  afterAll(async () => {
    await shared.stop()
    await rm(sharedFolder, { recursive: true, force: true })
  })

  test('is durable whatever the settings say, in UTF-8 with code point order and Unicode letters', async () => {
    const { appUrl } = await shared.createDatabase(nextName())
    const shown = await query(
      appUrl,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
         current_setting('full_page_writes') as pages, current_setting('max_connections') as connections,
         current_setting('server_encoding') as encoding, upper('қазақ') as upper,
         (select datlocale from pg_database where datname = current_database()) as locale`,
    )
    expect(shown).toEqual([
      {
        fsync: 'on',
        commit: 'on',
        pages: 'on',
        connections: '50',
        encoding: 'UTF8',
        upper: 'ҚАЗАҚ',
        locale: 'C.UTF-8',
      },
    ])
  })

  test('lets no login in without its password, nor into the database of another', async () => {
    const kz = await shared.createDatabase(nextName())
    await shared.createDatabase('cn')
    const wrong = new URL(kz.appUrl)
    wrong.password = 'wrong'
    await expect(query(wrong.toString(), 'select 1')).rejects.toMatchObject({ code: '28P01' })
    const elsewhere = new URL(kz.appUrl)
    elsewhere.pathname = '/cn'
    await expect(query(elsewhere.toString(), 'select 1')).rejects.toMatchObject({ code: '42501' })
  })

  test('gives the login of the node no ownership and no way past row-level security', async () => {
    const { appUrl, ownerUrl } = await shared.createDatabase(nextName())
    const rights =
      'select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user'
    const none = [{ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false }]
    expect(await query(appUrl, rights)).toEqual(none)
    expect(await query(ownerUrl, rights)).toEqual(none)
    await expect(query(appUrl, 'create schema mine')).rejects.toMatchObject({ code: '42501' })
  })

  test('keeps its secret to itself', async () => {
    expect((await stat(join(sharedFolder, 'secret'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(sharedFolder, 'data'))).mode & 0o777).toBe(0o700)
  })

  test('writes neither statements nor values of rows to its log', async () => {
    const { ownerUrl } = await shared.createDatabase(nextName())
    await query(ownerUrl, 'create table person (name text primary key)')
    await query(ownerUrl, "insert into person values ('Aigul')")
    await expect(query(ownerUrl, "insert into person values ('Aigul')")).rejects.toMatchObject({ code: '23505' })
    const log = await readFile(join(sharedFolder, 'server.log'), 'utf8')
    expect(log).toContain('duplicate key')
    expect(log).not.toContain('Aigul')
  })

  test('copies a database for tests, with the logins of the first', async () => {
    const { ownerUrl } = await shared.createDatabase('original')
    await query(ownerUrl, 'create table kept as select 7 as seven')
    const copy = await shared.createDatabase('copy', { template: 'original' })
    expect(await query(copy.ownerUrl, 'select seven from kept')).toEqual([{ seven: 7 }])
    await shared.dropDatabase('copy')
    await expect(query(copy.ownerUrl, 'select 1')).rejects.toMatchObject({ code: '3D000' })
  })
})

describe('a second user of the folder', () => {
  test('is refused while the first lives, and may join it', async () => {
    const first = await start()
    await makeAndRead(first)
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({ code: 'platform/postgres-in-use' })
    const joined = await findEmbeddedPostgres({ folder })
    expect(joined && (await makeAndRead(joined))).toEqual([{ kept: 2 }])
  })

  test('finds nothing to join when none runs', async () => {
    expect(await findEmbeddedPostgres({ folder })).toBeUndefined()
    const first = await start()
    await first.stop()
    expect(await findEmbeddedPostgres({ folder })).toBeUndefined()
  })
})

describe('after a crash', () => {
  test('nothing is left of a server whose owner was killed without notice', async () => {
    const { child, pid } = await startInChild()
    child.kill('SIGKILL')
    await waitUntilGone(pid)
    expect(isAlive(pid)).toBe(false)
    expect(await makeAndRead(await start())).toEqual([{ kept: 1 }])
  })

  test('a server that nobody owns is ended and another started', async () => {
    const first = await start()
    await makeAndRead(first)
    await first.stop()
    const data = join(folder, 'data')
    const user = await chooseUser(data)
    const orphan = await startPostmaster(
      await prepareProgram(folder, user),
      data,
      { listen_addresses: '', unix_socket_directories: join(folder, 'socket') },
      join(folder, 'server.log'),
      user,
    )
    const second = await start()
    expect(isAlive(orphan.pid)).toBe(false)
    expect(await makeAndRead(second)).toEqual([{ kept: 2 }])
  })

  test('a killed server recovers what was committed', async () => {
    const first = await start()
    await makeAndRead(first)
    process.kill(first.pid, 'SIGKILL')
    await waitUntilGone(first.pid)
    expect(await makeAndRead(await start())).toEqual([{ kept: 2 }])
  })

  test('a pid file that now names another process keeps nobody out', async () => {
    const first = await start()
    await first.stop()
    await writeFile(join(folder, 'data', 'postmaster.pid'), `${process.pid}\n${join(folder, 'data')}\n0\n5432\n`)
    expect(await makeAndRead(await start())).toEqual([{ kept: 1 }])
  })

  test('drafts of a start that broke off do no harm', async () => {
    await mkdir(join(folder, 'data.1'), { recursive: true })
    expect(await makeAndRead(await start())).toEqual([{ kept: 1 }])
  })
})

describe('refuses', () => {
  test('a folder of another version of PostgreSQL', async () => {
    const first = await start()
    await first.stop()
    await writeFile(join(folder, 'data', 'PG_VERSION'), '17\n')
    await expect(start()).rejects.toMatchObject({ code: 'platform/postgres-version', facts: { found: '17' } })
  })

  test('a folder whose secret is gone, instead of making another that opens nothing', async () => {
    const first = await start()
    await first.stop()
    await rm(join(folder, 'secret'))
    await expect(start()).rejects.toMatchObject({ code: 'platform/postgres-secret-lost' })
  })

  test('a setting that the server does not know, and says what the server said', async () => {
    const wrong = start({ settings: { no_such_setting: '1' } })
    await expect(wrong).rejects.toMatchObject({ code: 'platform/postgres-start-failed' })
    await expect(wrong).rejects.toThrow('no_such_setting')
  })
})

describe.runIf(isRoot && process.platform === 'linux')('started by root', () => {
  test('runs as an ordinary user', async () => {
    const { pid } = await start()
    const uid = /^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
    expect(Number(uid)).toBeGreaterThan(0)
  })

  test('runs where an ordinary user may not enter the folder asked for', async () => {
    const closed = join(parent, 'closed')
    await mkdir(closed, { mode: 0o700 })
    folder = join(closed, 'pg')
    const home = join('/var/lib/dostyk', createHash('sha256').update(folder).digest('hex').slice(0, 16))
    try {
      const server = await start()
      expect(await makeAndRead(server)).toEqual([{ kept: 1 }])
      expect(await readdir(home)).toContain('data')
      expect(await findEmbeddedPostgres({ folder })).toBeDefined()
      await server.stop()
      expect(await makeAndRead(await start())).toEqual([{ kept: 2 }])
    } finally {
      for (const server of running.splice(0)) await server.remove()
    }
    expect(await stat(home).catch(() => 'gone')).toBe('gone')
  })

  test('runs for an ordinary user just as well', async () => {
    await chmod(parent, 0o777)
    const { child, pid, appUrl } = await startInChild({ uid: 65_534, gid: 65_534 })
    expect(await query(appUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    child.send('stop')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(isAlive(pid)).toBe(false)
  })
})
