import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { clause } from '../../../tests/clause.ts'
import { digestOf } from '../../law/index.ts'
import {
  type AnnexesIndexFile,
  type DataItem,
  languages,
  messageTypes,
  type PackageIndexFile,
  parseConditions,
  readPackageTexts,
  SHIPPED_CONDITIONS,
} from './index.ts'

type Texts = ReadonlyMap<string, string>
type Content = Record<string, unknown>

let shipped: Texts
beforeAll(async () => {
  shipped = await readPackageTexts(SHIPPED_CONDITIONS)
})

const contentOf = <Value = Content>(texts: Texts, file: string): Value => JSON.parse(texts.get(file) ?? 'null') as Value

/** The package with one file changed, and nothing else. */
function withFile<Value = Content>(
  texts: Texts,
  file: string,
  change: (content: Value) => unknown,
): Map<string, string> {
  return new Map([...texts, [file, JSON.stringify(change(contentOf<Value>(texts, file)))]])
}

/** The package with its indexes made to fit its files, as somebody would who may write but not approve. */
function reindexed(texts: Texts): Map<string, string> {
  const under = (folder: string) =>
    [...texts.keys()].filter((file) => file.startsWith(folder)).map((file) => file.slice(folder.length))
  const digest = (folder: string, files: readonly string[]) =>
    digestOf(Object.fromEntries(files.map((file) => [file, contentOf(texts, folder + file)])))
  const annexes = contentOf<AnnexesIndexFile>(texts, 'annexes/index.json').annexes.map((annex) => {
    const files = annex.files.map(({ file }) => ({ file, digest: digest('annexes/', [file]) }))
    return {
      ...annex,
      files,
      digest: digest(
        'annexes/',
        files.map(({ file }) => file),
      ),
    }
  })
  const body = under('body/')
  const index: PackageIndexFile = {
    ...contentOf<PackageIndexFile>(texts, 'index.json'),
    bodyDigest: digest('body/', body),
    body: body.map((file) => ({ file, digest: digest('body/', [file]) })),
    annexes: annexes.map(({ name, edition, digest }) => ({ name, edition, digest })),
  }
  return new Map([...texts, ['annexes/index.json', JSON.stringify({ annexes })], ['index.json', JSON.stringify(index)]])
}

/** The package as it stands from its first approval for live exchange on. */
function frozen(texts: Texts): Map<string, string> {
  const index = contentOf<PackageIndexFile>(texts, 'index.json')
  const { version, bodyDigest, annexes } = index
  return new Map([
    ...texts,
    ['index.json', JSON.stringify({ ...index, status: 'frozen' })],
    ['frozen.json', JSON.stringify({ version, frozenOn: '2027-01-31', bodyDigest, annexes, documents: [] })],
  ])
}

function read(texts: Texts) {
  const parsed = parseConditions(texts)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal))
  return parsed.value
}

const refusalOf = (texts: Texts) => {
  const parsed = parseConditions(texts)
  return parsed.ok ? undefined : parsed.refusal
}

