import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codesOf, notesOf, problemsOf, readAll } from '../../../tests/builders/intake.ts'
import { splitCells } from './csv-rows.ts'

const sample = (name: string): string =>
  readFileSync(new URL(`../../../samples/formats/${name}`, import.meta.url), 'utf8')

const needed = 'declarationId,kind,exportCountry,destinationCountry,statusCode,commodityCode,description'
const row = (id: string, rest = 'EX,KZ,CN,cleared,100199,Wheat') => `${id},${rest}`
const table = (...rows: string[]) => [needed, ...rows].join('\n')
const shown = async (text: string) =>
  (await readAll(text)).map((entry) =>
    entry.result.ok && entry.result.value.record === 'declaration'
      ? entry.result.value.content.declaration.id
      : codesOf(entry).join(' '),
  )

describe('splitCells', () => {
  test('reads quoted cells with delimiters, line ends and doubled marks', () => {
    expect(splitCells('a,"b,""c""\nd",,e', ',')).toEqual(['a', 'b,"c"\nd', '', 'e'])
    expect(splitCells('', ';')).toEqual([''])
    expect(splitCells('"a";', ';')).toEqual(['a', ''])
  })

  test('tells a mark that is not closed from one that stands where none may', () => {
    expect(splitCells('a,"b', ',')).toBe('unclosed')
    expect(splitCells('a,"b"c', ',')).toBe('misplaced')
    expect(splitCells('5" pipe,b', ',')).toBe('misplaced')
  })

  test('gives back any cells that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.constantFrom(',', ';', '\t'), (cells, delimiter) => {
        const text = cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter)
        expect(splitCells(text, delimiter as ',')).toEqual(cells)
      }),
    )
  })
})

