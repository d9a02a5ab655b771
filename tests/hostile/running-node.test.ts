/**
 * A node in a process of its own, as an administration runs it, and a partner gone bad that holds all its keys. What is
 * refused is refused with a code, costs the node nothing that lasts, and neither logs nor processes tell a secret.
 */
import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FrameEntry, sealFrame, writeFrame } from '../../src/exchange/index.ts'
import { Fault } from '../../src/kernel/index.ts'
import { migrate } from '../../src/platform/db/index.ts'
import { diagnose } from '../../src/platform/doctor.ts'
import { PeerClient } from '../../src/platform/peer/index.ts'
import { prepareConfig } from '../../src/platform/running-config.ts'
import { HostileSender, type PeerAnswer } from '../builders/hostile-peer.ts'
import { startNodes, type TwoTestNodes } from '../builders/node.ts'
import { makeTlsKey } from '../builders/tls.ts'

const cli = fileURLToPath(new URL('../../src/platform/cli.ts', import.meta.url))

let two: TwoTestNodes
let china: HostileSender
beforeAll(async () => {
  two = await startNodes({ processes: true, logLevel: 'debug' })
  china = new HostileSender(two.cn, two.kz)
})
afterAll(async () => {
  china?.close()
  await two?.close()
})

/** What the node keeps that a refusal must not add to. */
async function books(): Promise<unknown> {
  const rows = await two.kz.rows(sql`select (select count(*)::int from exchange.inbound) as inbound,
    (select count(*)::int from exchange.outbound) as outbound, (select count(*)::int from exchange.part) as parts,
    (select count(*)::int from clearance.received) as received`)
  return rows[0]
}

const count = async (table: string): Promise<number> => {
  const [row] = await two.kz.rows(sql<{ count: number }>`select count(*)::int as count from ${sql.table(table)}`)
  return row?.count ?? 0
}

async function memoryMb(): Promise<number> {
  const text = await two.kz.get<string>('/metrics')
  return Number(/^process_resident_memory_bytes\S* (\d+)/m.exec(text)?.[1]) / 2 ** 20
}

async function seal(plain: Uint8Array): Promise<string> {
  const partner = (await two.cn.services.exchange.partners()).find(({ id }) => id === two.kz.id)
  const [recipient] = partner?.keyrings.live?.decrypt ?? []
  if (!recipient) throw new Error('the partner has a key to seal for')
  return await sealFrame(plain, recipient)
}

const said = ({ status, text, answer }: PeerAnswer): string => {
  if (answer) return `${answer.outcome} ${answer.results[0]?.outcome ?? ''}`.trim()
  return `${status} ${(JSON.parse(text) as { code: string }).code}`
}
const post = async (body: string): Promise<string> => said(await china.post(body))
const postFrame = async (frame: string): Promise<string> => await post(china.sign(frame))

const empty = { message: '', parts: {} }
const plainOf = (text: string) => Buffer.from(text)
const frames: ReadonlyArray<readonly [string, () => Uint8Array, string]> = [
  ['no JSON', () => plainOf('{"messages":'), 'FRAME_UNREADABLE'],
  ['4 MiB of brackets', () => Buffer.alloc(4 * 2 ** 20, '['), 'FRAME_UNREADABLE'],
  ['more than 4 MiB', () => Buffer.alloc(4 * 2 ** 20 + 1, ' '), 'FRAME_UNREADABLE'],
  ['501 messages', () => writeFrame(Array.from({ length: 501 }, () => empty)), 'FRAME_UNREADABLE'],
  ['a member twice', () => plainOf('{"messages":[],"messages":[]}'), 'FRAME_UNREADABLE'],
  ['__proto__', () => plainOf('{"messages":[{"message":"","parts":{},"__proto__":{}}]}'), 'FRAME_UNREADABLE'],
  ['1e400', () => plainOf('{"messages":[{"message":1e400,"parts":{}}]}'), 'FRAME_UNREADABLE'],
  ['half a character', () => plainOf('{"messages":[{"message":"\\ud800","parts":{}}]}'), 'FRAME_UNREADABLE'],
  ['bytes that are no UTF-8', () => Buffer.from([0x7b, 0xff, 0xfe]), 'FRAME_UNREADABLE'],
  ['a message of 4 MiB', () => writeFrame([{ message: 'x'.repeat(4 * 2 ** 20 - 100), parts: {} }]), 'OK MALFORMED'],
  ['a message of dots', () => writeFrame([{ message: '.'.repeat(4 * 2 ** 20 - 100), parts: {} }]), 'OK MALFORMED'],
  [
    'fifty thousand parts',
    () =>
      writeFrame([{ message: '', parts: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`p${i}`, ''])) }]),
    'OK MALFORMED',
  ],
]

