/** Two nodes set up by hand, as a stranger would who has the program, its help, and two folders. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { SubmissionResult } from '../../src/clearance/index.ts'
import { makeProgram } from '../../src/platform/cli/program.ts'
import { eventually } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { declaration, newNumber } from './journey.ts'

vi.setConfig({ testTimeout: 180_000 })

const program = fileURLToPath(new URL('../../bin/dostyk.mjs', import.meta.url))
const sample = (name: string): string => fileURLToPath(new URL(`../../samples/${name}`, import.meta.url))

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

let folder: string
const servers = new Map<string, ChildProcess>()

/** Without the tester's own settings; what was compiled once is compiled once for all these calls. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  LC_ALL: 'en',
  DOSTYK_CONFIG: undefined,
  NODE_COMPILE_CACHE: join(folder, 'compiled'),
})

async function dostyk(...args: readonly string[]): Promise<Ran> {
  return await run(args, {})
}

async function run(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv }): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...environment(), ...options.env },
  })
  child.stdin.end(options.input ?? '')
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

/** Runs a command that must do what it says, and reads what it printed for programs. */
async function json<Value>(...args: readonly string[]): Promise<Value> {
  const { code, out, err } = await dostyk(...args, '--json')
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, ''])
  return JSON.parse(out) as Value
}

const at = (node: string): readonly string[] => ['--config', join(node, 'dostyk.json')]

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts `dostyk serve` and waits until it says where it listens. */
async function serve(node: string): Promise<void> {
  const child = spawn(process.execPath, [program, 'serve', ...at(node)], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  servers.set(node, child)
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ready = await eventually(async () => said.includes('exchange on port') || child.exitCode !== null, 60)
  if (!ready || child.exitCode !== null) throw new Error(`${node} does not serve: ${said}`)
}

async function stop(node: string): Promise<number | null> {
  const child = servers.get(node)
  servers.delete(node)
  if (!child || child.exitCode !== null) return child?.exitCode ?? null
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const [code] = (await closed) as [number | null]
  return code
}

const cards = new Map<string, string>()
const httpPorts = new Map<string, number>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dostyk-hand-'))
  // So that the database's own user may enter when the tests run as root.
  await chmod(folder, 0o711)
})
afterAll(async () => {
  await Promise.all([...servers.keys()].map(stop))
  await rm(folder, { recursive: true, force: true })
})

describe('the help', () => {
  test('says of every command what it does, of every option what it means, and names the exit codes', async () => {
    const check = (command: Command): void => {
      const name = [command.parent?.name(), command.name()].filter(Boolean).join(' ')
      expect([name, command.description().length > 15]).toEqual([name, true])
      for (const option of command.options)
        expect([name, option.flags, option.description !== '']).toEqual([name, option.flags, true])
      expect(command.helpInformation()).toContain(`Usage: dostyk`)
      for (const child of command.commands) check(child)
    }
    const dostykCommand = makeProgram()
    check(dostykCommand)
    const names = dostykCommand.commands.map((command) => command.name())
    for (const wanted of [
      'demo',
      'init',
      'serve',
      'doctor',
      'submit',
      'list',
      'show',
      'resend',
      'partner',
      'conditions',
    ])
      expect(names).toContain(wanted)
    const reporting = dostykCommand.commands.find((command) => command.name() === 'list')?.commands ?? []
    for (const list of reporting) expect(list.options.map(({ long }) => long)).toContain('--json')
    const { code, out, err } = await dostyk('conditions', 'approve', '--help')
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('Usage: dostyk conditions approve')
    expect((await dostyk('--help')).out).toMatch(/Exit codes:\n {2}0 {2}done/)
  })

  test('stands behind every wrong call: exit code 2 and a sentence', async () => {
    const wrong = [['nonsense'], ['channel', 'ajar', '--reason', 'x'], ['resend', 'x', '--reason', 'y']]
    for (const [index, { code, out, err }] of (await Promise.all(wrong.map((args) => dostyk(...args)))).entries()) {
      expect([wrong[index], code, out]).toEqual([wrong[index], 2, ''])
      expect(err.length).toBeGreaterThan(20)
      expect(err).not.toContain('    at ')
    }
  })
})

