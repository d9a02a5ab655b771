import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Compile } from 'typebox/compile'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readConditions } from '../src/clearance/index.ts'
import { findWords } from './contracts/write-data-items.ts'
import { findDrift, readContracts, readTexts, runContracts } from './contracts.ts'

const SHIPPED = fileURLToPath(new URL('../contracts/', import.meta.url))
const ON = '2027-01-31'

type Texts = Map<string, string>
let shipped: Texts
let make: Awaited<ReturnType<typeof readContracts>>[number]['make']
beforeAll(async () => {
  shipped = await readTexts(join(SHIPPED, 'stop/1.0'))
  make = (await readContracts(SHIPPED))[0]!.make
})

/** The package with one text of one file replaced. */
function withText(file: string, from: string | RegExp, to: string): Texts {
  const text = shipped.get(file) ?? ''
  expect(text).toMatch(from)
  return new Map([...shipped, [file, text.replace(from, to)]])
}

describe('the check', () => {
  test('finds nothing wrong with what is published', async () => {
    const lines: string[] = []
    expect(await runContracts([], (line) => lines.push(line))).toBe(0)
    expect(lines.filter((line) => /wrong|not as it would be/.test(line))).toEqual([])
  })

  test('makes the same bytes each time', () => {
    expect([...make(shipped).generated]).toEqual([...make(shipped).generated])
  })

  test('finds a document, a schema and a digest that are not what would be made', () => {
    for (const file of ['documents/conditions.kk.md', 'body/schemas/clearance.schema.json', 'index.json']) {
      const texts = new Map([...shipped, [file, `${shipped.get(file)} `]])
      expect(findDrift(texts, make(texts).generated)).toEqual([file])
    }
  })

  test('finds a leftover of the generated folders', () => {
    const texts = new Map([...shipped, ['documents/conditions.fr.md', '']])
    expect(findDrift(texts, make(texts).generated)).toEqual(['documents/conditions.fr.md'])
  })

  test('finds a published rule the program does not know, and a code of the program that is not published', () => {
    const { problems } = make(withText('body/rules.json', 'clearance/net-over-gross', 'clearance/gross-over-net'))
    expect(problems).toEqual(
      expect.arrayContaining([
        'body/rules.json lacks clearance/net-over-gross',
        'body/rules.json has clearance/gross-over-net, which is not known',
      ]),
    )
  })

  test('finds a rule that is published with another level', () => {
    const { problems } = make(withText('body/rules.json', /("clearance\/empty", "level": )"error"/, '$1"warning"'))
    expect(problems).toEqual(['body/rules.json gives clearance/empty as warning; it is error'])
  })

  test('finds a clause that no register holds', () => {
    const { problems } = make(withText('body/lock.json', 'STOP-2021/1.4-r6', 'STOP-2021/1.4-r9'))
    expect(problems).toEqual(['body/lock.json names STOP-2021/1.4-r9, which no register holds'])
  })

  test('finds a station code whose check digit fails', () => {
    const { problems } = make(withText('annexes/checkpoints.json', '708507', '708508'))
    expect(problems).toEqual([
      'annexes/checkpoints.json dostyk-alashankou: the station code 708508 fails its check digit',
    ])
  })

  test('finds a word that one language lacks', () => {
    const { problems } = make(withText('body/texts/zh.json', '"sendAfter"', '"sendBefore"'))
    expect(problems).toContain('body/texts/zh.json lacks texts.regulation.sendAfter')
  })

  test('finds a vector that the program judges otherwise', () => {
    const { problems } = make(withText('vectors/invalid/cnl-no-version.json', '"kind"', '"versionId": 1, "kind"'))
    expect(problems).toEqual([
      'vectors/invalid/cnl-no-version.json: the index says clearance/element-missing at "/declaration/versionId", the program taken',
    ])
  })
})

describe('the published schemas alone', () => {
  const schemaOf = (name: string) => Compile(JSON.parse(shipped.get(`body/schemas/${name}.schema.json`) ?? 'null'))

  test('admit every valid vector', async () => {
    const { messages } = await readConditions()
    const index = JSON.parse(shipped.get('vectors/index.json') ?? '{}') as {
      vectors: Array<{ file: string | null; type: 'DEP'; problems?: unknown }>
    }
    const valid = index.vectors.filter(({ problems, file }) => !problems && file !== null)
    expect(valid.length).toBeGreaterThan(20)
    for (const { file, type } of valid) {
      const body: unknown = JSON.parse(shipped.get(`vectors/${file}`) ?? 'null')
      expect([file, schemaOf(messages.get(type)?.schema ?? '').Check(body)]).toEqual([file, true])
    }
  })

  test('refuse what they do not name', () => {
    const body = JSON.parse(shipped.get('vectors/valid/cnl-cancelled.json') ?? 'null') as object
    expect(schemaOf('cancellation').Check(body)).toBe(true)
    expect(schemaOf('cancellation').Check({ ...body, reason: 'x' })).toBe(false)
  })
})

describe('words for elements', () => {
  const say = (text: string) => ({ en: text, ru: text, kk: text, zh: text })
  const words = { 'seals/*/id': say('a'), '+/*/id': say('b'), id: say('c'), 'Party/name': say('d') }

  test('takes the longest end of the path, and a described group before any end', () => {
    expect(findWords(words, '/wagons/*/seals/*/id')).toBe('seals/*/id')
    expect(findWords(words, '/units/*/id')).toBe('+/*/id')
    expect(findWords(words, '/unit/id')).toBe('id')
    expect(findWords(words, '/parties/carriers/*/name')).toBe('Party/name')
    expect(findWords(words, '/parties/other/name')).toBeUndefined()
  })
})

