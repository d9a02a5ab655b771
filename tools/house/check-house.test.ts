import { describe, expect, test } from 'vitest'
import { checkHouse } from './check-house.ts'

/** A small house in order, with the files given added or put in the place of others. */
function house(changes: Record<string, string> = {}): Map<string, string> {
  const inOrder: Record<string, string> = {
    'src/kernel/index.ts': "export * from './words.ts'",
    'src/kernel/words.ts': 'export const word = 1',
    'src/audit/index.ts': "export * from './store.ts'",
    'src/audit/store.ts':
      "import { word } from '../kernel/index.ts'\nimport { db } from '../platform/db/index.ts'\nexport const record = [word, db]",
    'src/law/index.ts': "export * from './law.ts'",
    'src/law/law.ts': "import { word } from '../kernel/index.ts'\nexport const law = word",
    'src/law/codes.ts': "export const lawCodes = {\n  'law/no-agreement': { kind: 'refusal', means: '' },\n}",
    'src/exchange/index.ts': "export * from './store.ts'",
    'src/exchange/store.ts': "import { record } from '../audit/index.ts'\nexport const save = record",
    'src/clearance/index.ts': "export * from './jobs.ts'",
    'src/clearance/model.ts': 'export const model = 1',
    'src/clearance/jobs.ts': "import { read } from './intake/index.ts'\nexport const job = [read, Date.now()]",
    'src/clearance/intake/index.ts': "export * from './read-csv.ts'",
    'src/clearance/intake/read-csv.ts': "import { model } from '../model.ts'\nexport const read = model",
    'src/platform/db/index.ts': "import pg from 'pg'\nexport const db = pg",
    'src/platform/node.ts': "import { job } from '../clearance/index.ts'\nexport const node = job",
    'src/platform/db/migrations/0001_platform.sql': 'select 1',
    'tests/clause.ts': 'export const clause = 1',
  }
  for (const room of ['kernel', 'audit', 'law', 'exchange', 'clearance', 'platform'])
    inOrder[`src/${room}/README.md`] = '# words'
  return new Map(Object.entries({ ...inOrder, ...changes }))
}

const findings = (changes: Record<string, string>) =>
  checkHouse(house(changes)).map(({ file, line, rule }) => `${file}:${line} ${rule}`)

const without = (path: string): string[] => {
  const files = house()
  files.delete(path)
  return checkHouse(files).map(({ file, rule }) => `${file} ${rule}`)
}

test('finds nothing in a house that is in order', () => {
  expect(checkHouse(house())).toEqual([])
})