describe('the table of declarations', () => {
  test('makes one record of consecutive rows with one number', async () => {
    const entries = await readAll(sample('declarations.csv'))
    expect(entries.map(({ line, format }) => [line, format])).toEqual([
      [2, 'csv-declarations'],
      [5, 'csv-declarations'],
    ])
    const [first, second] = entries.map(({ result }) => (result.ok ? result.value.content : undefined))
    expect(first).toMatchObject({
      declaration: {
        id: '55302/201126/0001234',
        kind: 'EX',
        versionId: 1,
        goodsItemQuantity: 2,
        totalGrossMass: '54150.5',
      },
      consignment: { notes: [{ number: '30212345', date: '2026-11-20' }], departureStation: { esr: '668208' } },
      parties: { consignor: { name: { text: 'ТОО "Степной экспорт"', language: 'ru' } }, consignee: { country: 'CN' } },
      equipment: [
        { id: 'DSTU4100014', seals: [{ id: 'KZT0012345' }] },
        { id: 'DSTU4100020', seals: [{ id: 'KZT0012346' }] },
      ],
      items: [{ sequence: 1 }, { sequence: 2, description: { text: 'Пшеница мягкая; 3 класс, второй контейнер' } }],
      customsDecision: { statusCode: 'cleared', releaseDateTime: '2026-11-20T07:00:00.000Z' },
    })
    expect(second).toMatchObject({ items: [{ description: { text: '=Семена льна' } }] })
  })

  test('keeps the rows of a record as they stood, under the header', async () => {
    const text = sample('declarations.csv')
    const [header, one, two] = text.split('\r\n')
    const [first] = await readAll(text)
    expect(Buffer.from(first?.original ?? []).toString()).toBe(`${header}\r\n${one}\r\n${two}\r\n`)
    const [again] = await readAll(Buffer.from(first?.original ?? []))
    expect(again?.result).toEqual(first?.result)
  })

  test('reads names of columns without regard to case, spaces, hyphens and underscores, in any order', async () => {
    const text =
      'Description;COMMODITY_CODE;status-code;Destination Country;export country;Kind;declaration id\nWheat;1001.99;cleared;CN;KZ;EX;A1'
    const [entry] = await readAll(text)
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      declaration: { id: 'A1' },
      items: [{ commodityCode: '100199' }],
    })
  })

  test('reads lists, pairs, exclusions and what belongs to a temporary declaration', async () => {
    const columns = `${needed},temporary,temporaryValidUntil,temporaryNetMass,routingCountries,documents,identifiers,dangerousGoods,equipmentIds,seals,personalUse,stateSecret,consigneeKind,noteNumber`
    const [entry] = await readAll(
      `${columns}\nT1,EX,KZ,CN,cleared,870380,Cars,1,2026-12-31,5000000.5,KZ|CN,380:INV-1|N722:77,VIN:XW8ZZZ1|VIN:XW8ZZZ2,3171,DSTU4100014|DSTU4100020,DSTU4100014:S1|DSTU4100020:S2,unknown,0,natural-persons,77|78`,
    )
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      declaration: { temporary: { validUntil: '2026-12-31', netMass: '5000000.5' } },
      consignment: { routingCountries: ['KZ', 'CN'], notes: [{ number: '77' }, { number: '78' }] },
      parties: { consignee: { kind: 'natural-persons' } },
      equipment: [{ seals: [{ id: 'S1' }] }, { seals: [{ id: 'S2' }] }],
      documents: [
        { typeCode: '380', id: 'INV-1' },
        { typeCode: 'N722', id: '77' },
      ],
      items: [
        {
          identifiers: [
            { typeCode: 'VIN', id: 'XW8ZZZ1' },
            { typeCode: 'VIN', id: 'XW8ZZZ2' },
          ],
          dangerousGoods: ['3171'],
          exclusion: { personalUse: 'unknown', stateSecret: false },
        },
      ],
    })
  })

  test('keeps what looks like a formula as text', async () => {
    const [entry] = await readAll(table(row('A1', 'EX,KZ,CN,cleared,100199,"=HYPERLINK(""http://x"",""y"")"')))
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      items: [{ description: { text: '=HYPERLINK("http://x","y")' } }],
    })
  })

  test('names every cell that is wrong, with its line and column', async () => {
    const [entry] = await readAll(
      `${needed},grossMass,versionId,releaseDateTime\nA1,IM,KZ,CHN,cleared,X,Wheat,"1,5",0,2026-02-30T00:00\nA1,IM,RU,CHN,,100199,Rye,-1,,`,
    )
    expect(problemsOf(entry)).toEqual([
      'intake/format-wrong /rows/0/commodityCode',
      'intake/decimal-comma /rows/0/grossMass',
      'intake/format-wrong /rows/1/grossMass',
      'intake/value-not-listed /rows/0/kind',
      'intake/out-of-range /rows/0/versionId',
      'intake/csv-rows-disagree /rows/1/exportCountry',
      'intake/format-wrong /rows/0/destinationCountry',
      'intake/date-not-in-calendar /rows/0/releaseDateTime',
    ])
    const facts = entry?.result.ok === false ? entry.result.refusal.problems[2]?.facts : undefined
    expect(facts).toMatchObject({ line: 3, column: 8 })
  })

  test('reads a time after a space, and tells a date of another form from one that no calendar has', async () => {
    const read = async (release: string) => (await readAll(`${needed},releaseDateTime\n${row('A1')},${release}`))[0]
    const entry = await read('2026-11-20 10:00')
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      customsDecision: { releaseDateTime: '2026-11-20T05:00:00.000Z' },
    })
    for (const text of ['20.11.2026', '2026-11-20 10h', '11/20/2026 10:00 AM'])
      expect(problemsOf(await read(text))).toEqual(['intake/format-wrong /rows/0/releaseDateTime'])
    expect(problemsOf(await read('2026-11-31 10:00'))).toEqual(['intake/date-not-in-calendar /rows/0/releaseDateTime'])
  })

  test('refuses seals that no unit is named for', async () => {
    const [entry] = await readAll(
      `${needed},equipmentIds,seals\nA1,EX,KZ,CN,cleared,100199,Wheat,DSTU4100014|DSTU4100020,S1`,
    )
    expect(problemsOf(entry)).toEqual(['intake/format-wrong /rows/0/seals'])
  })
})

