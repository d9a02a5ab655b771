import { createHmac, randomBytes } from 'node:crypto'
import { chown, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { assert, Fault } from '../../kernel/index.ts'
import { endPostmaster, findPostmaster, type StartedServer, startPostmaster } from './postmaster.ts'
import {
  chooseUser,
  makeFolder,
  type OrdinaryUser,
  type Program,
  prepareHome,
  prepareProgram,
  runProgram,
} from './program.ts'

export interface EmbeddedPostgresOptions {
  /** Everything the server has stands here (or, for root below a closed folder, in /var/lib/dostyk). */
  readonly folder: string
  /** A TCP port on the loopback, 0 for a free one. Without it a Unix socket is used where the path allows. */
  readonly port?: number
  /** Server settings on top of ours. Durability cannot be turned off. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface DatabaseUrls {
  readonly ownerUrl: string
  readonly appUrl: string
}

export interface EmbeddedPostgres {
  /** The login that owns the database's tables and migrates them. */
  ownerUrlFor(database: string): string
  /** The login that the node works with: a member of dostyk_app, owner of nothing. */
  appUrlFor(database: string): string
  /**
   * Makes a database with its two logins; one that exists is left as it is.
   *
   * @param from.template another database to copy, whose two logins the copy shares
   */
  createDatabase(database: string, from?: { readonly template: string }): Promise<DatabaseUrls>
  dropDatabase(database: string): Promise<void>
}

export interface RunningEmbeddedPostgres extends EmbeddedPostgres {
  readonly pid: number
  /** Ends the server; everything committed stays. May be called twice. */
  stop(): Promise<void>
  /** Ends the server and deletes all it kept: for what was made to be thrown away. */
  remove(): Promise<void>
}

const MAJOR_VERSION = '18'
const SUPERUSER = 'dostyk_superuser'
/** `dostyk` is taken: its login would be called as the role dostyk_app. The others are PostgreSQL's own. */
const DATABASE_NAME = /^(?!(dostyk|postgres|template[01])$)[a-z][a-z0-9_]{0,40}$/
/** The shortest limit on a socket's path among systems is 104 bytes with its closing zero. */
const SOCKET_PATH_BYTES_MAX = 103
/** Held by whoever uses the server, so that a second user is told and an orphan is recognised. */
const USER_LOCK = 7_305_443_001

const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }

const defaults = {
  max_connections: '200',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The server's log must not repeat statements or the values of rows.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  jit: 'off',
}

interface Place {
  readonly host: string
  readonly port: number
}

class Access implements EmbeddedPostgres {
  private readonly secret: string
  private readonly place: Place

  constructor(secret: string, place: Place) {
    this.secret = secret
    this.place = place
  }

  /** Every password follows from one secret, so nothing has to be stored or read back per database. */
  private password(login: string): string {
    return createHmac('sha256', this.secret).update(login).digest('base64url')
  }

  private url(login: string, database: string): string {
    const { host, port } = this.place
    const at = host.startsWith('/') ? `localhost:${port}` : `${host}:${port}`
    const socket = host.startsWith('/') ? `?host=${encodeURIComponent(host)}` : ''
    return `postgres://${login}:${this.password(login)}@${at}/${database}${socket}`
  }

  superuserUrlFor(database: string): string {
    return this.url(SUPERUSER, database)
  }

  superuserPassword(): string {
    return this.password(SUPERUSER)
  }

  ownerUrlFor(database: string): string {
    return this.url(`${database}_owner`, database)
  }

  appUrlFor(database: string): string {
    return this.url(`${database}_app`, database)
  }

  async createDatabase(database: string, from?: { readonly template: string }): Promise<DatabaseUrls> {
    assert(DATABASE_NAME.test(database), 'a database name is lower-case letters, digits and _, and none that is taken')
    const logins = from?.template ?? database
    const owner = `${logins}_owner`
    const app = `${logins}_app`
    await this.asSuperuser(async (client) => {
      const exists = await client.query('select from pg_database where datname = $1', [database])
      if (exists.rowCount) return
      if (from === undefined) {
        await makeRole(client, 'dostyk_app', 'nologin')
        await makeRole(client, owner, `login password ${pg.escapeLiteral(this.password(owner))}`)
        await makeRole(client, app, `login password ${pg.escapeLiteral(this.password(app))}`)
        await client.query(`grant dostyk_app to ${app}`)
      }
      await client.query(`create database ${database} owner ${owner} template ${from?.template ?? 'template0'}`)
      await client.query(`revoke connect, temporary on database ${database} from public`)
      await client.query(`grant connect on database ${database} to ${app}`)
    })
    return { ownerUrl: this.url(owner, database), appUrl: this.url(app, database) }
  }