describe('the shipped version', () => {
  clause('STOP-2021/1.4-r1', 'gives every message type a version, a published body and a legal basis', () => {
    const { messages } = read(shipped)
    expect([...messages.keys()]).toEqual([...messageTypes])
    for (const terms of messages.values()) {
      expect(shipped.has(`body/schemas/${terms.schema}.schema.json`)).toBe(true)
      expect(terms.legalBasis.length).toBeGreaterThan(0)
      expect(terms.version).toBe(1)
    }
  })

  clause('STOP-2021/1.4-r3', 'carries the regulation with its deadlines, repetition and hours', () => {
    expect(read(shipped).regulation).toMatchObject({
      sendAfter: 'release',
      retryDelaySecondsMin: 5,
      retryDelaySecondsMax: 900,
      messageExpiryDays: 120,
      requestWindowSeconds: 60,
      issuedAheadSecondsMax: 300,
      frameMessagesMax: 500,
      framePlainBytesMax: 4_194_304,
      frameWireBytesMax: 6_291_456,
    })
  })

  clause('STOP-2021/1.4-r4', 'names one open channel, online, and keeps file and lock closed', () => {
    const open = read(shipped).method.channels.filter(({ enabled }) => enabled)
    expect(open.map(({ channel, protocol }) => [channel, protocol])).toEqual([['online', 'DX1']])
  })

  clause('STOP-2021/1.4-r6', 'keeps the lock closed while no layout of its data is approved', () => {
    expect(read(shipped).lockEnabled).toBe(false)
  })

  clause('STOP-2021/3.b-r3', 'states protection requirements and the sections the gate asks for', () => {
    const { requirements, sections } = read(shipped)
    const ids = requirements.requirements.filter(({ section }) => section === 'protection').map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['signature', 'encryption', 'access', 'keys-at-rest']))
    expect(sections).toEqual(
      expect.arrayContaining(['messages', 'dataItems', 'regulation', 'method', 'requirements', 'protection']),
    )
  })

  clause('STOP-2021/1.4-r5', 'states requirements for software and hardware, each with its source', () => {
    const { requirements } = read(shipped).requirements
    for (const section of ['software', 'hardware'])
      expect(requirements.filter((requirement) => requirement.section === section).length).toBeGreaterThan(2)
    for (const { source } of requirements) expect(source).toMatch(/^STOP-2021\/|^default, not treaty$/)
  })

  test('is a draft without any decision of the working group, and value is one question that is off', () => {
    const { status, dataItems } = read(shipped)
    expect(status).toBe('draft')
    expect(dataItems.items.filter(({ decisionRef }) => decisionRef !== null)).toEqual([])
    expect(dataItems.items.filter(({ on }) => !on).map(({ path, group }) => [path, group])).toEqual([
      ['/declaration/invoiceAmount', 'value'],
      ['/items/*/amount', 'value'],
      ['/items/*/statisticalValue', 'value'],
    ])
  })

  test('gives the checks their parameters', () => {
    const { rules } = read(shipped)
    expect(rules.bound('clearance/gross-mass-sum', 'massTolerancePercent')).toBe('0.5')
    expect(rules.warns('clearance/container-check-digit')).toBe(true)
    expect(rules.warns('clearance/element-missing')).toBe(false)
  })

  test('describes every element in each language', () => {
    for (const { description } of read(shipped).dataItems.items)
      for (const language of languages) expect(description[language]).not.toBe('')
  })
})

describe('the digest', () => {
  test('is the one a stranger computes by the published recipe', () => {
    const body = [...shipped.keys()].filter((file) => file.startsWith('body/'))
    const files = Object.fromEntries(body.map((file) => [file.slice('body/'.length), contentOf(shipped, file)]))
    expect(read(shipped).bodyDigest).toBe(digestOf(files))
  })

  test('does not change with indentation, line ends or the order of members', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : value !== null && typeof value === 'object'
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([name, member]) => [name, reversed(member)]),
            )
          : value
    const written = new Map(
      [...shipped].map(([file, text]) => [
        file,
        JSON.stringify(reversed(JSON.parse(text)), null, 7).replaceAll('\n', '\r\n'),
      ]),
    )
    expect(read(written).bodyDigest).toBe(read(shipped).bodyDigest)
  })
})

describe('an altered package', () => {
  test('refuses every body file that is not the one its digest was made from', () => {
    for (const file of [...shipped.keys()].filter((name) => name.startsWith('body/')))
      expect(refusalOf(withFile(shipped, file, (content) => ({ ...content, added: 1 })))).toEqual({
        code: 'clearance/conditions-altered',
        file,
      })
  })

  test('refuses one changed figure of the regulation', () => {
    const texts = withFile(shipped, 'body/regulation.json', (file) => ({
      ...file,
      messageExpiryDays: { value: 121, source: 'default, not treaty' },
    }))
    expect(refusalOf(texts)).toEqual({ code: 'clearance/conditions-altered', file: 'body/regulation.json' })
  })

  test('refuses a changed annex, and names the file', () => {
    const texts = withFile(shipped, 'annexes/code-lists/currencies.json', (file) => ({ ...file, edition: 'mine' }))
    expect(refusalOf(texts)).toEqual({
      code: 'clearance/conditions-altered',
      file: 'annexes/code-lists/currencies.json',
    })
  })

  test('refuses a file that the index does not name, in the body and in the annexes', () => {
    expect(refusalOf(new Map([...shipped, ['body/more.json', '{}']]))).toEqual({
      code: 'clearance/conditions-altered',
      file: 'body/more.json',
    })
    expect(refusalOf(new Map([...shipped, ['annexes/more.json', '{}']]))).toEqual({
      code: 'clearance/conditions-altered',
      file: 'annexes/more.json',
    })
  })

  test('refuses annexes that the two indexes give differently', () => {
    const texts = withFile<PackageIndexFile>(shipped, 'index.json', (index) => ({
      ...index,
      annexes: index.annexes.slice(1),
    }))
    expect(refusalOf(texts)).toEqual({ code: 'clearance/conditions-altered', file: 'annexes/index.json' })
  })

  test('refuses a missing file, a file that is no strict JSON, and one without its form', () => {
    const without = new Map(shipped)
    without.delete('body/lock.json')
    expect(refusalOf(reindexed(without))).toEqual({
      code: 'clearance/conditions-unreadable',
      file: 'body/lock.json',
      reason: 'missing',
    })
    expect(refusalOf(new Map([...shipped, ['body/lock.json', '{"enabled":false,"enabled":false}']]))).toEqual({
      code: 'clearance/conditions-unreadable',
      file: 'body/lock.json',
      reason: 'json',
    })
    const formless = withFile(shipped, 'body/lock.json', (lock) => ({ ...lock, enabled: true }))
    expect(refusalOf(reindexed(formless))).toMatchObject({
      code: 'clearance/conditions-unreadable',
      file: 'body/lock.json',
      reason: 'form',
    })
  })
})