describe('who may import whom', () => {
  test.each([
    ['kernel imports another room', 'src/kernel/words.ts', '../law/index.ts'],
    ['law imports the exchange', 'src/law/law.ts', '../exchange/index.ts'],
    ['the core of law imports the record', 'src/law/law.ts', '../audit/index.ts'],
    ['the exchange imports a business room', 'src/exchange/frame.ts', '../clearance/index.ts'],
    ['core imports the database', 'src/exchange/frame.ts', '../platform/db/index.ts'],
    ['a shell file imports what puts domains together', 'src/exchange/store.ts', '../platform/node.ts'],
    ['infrastructure imports a domain', 'src/platform/db/index.ts', '../../exchange/index.ts'],
    ['infrastructure imports what puts domains together', 'src/platform/db/index.ts', '../node.ts'],
  ])('%s: refused', (_, file, specifier) => {
    expect(findings({ [file]: `import { x } from '${specifier}'\nexport const y = x` })).toContain(
      `${file}:1 import-direction`,
    )
  })

  test('a re-export and an import at run time count as imports', () => {
    expect(findings({ 'src/law/law.ts': "export * from '../exchange/index.ts'" })).toContain(
      'src/law/law.ts:1 import-direction',
    )
    expect(findings({ 'src/law/law.ts': "export const later = () => import('../exchange/index.ts')" })).toContain(
      'src/law/law.ts:1 import-direction',
    )
  })

  test('core may name the type of a transaction, and no more', () => {
    const file = 'src/exchange/types.ts'
    expect(findings({ [file]: "import type { Transaction } from '../platform/db/index.ts'" })).toEqual([])
    expect(findings({ [file]: "import { type Transaction } from '../platform/db/index.ts'" })).toEqual([])
    expect(findings({ [file]: "import { type Transaction, db } from '../platform/db/index.ts'" })).toEqual([
      `${file}:1 import-direction`,
    ])
  })

  test('a shell file of any room may record what it did', () => {
    expect(
      findings({ 'src/law/store.ts': "import { record } from '../audit/index.ts'\nexport const x = record" }),
    ).toEqual([])
  })

  test.each([
    ['another room', 'src/exchange/frame.ts', '../law/law.ts'],
    ['a room inside a room', 'src/clearance/check.ts', './intake/read-csv.ts'],
    ['a folder of the platform', 'src/audit/store.ts', '../platform/db/database.ts'],
    ['a room, from what puts them together', 'src/platform/node.ts', '../clearance/jobs.ts'],
  ])('%s is entered by its index.ts only', (_, file, specifier) => {
    expect(findings({ [file]: `import { x } from '${specifier}'\nexport const y = x` })).toEqual([
      `${file}:1 import-past-door`,
    ])
  })

  test('a source never imports from tests or tools, a test beside it may', () => {
    const text = "import { clause } from '../../tests/clause.ts'\nexport const x = clause"
    expect(findings({ 'src/law/law.ts': text })).toEqual(['src/law/law.ts:1 import-of-tests'])
    expect(findings({ 'src/law/law.test.ts': text })).toEqual([])
  })
})

describe('core touches no world', () => {
  test.each([
    "import { readFile } from 'node:fs/promises'",
    "import { connect } from 'node:net'",
    "import { spawn } from 'node:child_process'",
    "import { request } from 'node:https'",
    "import { setTimeout } from 'node:timers/promises'",
    "import { env } from 'node:process'",
    "import pg from 'pg'",
    "import { sql } from 'kysely'",
    "import { pino } from 'pino'",
    "import fastify from 'fastify'",
    "import { v7 } from 'uuid'",
    "import { createHash, randomUUID } from 'node:crypto'",
    "import { generateKeyPairSync } from 'node:crypto'",
    "import crypto from 'node:crypto'",
    "import * as crypto from 'node:crypto'",
    'export const x = Date.now()',
    'export const x = new Date()',
    'export const x = Math.random()',
    'export const x = performance.now()',
    'export const x = crypto.randomUUID()',
    "export const x = process.env['HOME']",
    "export const x = fetch('http://localhost')",
    'export const x = setTimeout(() => {}, 1)',
  ])('refuses: %s', (text) => {
    expect(findings({ 'src/law/law.ts': text })).toEqual(['src/law/law.ts:1 core-touches-world'])
    expect(findings({ 'src/law/store.ts': text })).toEqual([])
  })

  test.each([
    "import { createHash, createPublicKey, sign, verify } from 'node:crypto'",
    "import type { Kysely } from 'kysely'",
    "import { type Logger } from 'pino'",
    'export const at = (text: string) => new Date(text)',
    '// Date.now() would not do here',
    "export const text = 'Math.random()'",
    'export const wait = (fetch: () => void) => fetch()',
  ])('admits: %s', (text) => {
    expect(findings({ 'src/law/law.ts': text })).toEqual([])
  })

  test('the readers of shipped data may read files, and nothing else', () => {
    const file = 'src/law/read-treaties.ts'
    expect(findings({ [file]: "import { readFileSync } from 'node:fs'" })).toEqual([])
    expect(findings({ [file]: "import { request } from 'node:http'" })).toEqual([`${file}:1 core-touches-world`])
  })
})

