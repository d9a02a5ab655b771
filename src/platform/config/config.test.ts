import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, parseConfig, readConfig } from './index.ts'

const valid: Config = {
  administration: { id: 'KZ-KGD', country: 'KZ', zone: 'Asia/Almaty' },
  database: { embedded: { folder: 'postgres' } },
  http: { host: '127.0.0.1', port: 0 },
  exchange: { host: '0.0.0.0', port: 8443, publicUrl: 'https://dostyk.example.kz:8443' },
  keys: { folder: 'keys', passphraseFile: 'passphrase' },
  intake: { watchedFolder: 'inbox' },
  log: { level: 'info' },
}

const parse = (value: unknown) => parseConfig(JSON.stringify(value))
const problemsOf = (value: unknown) => {
  const decision = parse(value)
  return decision.ok || decision.refusal.code !== 'platform/config-invalid' ? [] : decision.refusal.problems
}

describe('parseConfig', () => {
  test('admits a configuration as it stands, and one without what is optional', () => {
    expect(parse(valid)).toEqual({ ok: true, value: valid })
    const least = { ...valid, database: {}, keys: { folder: 'keys' }, intake: {} }
    expect(parse(least)).toEqual({ ok: true, value: least })
  })

  test('admits fractions of seconds as written', () => {
    const exchange = { ...valid.exchange, retryDelaySecondsMin: 0.5, retryDelaySecondsMax: 1 }
    expect(parse({ ...valid, exchange })).toMatchObject({ ok: true, value: { exchange } })
  })

  test('names the member that is missing, and where', () => {
    const { id: _, ...administration } = valid.administration
    expect(problemsOf({ ...valid, administration })).toEqual([
      { pointer: '/administration', rule: 'required', member: 'id' },
    ])
  })

  test('names an unknown member and the known one it is most like', () => {
    expect(problemsOf({ ...valid, keys: { folder: 'k', passfraseFile: 'p' } })).toEqual([
      { pointer: '/keys', rule: 'additionalProperties', member: 'passfraseFile', nearest: 'passphraseFile' },
    ])
    expect(problemsOf({ ...valid, something: 1 })).toEqual([
      { pointer: '', rule: 'additionalProperties', member: 'something' },
    ])
  })

  test('lists every problem at once', () => {
    const wrong = { ...valid, http: { host: '', port: 70_000 }, log: { level: 'loud' } }
    expect(problemsOf(wrong).map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/http/host', '/http/port', '/log/level']),
    )
  })

  test.each([
    [
      'a partner address without TLS',
      { exchange: { ...valid.exchange, publicUrl: 'http://a' } },
      '/exchange/publicUrl',
    ],
    [
      'a country that is not the administration’s',
      { administration: { ...valid.administration, country: 'CN' } },
      '/administration/country',
    ],
    [
      'a zone that is none',
      { administration: { ...valid.administration, zone: 'Asia/Nowhere' } },
      '/administration/zone',
    ],
    ['a text as port', { http: { host: 'a', port: '80' } }, '/http/port'],
    ['another kind of database', { database: { url: 'mysql://a' } }, '/database/url'],
    [
      'a database name that is taken',
      { database: { embedded: { folder: 'a', database: 'dostyk' } } },
      '/database/embedded/database',
    ],
    [
      'a longest delay under the shortest',
      { exchange: { ...valid.exchange, retryDelaySecondsMin: 10, retryDelaySecondsMax: 5 } },
      '/exchange/retryDelaySecondsMax',
    ],
  ])('refuses %s', (_, change, pointer) => {
    expect(problemsOf({ ...valid, ...change }).map((problem) => problem.pointer)).toContain(pointer)
  })

  test('refuses the same member twice, and says in which line the text breaks off', () => {
    expect(parseConfig('{"log": {"level": "info", "level": "info"}}')).toMatchObject({
      ok: false,
      refusal: { code: 'platform/config-unreadable', reason: 'json/duplicate-key', line: 1 },
    })
    expect(parseConfig('{\n  "log": {\n')).toMatchObject({
      ok: false,
      refusal: { code: 'platform/config-unreadable', reason: 'json/syntax', line: 3 },
    })
  })

  test('answers any text and any JSON with a decision', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseConfig(text)).toHaveProperty('ok', false)
      }),
    )
  })

  test('answers any value in any place with a decision, and refuses with a pointer', () => {
    const places = Object.keys(valid) as (keyof Config)[]
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
        const decision = parse({ ...valid, [place]: value })
        const found = decision.ok ? [] : problemsOf({ ...valid, [place]: value })
        expect(decision.ok || found.length > 0 || decision.refusal.code === 'platform/config-unreadable').toBe(true)
        for (const { pointer } of found) expect(pointer).toMatch(new RegExp(`^/${place}`))
      }),
    )
  })
})

describe('readConfig', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dostyk-config-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('takes relative paths from the folder of the file, and absolute ones as they are', async () => {
    const path = join(folder, 'dostyk.json')
    await writeFile(path, JSON.stringify({ ...valid, intake: { watchedFolder: '/srv/inbox' } }))
    expect(await readConfig(path)).toMatchObject({
      database: { embedded: { folder: join(folder, 'postgres') } },
      keys: { folder: join(folder, 'keys'), passphraseFile: join(folder, 'passphrase') },
      intake: { watchedFolder: '/srv/inbox' },
    })
  })

  test('faults on a file that is not there, and on one that cannot be used', async () => {
    await expect(readConfig(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'platform/config-missing' })
    const path = join(folder, 'broken.json')
    await writeFile(path, JSON.stringify({ ...valid, log: {} }))
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'platform/config-invalid',
      facts: { path, problems: [{ pointer: '/log', rule: 'required', member: 'level' }] },
    })
  })
})