describe('the command', () => {
  let folder: string
  let lines: string[]
  const run = (...args: string[]) => runContracts(args, (line) => lines.push(line), folder)
  const path = (file: string) => join(folder, 'stop/1.0', file)
  const change = async (file: string, from: string | RegExp, to: string) => {
    const text = await readFile(path(file), 'utf8')
    expect(text).toMatch(from)
    await writeFile(path(file), text.replace(from, to))
  }

  beforeEach(async () => {
    lines = []
    folder = await mkdtemp(join(tmpdir(), 'contracts-'))
    await cp(join(SHIPPED, 'stop'), join(folder, 'stop'), { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('makes a changed draft anew, under another digest', async () => {
    const before = await readConditions(path(''))
    await change('body/regulation.json', /("evaluationMonths": \{\s*"value": )6/, '$112')
    expect(await run()).toBe(1)
    expect(await run('--write')).toBe(0)
    expect(await run()).toBe(0)
    const after = await readConditions(path(''))
    expect(after.regulation.evaluationMonths).toBe(12)
    expect(after.bodyDigest).not.toBe(before.bodyDigest)
    expect(after.annexes).toEqual(before.annexes)
  })

  test('keeps the switches and decisions of the working group when it makes the data items anew', async () => {
    await change('annexes/data-items.json', /("path":"\/parties\/consignee".*)"on":true/, '$1"on":false')
    await change(
      'annexes/data-items.json',
      /("path":"\/parties\/consignee".*)"decisionRef":null/,
      '$1"decisionRef":"WG-2/1"',
    )
    expect(await run('--write')).toBe(0)
    const item = (await readConditions(path(''))).dataItems.items.find(({ path }) => path === '/parties/consignee')
    expect(item).toMatchObject({ on: false, decisionRef: 'WG-2/1' })
  })

  test('freezes a draft once, by its digest, and keeps that digest', async () => {
    const draft = await readConditions(path(''))
    expect(await run('--freeze', 'stop/1.0', '--on', ON)).toBe(0)
    expect(await run()).toBe(0)
    expect(lines).toContain('stop/1.0 frozen')
    const frozen = await readConditions(path(''))
    expect([frozen.status, frozen.bodyDigest]).toEqual(['frozen', draft.bodyDigest])
    expect(await readFile(path('documents/conditions.en.md'), 'utf8')).toContain('Frozen.')
    expect(await run('--freeze', 'stop/1.0', '--on', ON)).toBe(1)
  })

  test('refuses a changed body of a frozen version, and writes nothing over it', async () => {
    await run('--freeze', 'stop/1.0', '--on', ON)
    await change('body/regulation.json', /("evaluationMonths": \{\s*"value": )6/, '$112')
    const index = await readFile(path('index.json'), 'utf8')
    lines = []
    expect(await run()).toBe(1)
    expect(await run('--write')).toBe(1)
    expect(lines).toContain('  wrong: The body of version 1.0 is frozen and has changed: a change is a new version')
    expect(await readFile(path('index.json'), 'utf8')).toBe(index)
  })

  test('refuses a changed document of a frozen version', async () => {
    await run('--freeze', 'stop/1.0', '--on', ON)
    await change('documents/conditions.ru.md', 'Общие положения', 'Иные положения')
    expect(await run('--write')).toBe(1)
    expect(lines).toContain('  wrong: documents/conditions.ru.md is frozen and has changed')
  })

  test('refuses a changed annex of a frozen edition, and takes it as the next edition', async () => {
    await run('--freeze', 'stop/1.0', '--on', ON)
    await change('annexes/checkpoints.json', '"validFrom": null', '"validFrom": "2027-03-01"')
    expect(await run('--write')).toBe(1)
    expect(lines).toContain('  wrong: The annex checkpoints edition 1 is frozen and has changed: raise its edition')
    await change('annexes/index.json', /("name": "checkpoints",\s*"edition": )1/, '$12')
    expect(await run('--write')).toBe(0)
    expect(await run()).toBe(0)
    const { annexes } = await readConditions(path(''))
    expect(annexes.find(({ name }) => name === 'checkpoints')?.edition).toBe(2)
  })

  test('asks for the day of the approval', async () => {
    expect(await run('--freeze', 'stop/1.0')).toBe(2)
    expect(await run('--freeze', 'stop/1.0', '--on', '2027-02-30')).toBe(2)
  })

  test('does not freeze what has something wrong', async () => {
    await change('annexes/checkpoints.json', '708507', '708508')
    expect(await run('--freeze', 'stop/1.0', '--on', ON)).toBe(1)
    expect((await readTexts(path(''))).has('frozen.json')).toBe(false)
  })

  test('indexes the contract of the wire by its files, and refuses a change once it is frozen', async () => {
    const wire = join(folder, 'exchange/1.0')
    await cp(path('vectors/valid'), wire, { recursive: true })
    await writeFile(join(wire, 'README.md'), '# The wire\n')
    await writeFile(join(wire, 'index.json'), '{"title":"DX1"}')
    expect(await run()).toBe(1)
    expect(await run('--write')).toBe(0)
    const index = JSON.parse(await readFile(join(wire, 'index.json'), 'utf8')) as { files: Array<{ file: string }> }
    expect(index).toMatchObject({ title: 'DX1', status: 'draft' })
    expect(index.files.map(({ file }) => file)).toContain('README.md')
    expect(await run('--freeze', 'exchange/1.0', '--on', ON)).toBe(0)
    expect(await run()).toBe(0)
    await writeFile(join(wire, 'README.md'), '# Another wire\n')
    expect(await run('--write')).toBe(1)
  })
})
