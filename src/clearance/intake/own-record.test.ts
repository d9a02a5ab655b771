import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aHomeDeclaration, aRailwayList } from '../../../tests/builders/clearance.ts'
import { arbitraryOf, codesOf, problemsOf, readAll } from '../../../tests/builders/intake.ts'
import type { HomeRecord } from '../model.ts'
import { recordSchemas } from '../parse-body.ts'

const recordOf = async (text: string) => {
  const [entry] = await readAll(text)
  return entry?.result.ok ? entry.result.value : undefined
}
const declarationOf = (content: object) => JSON.stringify({ record: 'declaration', content })

/** A declaration as text, so that numbers and repeated members can be written as no object can hold them. */
const withText = (from: string, to: string): string => {
  const text = declarationOf(aHomeDeclaration())
  expect(text).toContain(from)
  return text.replace(from, to)
}

describe('our own JSON', () => {
  test('takes a wrapped declaration, a bare one and a bare railway list', async () => {
    const content = aHomeDeclaration()
    expect(await recordOf(declarationOf(content))).toEqual({ record: 'declaration', content })
    expect(await recordOf(JSON.stringify(content))).toEqual({ record: 'declaration', content })
    const list = aRailwayList()
    expect(await recordOf(JSON.stringify(list))).toEqual({ record: 'railway-list', content: list })
  })

  test('gives back every document that the model allows', async () => {
    const documents = (Object.keys(recordSchemas) as HomeRecord['record'][]).map((record) =>
      fc.tuple(fc.constant(record), arbitraryOf(recordSchemas[record])),
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(...documents), fc.constantFrom(undefined, 2), async ([record, generated], indent) => {
        const content = numbered(record, generated)
        const entries = await readAll(JSON.stringify({ record, content }, null, indent))
        expect(entries.map((entry) => (entry.result.ok ? entry.result.value : problemsOf(entry)))).toEqual([
          { record, content },
        ])
      }),
      { numRuns: 120 },
    )
  })

  test('reads a decimal without loss whether it is a text or a number, and writes it in one way', async () => {
    const from = `"totalGrossMass":${JSON.stringify(aHomeDeclaration().declaration.totalGrossMass)}`
    for (const [written, expected] of [
      ['9007199254740993.000001', '9007199254740993.000001'],
      ['"0027000.500"', '27000.5'],
      ['27000.10', '27000.1'],
      ['0', '0'],
    ]) {
      const record = await recordOf(withText(from, `"totalGrossMass":${written}`))
      expect(record).toMatchObject({ content: { declaration: { totalGrossMass: expected } } })
    }
  })

  test('reads numbers of containers and wagons in the one way they are compared in', async () => {
    const list = aRailwayList({
      wagons: [{ number: '9553 5399' }],
      containers: [{ id: 'xdku 100001-8', onWagon: ' 95535399' }, { id: 'Box no. 7' }],
    })
    expect(await recordOf(JSON.stringify(list))).toMatchObject({
      content: {
        wagons: [{ number: '95535399' }],
        containers: [{ id: 'XDKU1000018', onWagon: '95535399' }, { id: 'Box no. 7' }],
      },
    })
  })

  test('reads instants with any offset, and local ones in the zone of home', async () => {
    const content = aHomeDeclaration()
    for (const [written, expected] of [
      ['2026-11-20T15:00:00+08:00', '2026-11-20T07:00:00.000Z'],
      ['2026-11-20T12:00', '2026-11-20T07:00:00.000Z'],
      ['2026-11-20T07:00:00Z', '2026-11-20T07:00:00.000Z'],
    ]) {
      const customsDecision = { ...content.customsDecision, releaseDateTime: written }
      const record = await recordOf(JSON.stringify({ ...content, customsDecision }))
      expect(record).toMatchObject({ content: { customsDecision: { releaseDateTime: expected } } })
    }
  })

  test('takes spaces from the ends of identifiers and leaves sentences alone', async () => {
    const content = aHomeDeclaration()
    const [first, ...others] = content.items
    if (!first) throw new Error('the builder has items')
    const spaced = {
      ...content,
      declaration: { ...content.declaration, id: ` ${content.declaration.id} ` },
      items: [{ ...first, description: { text: ' a b ', language: 'en' } }, ...others],
    }
    const record = await recordOf(JSON.stringify(spaced))
    expect(record).toMatchObject({
      content: { declaration: { id: content.declaration.id }, items: [{ description: { text: ' a b ' } }, {}] },
    })
  })

  test('names every defect with its place and what was expected, not the first alone', async () => {
    const content = aHomeDeclaration()
    const bad = {
      ...content,
      declaration: { kind: 'IM', versionId: 0, totalGrossMass: '27000,5', ucr: 'x'.repeat(36), surplus: true },
      consignment: { ...content.consignment, exportCountry: 'kz' },
      equipment: 'none',
      customsDecision: {
        statusCode: 'cleared',
        releaseDateTime: '2026-02-30T00:00:00Z',
        transitLimitDate: '2026-02-30',
      },
    }
    const [entry] = await readAll(declarationOf(bad))
    expect(problemsOf(entry).sort()).toEqual(
      [
        'intake/element-missing /content/declaration/id',
        'intake/value-not-listed /content/declaration/kind',
        'intake/out-of-range /content/declaration/versionId',
        'intake/decimal-comma /content/declaration/totalGrossMass',
        'intake/too-long /content/declaration/ucr',
        'intake/element-unknown /content/declaration/surplus',
        'intake/format-wrong /content/consignment/exportCountry',
        'intake/type-wrong /content/equipment',
        'intake/date-not-in-calendar /content/customsDecision/releaseDateTime',
        'intake/date-not-in-calendar /content/customsDecision/transitLimitDate',
      ].sort(),
    )
    const facts = entry?.result.ok === false ? entry.result.refusal.problems : []
    expect(facts.find(({ pointer }) => pointer.endsWith('/kind'))?.facts).toMatchObject({ expected: 'EX|TR' })
    expect(facts.find(({ pointer }) => pointer.endsWith('/exportCountry'))?.facts).toMatchObject({
      expected: 'country a2',
    })
  })

  test.each([
    ['an unknown record', '{"record":"invoice","content":{}}', ['intake/value-not-listed /record']],
    ['no content', '{"record":"declaration"}', ['intake/element-missing /content']],
    [
      'a third member',
      '{"record":"arrival","content":1,"x":2}',
      ['intake/element-unknown /x', 'intake/type-wrong /content'],
    ],
    ['an object of no format', '{"hello":"world"}', ['intake/record-unknown ']],
    ['a list in a list', '[[1]]', ['intake/record-not-object ']],
    ['a number alone', '[1.5]', ['intake/record-not-object ']],
  ])('refuses %s', async (_what, text, expected) => {
    const [entry] = await readAll(text)
    expect(problemsOf(entry)).toEqual(expected)
  })

  test.each([
    ['a member named twice', '{"record":"arrival","record":"arrival"}', 'intake/json-duplicate-key'],
    ['__proto__', '{"__proto__":{"a":1}}', 'intake/json-forbidden-key'],
    ['1e400', '{"record":1e400}', 'intake/json-lossy-number'],
    ['half a character', '{"record":"\\ud800"}', 'intake/json-lone-surrogate'],
    ['deep nesting', `{"a":${'['.repeat(70)}${']'.repeat(70)}}`, 'intake/json-too-deep'],
    ['a comma too many', '{"a":1,}', 'intake/json-syntax'],
    ['a NUL byte', '{"a":"\u0000"}', 'intake/nul-byte'],
  ])('refuses JSON with %s', async (_what, text, code) => {
    const [entry] = await readAll(`${text}\n{"record":"declaration"}`)
    expect(codesOf(entry)).toEqual([code])
  })

  test('refuses identifiers that hold what the eye does not see, also when written as an escape', async () => {
    const { id } = aHomeDeclaration().declaration
    for (const hidden of ['\u200b', '\\u200b', '\u202e']) {
      const [entry] = await readAll(withText(`"id":"${id}"`, `"id":"9${hidden}${id}"`))
      expect(problemsOf(entry)).toEqual(['intake/invisible-character /content/declaration/id'])
    }
  })

  test('refuses two items with one number', async () => {
    const content = aHomeDeclaration()
    const items = content.items.map((item) => ({ ...item, sequence: 1 }))
    const [entry] = await readAll(declarationOf({ ...content, items }))
    expect(problemsOf(entry)).toEqual(['intake/sequence-repeated /content/items/1/sequence'])
  })
})

/** Gives generated items different numbers, as the intake asks. */
function numbered(record: HomeRecord['record'], content: unknown): unknown {
  if (record !== 'declaration') return content
  const declaration = content as { items: object[] }
  return { ...declaration, items: declaration.items.map((item, at) => ({ ...item, sequence: at + 1 })) }
}