describe('a frozen version', () => {
  clause('STOP-2021/2.4-r2', 'reads what was frozen, and refuses a body whose index was made to fit a change', () => {
    expect(read(frozen(shipped)).status).toBe('frozen')
    const changed = withFile(shipped, 'body/regulation.json', (file) => ({
      ...file,
      messageExpiryDays: { value: 60, source: 'default, not treaty' },
    }))
    const texts = frozen(shipped)
    const forged = reindexed(new Map([...texts, ...changed, ['index.json', texts.get('index.json') ?? '']]))
    expect(refusalOf(forged)).toEqual({ code: 'clearance/conditions-altered', file: 'body/' })
    expect(read(reindexed(changed)).regulation.messageExpiryDays).toBe(60)
  })

  test('takes a later edition of an annex, and refuses another content of the frozen one', () => {
    const texts = withFile<{ items: DataItem[] }>(frozen(shipped), 'annexes/data-items.json', ({ items }) => ({
      items: items.map((item) => (item.group === 'value' ? { ...item, on: true, decisionRef: 'WG-3/2' } : item)),
    }))
    expect(refusalOf(reindexed(texts))).toEqual({ code: 'clearance/conditions-altered', file: 'annexes/data-items' })
    const later = withFile<AnnexesIndexFile>(texts, 'annexes/index.json', ({ annexes }) => ({
      annexes: annexes.map((annex) => (annex.name === 'data-items' ? { ...annex, edition: 2 } : annex)),
    }))
    expect(read(reindexed(later)).dataItems.items.filter(({ on }) => !on)).toEqual([])
  })

  test('refuses a status that says draft over a frozen record, and frozen without one', () => {
    const record = frozen(shipped).get('frozen.json') ?? ''
    expect(refusalOf(new Map([...shipped, ['frozen.json', record]]))).toEqual({
      code: 'clearance/conditions-altered',
      file: 'frozen.json',
    })
    const texts = frozen(shipped)
    texts.delete('frozen.json')
    expect(refusalOf(texts)).toEqual({ code: 'clearance/conditions-altered', file: 'frozen.json' })
  })
})

describe('switches', () => {
  const switched = (path: string, change: Partial<DataItem>) =>
    reindexed(
      withFile<{ items: DataItem[] }>(shipped, 'annexes/data-items.json', ({ items }) => ({
        items: items.map((item) => (item.schema === 'clearance' && item.path === path ? { ...item, ...change } : item)),
      })),
    )

  test('refuses to switch off what a body cannot do without', () => {
    for (const path of ['/declaration/id', '/items/*/description', '/consignment/departureStation/esr'])
      expect(refusalOf(switched(path, { on: false }))).toEqual({
        code: 'clearance/conditions-unreadable',
        file: 'annexes/data-items.json',
        reason: 'switch',
        pointer: path,
      })
  })

  clause('STOP-2021/1.4-r2', 'reads an element switched off, and refuses a group that is half on', () => {
    const { dataItems } = read(switched('/parties/consignee', { on: false }))
    expect(dataItems.items.filter(({ on }) => !on).map(({ path }) => path)).toContain('/parties/consignee')
    expect(refusalOf(switched('/items/*/amount', { on: true }))).toMatchObject({ reason: 'switch' })
  })
})

test('never throws, whatever stands in a file', () => {
  const files = [...shipped.keys()].filter((file) => !file.includes('code-lists'))
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.oneof(fc.json(), fc.string()), (file, text) => {
      const parsed = parseConditions(new Map([...shipped, [file, text]]))
      expect(parsed.ok).toBe(false)
    }),
    { numRuns: 40 },
  )
})