  async dropDatabase(database: string): Promise<void> {
    assert(DATABASE_NAME.test(database), 'a database name is lower-case letters, digits and _, and none that is taken')
    await this.asSuperuser(async (client) => {
      await client.query(`drop database if exists ${database} with (force)`)
      await client.query(`drop role if exists ${database}_owner`)
      await client.query(`drop role if exists ${database}_app`)
    })
  }

  private async asSuperuser(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: this.superuserUrlFor('postgres') })
    client.on('error', () => {})
    await client.connect()
    try {
      await work(client)
    } finally {
      await client.end()
    }
  }
}

async function makeRole(client: pg.Client, name: string, options: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name])
  if (!rowCount) await client.query(`create role ${name} ${options}`)
}

/** The secret that every password of the server follows from, made once and kept readable to us alone. */
async function readSecret(home: string, dataExists: boolean): Promise<string> {
  const file = join(home, 'secret')
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept) return kept.trim()
  if (dataExists)
    throw new Fault(
      'platform/postgres-secret-lost',
      `The file ${file} is gone, and with it the way into the database beside it. Restore it from a backup.`,
      { facts: { file } },
    )
  const secret = randomBytes(32).toString('base64url')
  await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' })
  return secret
}

async function initialise(
  home: string,
  data: string,
  program: Program,
  user: OrdinaryUser | undefined,
  password: string,
) {
  const draft = `${data}.${process.pid}`
  const passwordFile = `${draft}.password`
  await rm(draft, { recursive: true, force: true })
  await makeFolder(draft, user)
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user) await chown(passwordFile, user.uid, user.gid)
  const { code, output } = await runProgram(
    program.initdb,
    [
      ...['-D', draft, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
      ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums'],
    ],
    user,
  )
  await rm(passwordFile, { force: true })
  if (code !== 0) {
    await rm(draft, { recursive: true, force: true })
    throw new Fault('platform/postgres-init-failed', `The database folder could not be made: ${output.trim()}`, {
      facts: { folder: home },
    })
  }
  // Whoever comes second finds the folder taken and uses the first one's.
  await rename(draft, data).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true, force: true })
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}

async function checkVersion(data: string): Promise<void> {
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  if (version === MAJOR_VERSION) return
  throw new Fault(
    'platform/postgres-version',
    `The folder ${data} was made by PostgreSQL ${version}, and this is PostgreSQL ${MAJOR_VERSION}. ` +
      'Move the data over with the tools of PostgreSQL, or start with an empty folder.',
    { facts: { folder: data, found: version, needed: MAJOR_VERSION } },
  )
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** A socket needs no port of the machine and no other user can open its folder; TCP is for where it cannot be. */
async function choosePlace(home: string, port: number | undefined, user: OrdinaryUser | undefined): Promise<Place> {
  const socketFolder = join(home, 'socket')
  const socketPath = join(socketFolder, '.s.PGSQL.5432')
  if (port === undefined && process.platform !== 'win32' && Buffer.byteLength(socketPath) <= SOCKET_PATH_BYTES_MAX) {
    await makeFolder(socketFolder, user)
    return { host: socketFolder, port: 5432 }
  }
  return { host: '127.0.0.1', port: port || (await freePort()) }
}

/** Takes the lock that says "in use" for as long as this session lives. */
async function takeUserLock(access: Access): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    connectionString: access.superuserUrlFor('postgres'),
    application_name: 'dostyk owner',
  })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query('select pg_try_advisory_lock($1) as taken', [USER_LOCK])
  if (rows[0].taken === true) return client
  await client.end()
  return undefined
}

function inUse(folder: string): Fault {
  return new Fault(
    'platform/postgres-in-use',
    `Another Dostyk process is running the database in ${folder}. Stop it first, or use another folder.`,
    { facts: { folder } },
  )
}