describe('names and words', () => {
  test.each([
    'utils.ts',
    'json-helpers.ts',
    'common.ts',
    'connection-manager.ts',
    'base.ts',
    'readFile.ts',
    'read_file.ts',
  ])('refuses a file called %s', (name) => {
    expect(findings({ [`src/law/${name}`]: '' })).toContain(`src/law/${name}:1 file-name`)
  })

  test('refuses notes of what is still to be done, wherever they stand', () => {
    const note = ['TO', 'DO'].join('')
    expect(findings({ 'src/law/law.ts': `// one\n// ${note}: later` })).toEqual(['src/law/law.ts:2 word'])
    expect(findings({ 'docs/START.md': `${note}` })).toEqual(['docs/START.md:1 word'])
    expect(findings({ 'src/law/law.ts': `// @ts-${'ignore'}` })).toEqual(['src/law/law.ts:1 word'])
  })
})

describe('rooms', () => {
  test('have a door and a page of words', () => {
    expect(without('src/law/index.ts')).toEqual(['src/law room-door-missing'])
    expect(without('src/law/README.md')).toEqual(['src/law room-readme-missing'])
    expect(without('src/clearance/intake/index.ts')).toContain('src/clearance/intake room-door-missing')
  })

  test('are known to the house', () => {
    const added = { 'src/attic/index.ts': '', 'src/attic/README.md': '' }
    expect(findings(added)).toEqual(['src/attic:1 room-unknown'])
  })
})

describe('codes', () => {
  test('that somebody is told stand in a list', () => {
    expect(findings({ 'src/law/law.ts': "export const x = { code: 'law/no-agreement' as const }" })).toEqual([])
    expect(findings({ 'src/law/law.ts': "export const x = { code: 'law/invented' as const }" })).toEqual([
      'src/law/law.ts:1 code-unlisted',
    ])
    expect(findings({ 'src/law/law.ts': "throw new Fault('law/invented', 'x')" })).toEqual([
      'src/law/law.ts:1 code-unlisted',
    ])
    expect(
      findings({ 'src/law/law.ts': "export const x = { code: yes ? 'law/invented' : 'law/no-agreement' }" }),
    ).toEqual(['src/law/law.ts:1 code-unlisted'])
  })

  test('stand once, in the list of their own room', () => {
    const codes = "export const exchangeCodes = {\n  'law/no-agreement': { kind: 'refusal', means: '' },\n}"
    expect(findings({ 'src/exchange/codes.ts': codes })).toEqual(
      expect.arrayContaining(['src/exchange/codes.ts:2 code-foreign']),
    )
    expect(findings({ 'src/exchange/codes.ts': codes }).some((each) => each.endsWith('code-twice'))).toBe(true)
  })
})

describe('tests', () => {
  const inTest = (text: string) => findings({ 'src/law/law.test.ts': text })

  test('ask something of what they expect', () => {
    expect(inTest("test('a', () => {\n  expect(1)\n})")).toEqual(['src/law/law.test.ts:2 test-expects-nothing'])
    expect(inTest("test('a', async () => {\n  await expect(1)\n})")).toEqual([
      'src/law/law.test.ts:2 test-expects-nothing',
    ])
    expect(inTest("test('a', async () => {\n  await expect(1).resolves.toBe(1)\n})")).toEqual([])
  })

  test('prove something, directly or through a function that does', () => {
    expect(inTest("test('a', () => {})")).toEqual(['src/law/law.test.ts:1 test-proves-nothing'])
    expect(inTest("clause('X/1', 'a', () => {})")).toEqual(['src/law/law.test.ts:1 test-proves-nothing'])
    expect(inTest("test.each([1])('a', () => {})")).toEqual(['src/law/law.test.ts:1 test-proves-nothing'])
    expect(inTest("const check = () => expect(1).toBe(1)\ntest('a', () => check())")).toEqual([])
    expect(inTest("test('a', () => fc.assert(x))")).toEqual([])
  })

  test.each(['test.only', 'test.skip', 'describe.only', 'describe.skip', 'it.todo'])('are all run: no %s', (word) => {
    expect(inTest(`${word}('a', () => {\n  expect(1).toBe(1)\n})`)).toEqual(['src/law/law.test.ts:1 test-selective'])
  })
})

test('migrations are numbered without a gap', () => {
  expect(findings({ 'src/platform/db/migrations/0003_more.sql': '' })).toEqual([
    'src/platform/db/migrations/0003_more.sql:1 migration-gap',
  ])
})