test('a configuration that is missing or wrong is named with its place: exit code 78', async () => {
  await writeFile(join(folder, 'bad.json'), '{"administration": 1, "databas": {}}')
  await writeFile(join(folder, 'cut.json'), '{"administration":')
  for (const [config, code] of [
    ['none.json', 'platform/config-missing'],
    ['bad.json', 'platform/config-invalid'],
    ['cut.json', 'platform/config-unreadable'],
  ] as const) {
    const ran = await dostyk('list', 'trains', '--config', config)
    expect([config, ran.code, ran.out]).toEqual([config, 78, ''])
    expect(ran.err).toContain(code)
    expect(ran.err).not.toContain('    at ')
  }
})

describe('two folders', () => {
  test('are made by init, each with its keys and its card, and nothing is ever overwritten', async () => {
    for (const [node, administration, zone] of [
      ['kz', 'KZ-KGD', 'Asia/Almaty'],
      ['cn', 'CN-GACC', 'Asia/Shanghai'],
    ] as const) {
      const [http, exchange] = [await freePort(), await freePort()]
      httpPorts.set(node, http)
      const args = [
        '--administration',
        administration,
        '--zone',
        zone,
        '--public-url',
        `https://127.0.0.1:${exchange}`,
        '--http-port',
        String(http),
        '--exchange-port',
        String(exchange),
      ]
      const made = await json<{ cardPath: string; fingerprint: string }>('init', node, ...args)
      cards.set(node, made.cardPath)
      expect(made.fingerprint).toMatch(/^([0-9a-f]{4} ){15}[0-9a-f]{4}$/)
      const keys = await readdir(join(folder, node, 'keys'))
      for (const key of keys.filter((each) => each.includes('private')))
        expect(await readFile(join(folder, node, 'keys', key), 'utf8')).toMatch(/^eyJ[\w-]+(\.[\w-]+){4}$/)
      const again = await dostyk('init', node, ...args)
      expect([again.code > 0, again.err.includes('platform/folder-not-empty')]).toEqual([true, true])
    }
  })

  test('serve from configurations alone', async () => {
    await Promise.all([serve('kz'), serve('cn')])
    for (const node of ['kz', 'cn'])
      expect((await fetch(`http://127.0.0.1:${httpPorts.get(node)}/readyz`)).status).toBe(200)
  })

  clause('STOP-2021/1.2-r3', 'know each other only after two officers compared the fingerprint', async () => {
    for (const [node, other, id] of [
      ['kz', 'cn', 'CN-GACC'],
      ['cn', 'kz', 'KZ-KGD'],
    ] as const) {
      const added = await dostyk('partner', 'add', cards.get(other) ?? '', ...at(node))
      expect([added.code, added.out.includes('not approved yet')]).toEqual([0, true])
      const { fingerprint } = JSON.parse(await readFile(join(folder, other, 'keys', 'root.public.json'), 'utf8')) as {
        fingerprint: string
      }
      const approve = (...rest: readonly string[]) => dostyk('partner', 'approve', id, ...at(node), ...rest)
      if (node === 'kz') {
        const wrong = await approve('--fingerprint', 'ab'.repeat(32), '--officer', 'A', '--officer', 'B')
        expect([wrong.code, wrong.err.includes('exchange/fingerprint-differs')]).toEqual([1, true])
        const alone = await approve('--fingerprint', fingerprint, '--officer', 'A', '--officer', 'A')
        expect([alone.code, alone.err.includes('exchange/two-persons-needed')]).toEqual([1, true])
      }
      expect((await approve('--fingerprint', fingerprint, '--officer', 'A', '--officer', 'B')).code).toBe(0)
      expect(await json('partner', 'list', ...at(node))).toMatchObject([
        { id, state: 'approved', channel: 'closed', open: false },
      ])
    }
    const rubbish = await dostyk('partner', 'add', sample('timeline.json'), ...at('kz'))
    expect([rubbish.code, rubbish.err.includes('exchange/card-invalid')]).toEqual([1, true])
  })

  clause(
    ['STOP-2021/2.4-r2', 'STOP-2021/4-r3', 'STOP-2021/4-r4'],
    'open production only when everything is agreed, approved and opened by two',
    async () => {
      interface Conditions {
        readonly state: string
        readonly versions: ReadonlyArray<{ version: string; bodyDigest: string; stage: string }>
        readonly opening: { ok: boolean; value?: string }
      }
      const today = new Date().toISOString().slice(0, 10)
      const open = async (node: string, refusals: boolean): Promise<void> => {
        const say = (line: string): Promise<Ran> => dostyk(...line.split(' '), ...at(node))
        const expectDone = async (line: string): Promise<void> =>
          expect([line, (await say(line)).code]).toEqual([line, 0])
        const expectRefused = async (line: string, code: string): Promise<void> => {
          if (!refusals) return
          const { code: exit, err } = await say(line)
          expect([line, exit, err.includes(code)]).toEqual([line, 1, true])
        }
        const list = (): Promise<Conditions> => json<Conditions>('conditions', 'list', ...at(node))
        const [draft] = (await list()).versions
        expect(draft).toMatchObject({ version: '1.0', stage: 'draft' })
        const approve = (side: string, digest = draft?.bodyDigest): string =>
          `conditions approve --side ${side} --person Head --post Head --on ${today} --digest ${digest}`
        const production = (digest: string | undefined, persons: readonly string[]): string =>
          `channel production --reason order --digest ${digest} --person ${persons.join(' --person ')}`
        await expectDone('channel test --reason order')
        await expectRefused(production('x', ['A', 'B']), 'law/working-group-missing')
        await expectDone(`conditions agree --all --reference minutes --on ${today}`)
        await expectRefused(approve('KZ', 'another-digest'), 'law/approval-digest-differs')
        await expectDone(approve('KZ'))
        await expectRefused(production('x', ['A', 'B']), 'law/approval-missing')
        await expectDone(approve('CN'))
        const { opening } = await list()
        await expectRefused(production(opening.value, ['A', 'A']), 'law/second-person-missing')
        await expectDone(production(opening.value, ['A', 'B']))
        expect(await list()).toMatchObject({ state: 'production', versions: [{ stage: 'in-force' }] })
      }
      await Promise.all([open('kz', true), open('cn', false)])
    },
  )

  test('exchange what is submitted at the terminal, and list and show what became of it', async () => {
    const [submitted] = await json<readonly SubmissionResult[]>(
      'submit',
      sample('trains/t6/kz-release-whisky.ncts.xml'),
      ...at('kz'),
    )
    expect(submitted).toMatchObject({ taken: 1, refused: 0, mode: 'live' })
    const bad = await dostyk('submit', sample('broken/one-bad-line.ndjson'), ...at('kz'))
    expect([bad.code, bad.out.includes('intake/json-syntax')]).toEqual([1, true])
    const piped = await run(['submit', '-', ...at('kz'), '--json'], { input: JSON.stringify(declaration(newNumber())) })
    expect([piped.code, piped.err]).toEqual([0, ''])
    const missing = await dostyk('submit', 'nowhere.json', ...at('kz'))
    expect([missing.code, missing.err.includes('platform/file-unreadable')]).toEqual([69, true])

    const mine = await json<ReadonlyArray<{ declarationId: string; outcome: string; key: string }>>(
      'list',
      'clearances',
      ...at('kz'),
    )
    expect(mine.find(({ declarationId }) => declarationId === '26DE330200A1B2C3M9')).toMatchObject({
      outcome: 'eligible',
    })
    const arrived = () =>
      json<ReadonlyArray<{ declarationId: string }>>('list', 'clearances', '--received', ...at('cn'))
    expect(await eventually(async () => (await arrived()).length === 1, 30)).toBe(true)
    const messages = await json<ReadonlyArray<{ id: string; type: string; answer: string | null }>>(
      'list',
      'messages',
      '--direction',
      'out',
      ...at('kz'),
    )
    expect(messages.map(({ type }) => type)).toEqual(['TRN-CLR'])
    expect(await json('show', messages[0]?.id ?? '', ...at('kz'))).toMatchObject({
      kind: 'message',
      value: { answer: 'accepted' },
    })
    expect(await json('show', '26DE330200A1B2C3M9', ...at('kz'))).toMatchObject({ kind: 'declaration' })
    expect(await json('list', 'trains', ...at('kz'))).toEqual([])
    expect(await json('list', 'problems', ...at('kz'))).toMatchObject({ held: [], parked: [], defective: [] })
    for (const list of ['trains', 'clearances', 'messages', 'problems'])
      expect((await dostyk('list', list, ...at('kz'))).code).toBe(0)
    const unknown = await dostyk('show', '00000000-0000-4000-8000-000000000000', ...at('kz'))
    expect([unknown.code, unknown.err.includes('platform/id-unknown')]).toEqual([1, true])
    for (const act of ['resend', 'skip']) {
      const refused = await dostyk(act, messages[0]?.id ?? '', '--reason', 'test', ...at('kz'))
      expect([refused.code, refused.err.includes('exchange/message-not-parked')]).toEqual([1, true])
    }
  })

  test('give tokens that work as far as their scopes and until they are revoked', async () => {
    const made = await dostyk('token', 'create', 'national', '--scope', 'read', ...at('kz'))
    expect(made.out.trim()).toMatch(/^dostyk_[\w-]{43}$/)
    const ask = async (path: string, method = 'GET'): Promise<number> =>
      (
        await fetch(`http://127.0.0.1:${httpPorts.get('kz')}${path}`, {
          method,
          headers: { authorization: `Bearer ${made.out.trim()}` },
        })
      ).status
    expect(await ask('/api/v1/declarations')).toBe(200)
    expect(await ask('/api/v1/submissions', 'POST')).toBe(403)
    expect((await dostyk('token', 'create', 'national', '--scope', 'read', ...at('kz'))).code).toBe(1)
    expect((await dostyk('token', 'create', 'other', '--scope', 'everything', ...at('kz'))).code).toBe(1)
    expect(JSON.stringify(await json('token', 'list', ...at('kz')))).not.toContain(made.out.trim())
    expect((await dostyk('token', 'revoke', 'national', ...at('kz'))).code).toBe(0)
    expect(await ask('/api/v1/declarations')).toBe(401)
  })

  test('are examined by the doctor, which finds what is wrong', async () => {
    const well = await dostyk('doctor', ...at('kz'))
    expect([well.code, well.out.includes('ok      reach CN-GACC')]).toEqual([0, true])
    expect(await stop('cn')).toBe(0)
    const ill = await dostyk('doctor', ...at('kz'), '--json')
    expect(ill.code).toBe(1)
    expect(JSON.parse(ill.out) as unknown).toEqual(
      expect.arrayContaining([expect.objectContaining({ check: 'reach CN-GACC', state: 'failed' })]),
    )
  })

  test('can be used without a server, by the environment instead of --config, and leave no process behind', async () => {
    expect(await stop('kz')).toBe(0)
    const listed = await run(['list', 'clearances', '--json'], { env: { DOSTYK_CONFIG: join('kz', 'dostyk.json') } })
    expect([listed.code, listed.err]).toEqual([0, ''])
    expect(JSON.parse(listed.out) as unknown[]).toHaveLength(4)
    for (const node of ['kz', 'cn'])
      expect(await readdir(join(folder, node, 'postgres', 'data'))).not.toContain('postmaster.pid')
  })
})