/** Ends a server that outlived its owner; refuses when the owner is alive. */
async function endOrphan(
  folder: string,
  secret: string,
  data: string,
  program: Program,
  user: OrdinaryUser | undefined,
): Promise<void> {
  const found = await findPostmaster(data)
  if (found === undefined) return
  if (found.ready) {
    const access = new Access(secret, {
      host: found.socketFolder === '' ? '127.0.0.1' : found.socketFolder,
      port: found.port,
    })
    const lock = await takeUserLock(access).catch(() => 'unreachable' as const)
    if (lock === undefined) throw inUse(folder)
    if (lock !== 'unreachable') await lock.end()
  }
  await endPostmaster(program, data, found.pid, user)
}

/**
 * Starts the PostgreSQL that npm brought, on a folder of its own.
 *
 * Why: somebody with a bare machine gets a real, durable database without installing one. The server runs as an
 * ordinary user even when we are root, listens on a Unix socket where it can, asks for passwords, ends when this
 * process ends in whatever way, and a server that an earlier run left behind is ended first.
 *
 * @throws Fault `platform/postgres-*`; `platform/postgres-in-use` when another live process owns the folder
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<RunningEmbeddedPostgres> {
  const folder = resolve(options.folder)
  const firstUser = await chooseUser(join(folder, 'data'))
  const home = await prepareHome(folder, firstUser)
  const data = join(home, 'data')
  const user = home === folder ? firstUser : await chooseUser(data)
  const dataExists = await stat(data).then(
    () => true,
    () => false,
  )
  const program = await prepareProgram(home, user)
  const secret = await readSecret(home, dataExists)
  if (dataExists) {
    await checkVersion(data)
    await endOrphan(folder, secret, data, program, user)
  } else {
    const password = new Access(secret, { host: '', port: 0 }).superuserPassword()
    await initialise(home, data, program, user, password)
  }
  const place = await choosePlace(home, options.port, user)
  const access = new Access(secret, place)
  const settings = {
    ...defaults,
    ...options.settings,
    ...durable,
    listen_addresses: place.host.startsWith('/') ? '' : place.host,
    unix_socket_directories: place.host.startsWith('/') ? place.host : '',
    unix_socket_permissions: '0700',
    port: String(place.port),
  }
  const server = await startPostmaster(program, data, settings, join(home, 'server.log'), user)
  const lock = await takeUserLock(access)
  if (lock === undefined) throw inUse(folder)
  return keepRunning(access, server, lock, home, () => endPostmaster(program, data, server.pid, user))
}

function keepRunning(
  access: Access,
  server: StartedServer,
  firstLock: pg.Client,
  home: string,
  end: () => Promise<void>,
): RunningEmbeddedPostgres {
  let lock: pg.Client | undefined = firstLock
  let stopping: Promise<void> | undefined
  const keepLock = (client: pg.Client) => {
    client.once('end', async () => {
      lock = undefined
      while (stopping === undefined && lock === undefined) {
        await sleep(1000, undefined, { ref: false })
        lock = await takeUserLock(access).catch(() => undefined)
      }
      if (lock) keepLock(lock)
    })
  }
  keepLock(firstLock)
  const endAtExit = () => {
    try {
      process.kill(server.pid, 'SIGINT')
    } catch {}
  }
  process.once('exit', endAtExit)
  const stop = async () => {
    await lock?.end().catch(() => {})
    await end()
    process.off('exit', endAtExit)
    server.leash?.stdin?.end('free\n')
  }
  return {
    pid: server.pid,
    ownerUrlFor: (database) => access.ownerUrlFor(database),
    appUrlFor: (database) => access.appUrlFor(database),
    createDatabase: (database, from) => access.createDatabase(database, from),
    dropDatabase: (database) => access.dropDatabase(database),
    stop: () => {
      stopping ??= stop()
      return stopping
    },
    remove: async () => {
      stopping ??= stop()
      await stopping
      await rm(home, { recursive: true, force: true })
    },
  }
}

/**
 * Finds the embedded server that another process runs on a folder, so that a command can work beside it.
 *
 * @returns undefined when none is running there
 */
export async function findEmbeddedPostgres(options: {
  readonly folder: string
}): Promise<EmbeddedPostgres | undefined> {
  const folder = resolve(options.folder)
  const user = await chooseUser(join(folder, 'data'))
  const home = await prepareHome(folder, user)
  const data = join(home, 'data')
  const secret = await readFile(join(home, 'secret'), 'utf8').catch(() => undefined)
  const found = await findPostmaster(data)
  if (!secret || !found?.ready) return undefined
  return new Access(secret.trim(), {
    host: found.socketFolder === '' ? '127.0.0.1' : found.socketFolder,
    port: found.port,
  })
}