describe('rows that cannot be read', () => {
  test('a row with a cell too few refuses its own declaration alone', async () => {
    expect(await shown(table(row('A1'), 'A2,EX,KZ', row('A3')))).toEqual(['A1', 'intake/csv-row-shape', 'A3'])
  })

  test('a row of a declaration refuses all of it, and no other', async () => {
    expect(await shown(table(row('A1'), row('A2'), 'A2,EX', row('A2'), row('A3')))).toEqual([
      'A1',
      'intake/csv-row-shape',
      'A3',
    ])
  })

  test('a row that nobody can tell the declaration of makes its neighbours doubtful', async () => {
    expect(await shown(table(row('A1'), row('A2'), ',EX,KZ,CN,cleared,100199,Wheat', row('A3'), row('A4')))).toEqual([
      'A1',
      'intake/csv-row-doubtful',
      'intake/element-missing',
      'intake/csv-row-doubtful',
      'A4',
    ])
  })

  test('a declaration that states its number of items, and has them, is beyond doubt', async () => {
    const head = `${needed},goodsItemQuantity`
    const text = [head, `${row('A1')},2`, `${row('A1')},`, '"', `${row('A2')},1`, `${row('A3')},2`].join('\n')
    expect(await shown(text)).toEqual(['A1', 'intake/csv-quote', 'A2', 'A3'])
    const short = [head, `${row('A1')},3`, `${row('A1')},`, '"', `${row('A2')},1`].join('\n')
    expect(await shown(short)).toEqual(['intake/csv-row-doubtful', 'intake/csv-quote', 'A2'])
  })

  test('an unreadable row between rows of one declaration refuses it with the reason', async () => {
    const [entry] = await readAll(table(row('A1'), '"broken', row('A1')))
    expect(problemsOf(entry)).toEqual(['intake/csv-quote /rows/1'])
  })

  test('a forgotten mark costs its line, and the lines after it are read anew', async () => {
    const rows = Array.from({ length: 50 }, (_, at) => row(`B${at}`))
    const text = table(row('A1'), 'A2,EX,KZ,CN,cleared,100199,"Wheat', ...rows)
    const entries = await readAll(text)
    expect(entries.filter(({ result }) => result.ok)).toHaveLength(49)
    expect(entries.filter(({ result }) => !result.ok).map(codesOf)).toEqual([
      ['intake/csv-row-doubtful'],
      ['intake/csv-quote'],
      ['intake/csv-row-doubtful'],
    ])
  })

  test('bytes that are not UTF-8, NUL bytes and rows over the limit cost their row', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${needed},goodsItemQuantity\n${row('A1')},1\n`),
      Buffer.from([0x41, 0xff, 0x0a, 0x42, 0x00, 0x0a]),
      Buffer.from(`${'x'.repeat(500)}\n${row('A2')},1\n`),
    ])
    const entries = await readAll(bytes, { limits: { lineBytesMax: 300 } })
    expect(entries.map((entry) => codesOf(entry).join(''))).toEqual([
      '',
      'intake/encoding',
      'intake/nul-byte',
      'intake/line-too-large',
      '',
    ])
  })

  test('a declaration over more rows than are read is refused, and the next one is not', async () => {
    const text = table(...Array.from({ length: 6 }, () => row('A1')), row('A2'))
    const entries = await readAll(text, { limits: { rowsMax: 5 } })
    expect(entries.map((entry) => codesOf(entry).join(''))).toEqual(['intake/too-many-rows', ''])
  })
})

describe('rows of one record that stand apart', () => {
  test('refuse all of its parts, and no other record', async () => {
    const entries = await readAll(table(row('A1'), row('A2'), row('A1', 'EX,KZ,CN,cleared,100199,Rye'), row('A3')))
    expect(entries.map((entry) => codesOf(entry).join(' '))).toEqual([
      'intake/csv-rows-apart',
      '',
      'intake/csv-rows-apart',
      '',
    ])
    const facts = entries.map(({ result }) => (result.ok ? undefined : result.refusal.problems[0]?.facts))
    expect(facts[0]).toEqual({ otherLine: 4 })
    expect(facts[2]).toEqual({ otherLine: 2 })
  })

  test('refuse what comes late, when the first part has gone on long ago', async () => {
    const between = Array.from({ length: 50 }, (_, at) => row(`B${at}`))
    const text = table(row('A1'), ...between, row('A1', 'EX,KZ,CN,cleared,100199,Rye'))
    const entries = await readAll(text, { limits: { waitingBytesMax: 1000 } })
    expect(entries.filter(({ result }) => !result.ok).map(({ line }) => line)).toEqual([53])
  })

  test('are no rows apart when a whole record stands twice, or in two versions', async () => {
    expect(await shown(table(row('A1'), row('A2'), row('A1')))).toEqual(['A1', 'A2', 'A1'])
    const versions = [`${needed},versionId`, `${row('A1')},1`, `${row('A2')},1`, `${row('A1')},2`].join('\n')
    expect(await shown(versions)).toEqual(['A1', 'A2', 'A1'])
  })

  test('refuse both parts of a train, so that none replaces the other', async () => {
    const text = 'transferListNumber,from,to,containerId\n1,A,B,DSTU4100014\n2,A,B,DSTU4100020\n1,A,B,DSTU4100035'
    expect((await readAll(text)).map(({ result }) => result.ok)).toEqual([false, true, false])
  })
})

describe('the header', () => {
  test.each([
    ['an unknown column', `${needed},invoiceColour\n${row('A1')},red`, ['intake/csv-column-unknown /header/7']],
    ['a column twice', `${needed},Kind\n${row('A1')},EX`, ['intake/csv-column-repeated /header/7']],
    [
      'a needed column missing',
      'declarationId,kind,commodityCode,description\nA1,EX,100199,Wheat',
      ['intake/csv-column-missing /header', 'intake/csv-column-missing /header', 'intake/csv-column-missing /header'],
    ],
    ['a list of nothing', 'from,to,trainNumber\nA,B,1', ['intake/csv-column-missing /header']],
    ['no row', `${needed}\n\n`, ['intake/empty ']],
  ])('with %s refuses the file in one record', async (_what, text, expected) => {
    const entries = await readAll(text)
    expect(entries.map(problemsOf)).toEqual([expected])
    expect(Buffer.from(entries[0]?.original ?? []).toString()).toBe(text.replace(/\n\n$/, '\n'))
  })
})

describe('the table of the railway', () => {
  test('lists wagons once, containers on their wagons, empties, seals, notes and declarations', async () => {
    const [entry, ...others] = await readAll(sample('transfer-list.csv'))
    expect(others).toEqual([])
    expect(notesOf(entry)).toEqual([])
    expect(entry?.result.ok && entry.result.value).toEqual({
      record: 'railway-list',
      content: {
        leg: {
          trainNumber: 'X8086',
          trainIndex: '6682 017 7077',
          transferListNumber: '4471',
          transferListDate: '2026-11-21',
          gauge: '1520',
          from: { esr: '707701', name: { text: 'Алтынколь', language: 'und' } },
          to: { name: { text: '霍尔果斯', language: 'und' }, country: 'CN' },
          plannedDepartureAt: '2026-11-21T22:10:00.000Z',
        },
        wagons: [
          { sequence: 1, number: '94205776', idTypeCode: '1520-8', tareMass: '21500', loadState: 'loaded' },
          {
            sequence: 2,
            number: '52968011',
            idTypeCode: '1520-8',
            tareMass: '22100',
            loadState: 'loaded',
            seals: [{ id: 'KZT0012400' }],
            notes: [{ number: '30212346', date: '2026-11-20' }],
          },
          {
            sequence: 3,
            number: '94205784',
            idTypeCode: '1520-8',
            tareMass: '21500',
            loadState: 'with-empty-containers',
          },
        ],
        containers: [
          {
            id: 'DSTU4100014',
            sizeTypeCode: '22G1',
            fullnessCode: '5',
            onWagon: '94205776',
            grossMass: '29300.5',
            seals: [{ id: 'KZT0012345' }],
            notes: [{ number: '30212345', date: '2026-11-20' }],
            declarationIds: ['55302/201126/0001234'],
          },
          {
            id: 'DSTU4100020',
            sizeTypeCode: '22G1',
            fullnessCode: '5',
            onWagon: '94205776',
            grossMass: '29350',
            seals: [{ id: 'KZT0012346' }, { id: 'KZT0012399' }],
            notes: [{ number: '30212345', date: '2026-11-20' }],
            declarationIds: ['55302/201126/0001234'],
          },
          { id: 'DSTU4100035', sizeTypeCode: '22G1', fullnessCode: '4', onWagon: '94205784', grossMass: '2300' },
        ],
      },
    })
  })

  test('lists a groupage box once, with all its consignment notes', async () => {
    const rows = ['30212345', '30212346'].map((note) => `707701,CNKHG,94205776,DSTU4100014,${note},S1`)
    const [entry] = await readAll(['from,to,wagonNumber,containerId,noteNumber,containerSeals', ...rows].join('\n'))
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      containers: [
        { id: 'DSTU4100014', notes: [{ number: '30212345' }, { number: '30212346' }], seals: [{ id: 'S1' }] },
      ],
    })
    const contradicting = 'from,to,containerId,containerGrossMass\n707701,CNKHG,DSTU4100014,1\n,,DSTU4100014,2'
    expect(problemsOf((await readAll(contradicting))[0])).toEqual(['intake/csv-rows-disagree /rows/1'])
  })

  test('takes defective numbers as they are, because real boxes carry them', async () => {
    const [entry] = await readAll('from,to,wagonNumber,containerId\n707701,CNKHG,12345678,no number')
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      wagons: [{ number: '12345678' }],
      containers: [{ id: 'no number', onWagon: '12345678' }],
    })
  })

  test('makes one record of each list, and refuses a wagon that contradicts itself', async () => {
    const entries = await readAll(
      'transferListNumber,from,to,wagonNumber,wagonTareMass\n1,A,B,94205776,100\n2,A,B,94205776,100\n2,A,B,94205776,200\n2,A,B,,',
    )
    expect(entries.map(problemsOf)).toEqual([
      [],
      ['intake/csv-rows-disagree /rows/1', 'intake/element-missing /rows/2/wagonNumber|containerId'],
    ])
  })
})

test('reads any cells, however quoted and delimited, as they were written', async () => {
  const cell = fc.string({ unit: fc.constantFrom(...'aЖ中"\',;\t=+-@|\\ '.split('')), maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(cell, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(',', ';', '\t'),
      async (texts, delimiter) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
        const rows = texts.map((text, at) =>
          [`R${at}`, 'EX', 'KZ', 'CN', 'cleared', '100199', `x${text}x`].map(quoted).join(delimiter),
        )
        const entries = await readAll([needed.replaceAll(',', delimiter), ...rows].join('\r\n'))
        expect(
          entries.map(({ result }) =>
            result.ok && result.value.record === 'declaration'
              ? result.value.content.items[0]?.description.text
              : 'refused',
          ),
        ).toEqual(texts.map((text) => `x${text}x`.replace(/\s+/g, ' ')))
      },
    ),
    { numRuns: 60 },
  )
})