describe('what a partner with all its keys can send', () => {
  test.each(frames)('a frame of %s is refused and leaves nothing', async (_what, plain, outcome) => {
    const before = await books()
    expect(await postFrame(await seal(plain()))).toBe(outcome)
    expect(await books()).toEqual(before)
  })

  test.each([
    ['dots', '.'.repeat(6 * 2 ** 20 - 4000), 'FRAME_UNREADABLE'],
    ['a frame that was sealed for the sender itself', undefined, 'FRAME_UNREADABLE'],
  ])('%s in place of a frame is refused', async (_what, text, outcome) => {
    const own = two.cn.services.keys.keyset('live')
    const frame =
      text ?? (JSON.parse(await china.seal([])) as { frame: string }).frame.replace(/^[^.]+/, own.split('.')[0] ?? '')
    expect(await postFrame(frame)).toBe(outcome)
  })

  test.each([
    ['nothing', '', '400 exchange/request-invalid'],
    ['an array', '[]', '400 exchange/request-invalid'],
    ['a third member', '{"request":"","frame":"","x":""}', '400 exchange/request-invalid'],
    ['a member twice', '{"request":"","frame":"","frame":""}', '400 exchange/request-invalid'],
    ['5 MiB of brackets', '['.repeat(5 * 2 ** 20), '400 exchange/request-invalid'],
    ['5 MiB of escapes', `{"request":"${'\\"'.repeat(2.5 * 2 ** 20)}`, '400 exchange/request-invalid'],
    ['6 MiB and a byte', 'x'.repeat(6 * 2 ** 20 + 1), '413 exchange/frame-too-large'],
    ['an empty request', '{"request":"","frame":""}', 'REQUEST_INVALID'],
    ['a request of dots', `{"request":"${'.'.repeat(5 * 2 ** 20)}","frame":""}`, 'REQUEST_INVALID'],
  ])('a body of %s is refused', async (_what, body, outcome) => {
    expect(await post(body)).toBe(outcome)
  })

  test('a thousand refused frames cost no memory, no rows and few lines of the record', async () => {
    const frame = await seal(writeFrame(Array.from({ length: 100 }, (): FrameEntry => empty)))
    const flood = async (requests: number): Promise<void> => {
      let left = requests
      const worker = async (): Promise<void> => {
        while (left-- > 0) expect(await postFrame(frame)).toBe('OK MALFORMED')
      }
      await Promise.all(Array.from({ length: 4 }, worker))
    }
    await flood(500)
    const before = { books: await books(), refusals: await count('exchange.refusal'), memory: await memoryMb() }
    const entries = (await two.kz.audit()).length
    await flood(500)
    expect(await books()).toEqual(before.books)
    expect(await memoryMb()).toBeLessThan(before.memory + 80)
    // An hour may have begun meanwhile, which counts anew.
    expect(await count('exchange.refusal')).toBeLessThanOrEqual(before.refusals + 1)
    expect((await two.kz.audit()).length - entries).toBeLessThanOrEqual(15)
  })

  test('a flood of large bodies leaves home systems answered and memory bounded', async () => {
    const body = china.sign('A'.repeat(6 * 2 ** 20 - 4000))
    const client = new PeerClient(two.cn.services.keys.tls)
    const pins = [two.kz.services.keys.tls.spkiSha256]
    const endpoint = `https://127.0.0.1:${two.kz.exchangePort}`
    let answered = 0
    let flooding = true
    const asking = (async () => {
      while (flooding) {
        await two.kz.get('/healthz')
        answered += 1
      }
    })()
    const statuses = await Promise.all(
      Array.from(
        { length: 40 },
        async () => (await client.post({ endpoint, pins }, '/exchange/v1/frames', body)).status,
      ),
    )
    flooding = false
    await asking
    client.close()
    // Those that were read got a signed refusal; what was too much at once was told to come again.
    expect(statuses).toContain(200)
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(answered).toBeGreaterThan(5)
    expect(await memoryMb()).toBeLessThan(900)
  })

  test('strangers who hold connections open keep no partner out', async () => {
    const stranger = new PeerClient(await makeTlsKey(), 2)
    const endpoint = `https://127.0.0.1:${two.kz.exchangePort}`
    const pins = [two.kz.services.keys.tls.spkiSha256]
    const refused = await Promise.all(
      Array.from({ length: 60 }, () =>
        stranger.post({ endpoint, pins }, '/exchange/v1/frames', '{}').then(
          ({ status }) => status,
          () => 0,
        ),
      ),
    )
    stranger.close()
    expect(refused.filter((status) => status !== 403 && status !== 0)).toEqual([])
    expect(await post('{}')).toBe('400 exchange/request-invalid')
  })
})

describe('what a node tells of itself', () => {
  /** Texts that stand in what was handed over and received, and nowhere else. */
  async function contentOf(files: readonly string[]): Promise<readonly string[]> {
    const texts = await Promise.all(
      files.map((file) => readFile(new URL(`../../samples/${file}`, import.meta.url), 'utf8')),
    )
    const found = texts.flatMap((text) => [...text.matchAll(/"(?:text|name|description|id)":\s*"([^"]{8,})"/g)])
    return [...new Set(found.map(([, text]) => text ?? ''))].filter((text) => !/^[A-Z]{4}\d{7}$|^\d{4}-/.test(text))
  }

  test('its log, at its most talkative, has no goods, names, declaration numbers or secrets', async () => {
    const files = ['trains/t1/cn-declarations.ndjson', 'trains/t1/cn-list-1.json', 'trains/t1/cn-departure.json']
    for (const file of files) await two.cn.submitFile(file)
    await two.cn.call('POST', '/api/v1/submissions', { body: '{"record":"declaration","content":{"x":"ГЕРХЕЙМНИС"}}' })
    await two.cn.call('GET', '/api/v1/declarations?declarationId=%1b%5b31mГЕРХЕЙМНИС')
    await two.cn.call('GET', '/api/v1/declarations', { token: 'dostyk_notatokenofanybody' })
    two.cut()
    await two.cn.submitFile('trains/t3/cn-declarations.ndjson')
    two.restore()
    await two.settle()
    const content = await contentOf([...files, 'trains/t3/cn-declarations.ndjson'])
    expect(content.length).toBeGreaterThan(100)
    for (const node of [two.kz, two.cn]) {
      expect(node.log.length).toBeGreaterThan(100)
      const passphrase = (await readFile(join(node.folder, 'passphrase'), 'utf8')).trim()
      const password = new URL(node.database.appUrl).password
      const secrets = [passphrase, password, node.token, 'dostyk_notatoken', 'ГЕРХЕЙМНИС', 'PRIVATE KEY', '"d":']
      expect([...content, ...secrets].filter((text) => node.log.includes(text))).toEqual([])
      expect(node.log).not.toContain('\u001b')
    }
  })

  test('its files with secrets are its owner’s alone', async () => {
    const secret = ['dostyk.json', 'passphrase', 'keys/node.private.jwe', 'keys/root.private.jwe']
    for (const file of secret) expect((await stat(join(two.kz.folder, file))).mode & 0o077).toBe(0)
    for (const folder of ['keys', 'inbox']) expect((await stat(join(two.kz.folder, folder))).mode & 0o077).toBe(0)
  })

  const password = 'S3cr3tPass'
  test.each([
    ['that nobody answers at', `postgres://user:${password}@127.0.0.1:1/db`],
    ['with an impossible port', `postgres://user:${password}@127.0.0.1:99999/db`],
    ['with a broken percent sign', `postgres://user:${password}%zz@127.0.0.1:1/db`],
    ['with a space in it', `postgres://user:${password} x@127.0.0.1:1/db`],
    ['of another kind', `mysql://user:${password}@127.0.0.1/db`],
    ['that is none', `user=x password=${password}`],
  ])('the address of a database %s is refused without its password', async (_what, url) => {
    const config = JSON.parse(await readFile(two.kz.configPath, 'utf8')) as Record<string, unknown>
    const path = join(two.kz.folder, 'elsewhere.json')
    const refusalOf = (env: NodeJS.ProcessEnv): Promise<unknown> =>
      prepareConfig(path, env)
        .then(
          ({ database }) => migrate(database.ownerUrl),
          (error: unknown) => error,
        )
        .catch((error: unknown) => error)
    for (const [database, env] of [
      [{}, { DATABASE_URL: url }],
      [{ url }, {}],
    ] as const) {
      await writeFile(path, JSON.stringify({ ...config, database }))
      const error = await refusalOf(env)
      expect(error).toBeInstanceOf(Fault)
      const { message, stack, facts } = error as Fault
      const told = JSON.stringify([message, stack, facts, await diagnose(path, env)])
      expect(told).toMatch(/platform\/[a-z-]+/)
      expect(told).not.toContain(password)
    }
  })
})

describe('what the node’s own role may do in its database', () => {
  let app: pg.Client
  beforeAll(async () => {
    app = new pg.Client({ connectionString: two.cn.database.appUrl })
    await app.connect()
    await two.cn.submitFile('trains/t1/cn-groupage.json')
    await two.cn.submitFile('trains/t1/cn-list-2.json')
    await two.settle()
  })
  afterAll(() => app?.end())
  beforeEach(() => app.query('reset all; reset role'))

  const denied =
    /permission denied|must be owner|must be able to|must be superuser|only roles|violates row-level|affected by row-level/

  test('every table with content is under forced row-level security, and shows nothing to one who does not say why', async () => {
    const { rows: tables } = await app.query<{ name: string; forced: boolean; content: boolean }>(`
      select format('%I.%I', n.nspname, c.relname) as name, c.relrowsecurity and c.relforcerowsecurity as forced,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = any(array['content', 'salt',
          'original', 'unit', 'leg', 'declaration_id', 'net_mass']) and not a.attisdropped) as content
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname in ('exchange', 'clearance')`)
    expect(tables.filter(({ content, forced }) => content && !forced).map(({ name }) => name)).toEqual([])
    const payload = tables.filter(({ forced }) => forced).map(({ name }) => name)
    expect(payload.length).toBeGreaterThan(10)
    const rowsOf = async (): Promise<number> => {
      let sum = 0
      for (const name of payload)
        sum += Number((await app.query<{ n: string }>(`select count(*) as n from ${name}`)).rows[0]?.n)
      return sum
    }
    for (const role of ['reset role', 'set role dostyk_app']) {
      await app.query(role)
      expect(await rowsOf()).toBe(0)
      await app.query("set dostyk.actor = 'somebody'")
      expect(await rowsOf()).toBe(0)
      await app.query("reset dostyk.actor; set dostyk.purpose = 'curiosity'")
      expect(await rowsOf()).toBe(0)
      await app.query('reset dostyk.purpose')
    }
    await app.query("set role dostyk_app; set dostyk.actor = 'test'; set dostyk.purpose = 'test'")
    expect(await rowsOf()).toBeGreaterThan(50)
    await app.query('set row_security = off')
    await expect(app.query('select * from clearance.leg')).rejects.toThrow(denied)
  })

  test.each([
    ['the record', 'update audit.entry set content = content'],
    ['the record', 'delete from audit.entry'],
    ['the record', 'truncate audit.entry'],
    ['the record', 'delete from audit.unnumbered'],
    ['the record', 'select * from audit.unnumbered'],
    ['the record', 'update audit.unnumbered set content = content'],
    ['approvals', 'update law.head_approval set person = person'],
    ['approvals', 'delete from law.head_approval'],
    ['approvals', 'delete from law.channel_state'],
    ['approvals', 'update law.conditions set version = version'],
    ['migrations', 'update platform.migration set sha256 = sha256'],
    ['migrations', "insert into platform.migration (number, name, sha256) values (99, 'x', 'x')"],
    ['signed messages', 'update exchange.outbound set message = message'],
    ['signed messages', 'update exchange.inbound set receipt = receipt'],
    ['signed messages', 'delete from exchange.inbound'],
    ['keys of partners', 'update exchange.partner set root_jwk = root_jwk'],
    ['keys of partners', 'update exchange.keyset set keyset = keyset'],
    ['tokens', "update access.token set scopes = array['submit']"],
    ['tokens', 'delete from access.token'],
    ['originals', "update clearance.submission_record set original = ''"],
    ['content', 'update clearance.declaration_version set content = content'],
    ['content', 'update clearance.received_version set content = content'],
    ['the guard', 'alter table clearance.leg disable row level security'],
    ['the guard', 'drop policy actor_named on clearance.leg'],
    ['the guard', 'create policy mine on clearance.leg using (true)'],
    [
      'the guard',
      'create or replace function platform.actor_present() returns boolean language sql as $$select true$$',
    ],
    ['the schema', 'create table clearance.mine (x text)'],
    ['the schema', 'create table public.mine (x text)'],
    ['the schema', 'create temp table mine (x text)'],
    ['the schema', 'create schema mine'],
    ['the schema', 'drop table clearance.leg'],
    ['the server', 'alter role dostyk_app superuser'],
    ['the server', 'create role mine superuser'],
    ['the server', "select pg_read_file('/etc/passwd')"],
    ['the server', "copy clearance.leg to program 'cat'"],
    ['the server', "select lo_import('/etc/passwd')"],
    ['the server', 'select * from pg_authid'],
    ['the server', "alter system set fsync = 'off'"],
  ])('leaves %s alone: %s', async (_what, statement) => {
    for (const role of ['reset role', 'set role dostyk_app']) {
      await app.query(`${role}; set dostyk.actor = 'test'; set dostyk.purpose = 'test'`)
      await expect(app.query(statement)).rejects.toThrow(denied)
    }
  })

  test('cannot become the owner, and owns nothing', async () => {
    const { rows } = await app.query<{ owner: string; mine: string; strong: boolean }>(`
      select pg_get_userbyid(datdba) as owner, (select count(*) from pg_class where relowner = r.oid) as mine,
        r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication as strong
      from pg_database d, pg_roles r where datname = current_database() and rolname = current_user`)
    const [{ owner, mine, strong } = { owner: '', mine: '', strong: true }] = rows
    expect([mine, strong]).toEqual(['0', false])
    await expect(app.query(`set role ${owner}`)).rejects.toThrow(denied)
    await expect(app.query('set role dostyk_superuser')).rejects.toThrow(denied)
    await expect(app.query(`set session authorization ${owner}`)).rejects.toThrow(denied)
  })

  test('cannot forge the numbered record by a function of its own in the way of a trusted one', async () => {
    await app.query("set role dostyk_app; set search_path = 'public'")
    await expect(
      app.query('create function public.sha256(bytea) returns bytea language sql as $$select $1$$'),
    ).rejects.toThrow(denied)
    const { rows } = await app.query<{ open: boolean }>(
      `select prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any(proconfig), false) as open
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace where nspname in ('audit', 'platform', 'exchange', 'clearance', 'law', 'access')`,
    )
    expect(rows.filter(({ open }) => open)).toEqual([])
  })
})

describe('what a terminal is given', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/

  test('shows signs that it would obey by their numbers, and no name as a line of its own', async () => {
    const name = 'evil\u001b]0;owned\u0007\u009b2J\u202e\nFORGED LINE.json'
    await writeFile(join(two.kz.folder, name), '{"record":"declaration","content":{}}')
    const submitted = await dostyk('submit', join(two.kz.folder, name), '--config', two.kz.configPath)
    const listed = await dostyk('list', 'problems', '--config', two.kz.configPath)
    const json = await dostyk('list', 'problems', '--json', '--config', two.kz.configPath)
    for (const output of [submitted, listed, json]) {
      expect(output).toContain('\\u001b]0;owned\\u0007')
      expect(output).not.toMatch(obeyed)
      expect(output).not.toMatch(/^\s*FORGED/m)
    }
    // In JSON it is still the same text.
    const { refused } = JSON.parse(json) as { refused: ReadonlyArray<{ fileName: string }> }
    expect(refused.map(({ fileName }) => fileName)).toContain(name)
  })
})

/** Runs one command. @returns what it said on both streams */
function dostyk(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { maxBuffer: 2 ** 24 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr.replaceAll(/^.*ExperimentalWarning.*\n.*\n/gm, '')),
    )
  })
}
