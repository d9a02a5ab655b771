import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aClearance, builderNow, type DeepPartial } from '../../tests/builders/clearance.ts'
import { clause } from '../../tests/clause.ts'
import { checkClearance } from './check-clearance.ts'
import { mergeWarnings, WARNINGS_MAX } from './findings.ts'
import type { Clearance, GoodsItem } from './model.ts'
import { readReference } from './reference/index.ts'
import { defaultRules, readRuleProfile } from './rule-profile.ts'

const reference = await readReference()

const check = (overrides: DeepPartial<Clearance>, rules = defaultRules) =>
  checkClearance(aClearance(overrides), reference, rules, builderNow)
const found = (overrides: DeepPartial<Clearance>) => check(overrides).map(({ code, pointer }) => `${code} ${pointer}`)
const lines = (...changes: Array<Partial<GoodsItem>>): { items: GoodsItem[] } => ({
  items: aClearance().items.map((item, index) => ({ ...item, ...changes[index] })),
})
const box = (id: string, more: Partial<Clearance['equipment'][number]> = {}) => ({ id, ...more })

test('finds nothing in a record that is in order', () => expect(check({})).toEqual([]))

describe('identifiers', () => {
  test('warns of a container without an ISO number and of a wrong check digit, naming the box', () => {
    const both = {
      equipment: [box('TANK-0042'), box('XDKU1000019')],
      ...lines({ equipmentIds: ['TANK-0042'] }, { equipmentIds: ['XDKU1000019'] }),
    }
    expect(check(both).filter(({ pointer }) => pointer.startsWith('/equipment'))).toEqual([
      { code: 'clearance/container-not-iso-6346', pointer: '/equipment/0/id', facts: { container: 'TANK-0042' } },
      { code: 'clearance/container-check-digit', pointer: '/equipment/1/id', facts: { container: 'XDKU1000019' } },
    ])
  })
  test('warns of a line whose container is not listed and names the one it is a slip away from', () => {
    expect(check(lines({ equipmentIds: ['XDKU1000081'] }))).toContainEqual({
      code: 'clearance/container-not-listed',
      pointer: '/items/0/equipmentIds/0',
      facts: { container: 'XDKU1000081', closeTo: 'XDKU1000018' },
    })
    expect(check(lines({ equipmentIds: ['XDKU2000001'] }))[0]?.facts).toEqual({ container: 'XDKU2000001' })
  })
  test('warns of a container that stands twice', () => {
    const again = aClearance().equipment[0]
    expect(
      found({ equipment: again ? [again, again] : [], declaration: { totalPackageQuantity: undefined } }),
    ).toContain('clearance/container-repeated /equipment/1/id')
  })
  test('warns of wagon numbers by the type stated or their length', () => {
    const wagons: Clearance['wagons'] = [
      { number: '95535398' },
      { number: '9553539A' },
      { number: '95535399', idTypeCode: 'CN-7' },
      { number: '95236196' },
      { number: '95236196' },
    ]
    expect(found({ wagons })).toEqual([
      'clearance/wagon-check-digit /wagons/0/number',
      'clearance/wagon-number-format /wagons/1/number',
      'clearance/wagon-number-format /wagons/2/number',
      'clearance/wagon-repeated /wagons/4/number',
    ])
  })
  test('warns of a container on a wagon that is not listed, and of none while no wagon is', () => {
    const on = { equipment: aClearance().equipment.map((one) => ({ ...one, onWagon: '95535399' })) }
    expect(found(on)).toEqual([])
    expect(found({ ...on, wagons: [{ number: '95236196' }] })).toEqual([
      'clearance/wagon-not-listed /equipment/0/onWagon',
    ])
  })
  test('warns of station codes wherever they stand', () => {
    const consignment = {
      departureStation: { esr: '708508' },
      destinationStation: { esr: 'ALMATY', country: 'KZ' },
      borderStations: [{ esr: '707701' }, { esr: '707702' }],
      notes: [{ number: '1', departureStation: { esr: '708508' } }],
    }
    expect(found({ consignment })).toEqual([
      'clearance/station-check-digit /consignment/departureStation/esr',
      'clearance/station-code-format /consignment/destinationStation/esr',
      'clearance/station-check-digit /consignment/borderStations/1/esr',
      'clearance/station-check-digit /consignment/notes/0/departureStation/esr',
    ])
  })
  test('warns of national numbers by the country of the party, and lets other registers pass', () => {
    const parties = {
      consignor: { id: '91610131MA6TX00001', country: 'CN' },
      consignee: { id: '991140001227', country: 'KZ' },
      exporter: { id: '6101960123', country: 'CN' },
      carriers: [
        { id: '0027', country: 'KZ' },
        { id: '991140001226', country: 'KZ' },
      ],
    }
    expect(found({ parties })).toEqual([
      'clearance/party-number /parties/consignor/id',
      'clearance/party-number /parties/consignee/id',
    ])
  })
  test('warns of a movement reference whose check fails, and of no other declaration number', () => {
    expect(found({ declaration: { id: '24GB000246J8NY33L8' } })).toEqual(['clearance/mrn-check-digit /declaration/id'])
    expect(found({ declaration: { id: '24GB000246J8NY33L7' } })).toEqual([])
    expect(found({ declaration: { id: '55302/211126/0000017' } })).toEqual([])
  })
  test('warns of vehicle numbers with forbidden letters and of serials that stand twice', () => {
    const identifiers = [
      { typeCode: 'VIN', id: 'LGXCE4CB5P0123456' },
      { typeCode: 'VIN', id: 'LGXCE4CB5PO123457' },
      { typeCode: 'VIN', id: 'LGXCE4CB5P0123456' },
    ]
    expect(found(lines({ identifiers }))).toEqual([
      'clearance/vin-format /items/0/identifiers/1/id',
      'clearance/serial-repeated /items/0/identifiers/2/id',
    ])
  })
})

describe('seals', () => {
  const sealed = aClearance().equipment[0] ?? box('')
  test('warns of one unsealed box among sealed ones, never of seals left to the train', () => {
    const unsealed = box('XDKU1000023')
    expect(found({ equipment: [sealed, unsealed] })).toContain('clearance/container-without-seal /equipment/1')
    expect(found({ equipment: [sealed, { ...unsealed, fullnessCode: '4' }] })).toEqual([])
    expect(found({ equipment: [{ ...sealed, seals: [] }] })).toEqual([])
  })
  test('warns of seals broken, missing or replaced without an act, and not of an act', () => {
    const seals = (['same', 'replaced-with-act', 'replaced-without-act', 'broken', 'missing'] as const).map(
      (state) => ({ id: state, state }),
    )
    expect(found({ equipment: [{ ...sealed, seals }] })).toEqual(
      [2, 3, 4].map((place) => `clearance/seal-exception /equipment/0/seals/${place}/state`),
    )
  })
})

describe('sums, only where both levels are present', () => {
  test('warns of counts and packages exactly', () => {
    expect(found({ declaration: { goodsItemQuantity: 3 } })).toEqual([
      'clearance/item-count /declaration/goodsItemQuantity',
    ])
    expect(check({ declaration: { totalPackageQuantity: 301 } })[0]).toEqual({
      code: 'clearance/packages-sum',
      pointer: '/declaration/totalPackageQuantity',
      facts: { stated: 301, found: 300, level: 'items' },
    })
  })
  test('warns of packages of containers against the declaration', () => {
    const equipment = aClearance().equipment.map((one) => ({ ...one, packageQuantity: 299 }))
    expect(found({ equipment })).toEqual(['clearance/packages-sum /equipment'])
  })
  test('is silent where one line leaves its packages or mass to the header', () => {
    expect(
      found({
        ...lines({ packages: [{ typeCode: 'CT' }] }),
        declaration: { totalPackageQuantity: 999 },
        equipment: [box('XDKU1000018')],
      }),
    ).toEqual([])
    expect(found({ ...lines({ grossMass: undefined }), declaration: { totalGrossMass: '99999' } })).toEqual([])
  })
  test('allows masses to differ by the published tolerance of the larger, and no more', () => {
    // 21200 against 21306.532…: 0.5 per cent of the larger.
    expect(found({ declaration: { totalGrossMass: '21306.5' } })).toEqual([])
    expect(found({ declaration: { totalGrossMass: '21306.6' } })).toEqual([
      'clearance/gross-mass-sum /declaration/totalGrossMass',
    ])
    expect(found({ declaration: { totalNetMass: '19000' } })).toEqual([
      'clearance/net-mass-sum /declaration/totalNetMass',
    ])
    const wide = readRuleProfile([
      { code: 'clearance/gross-mass-sum', level: 'warning', parameters: { massTolerancePercent: '5' } },
    ])
    expect(check({ declaration: { totalGrossMass: '22000' } }, wide)).toEqual([])
  })
  test('weighs boxes with their tare or without, and warns when neither reading agrees', () => {
    const weighed = (grossMass: string, tareMass?: string) => ({
      equipment: aClearance().equipment.map((one) => ({ ...one, grossMass, ...(tareMass && { tareMass }) })),
    })
    expect(found(weighed('25100', '3900'))).toEqual([])
    expect(found(weighed('21200', '3900'))).toEqual([])
    expect(found(weighed('25100'))).toEqual([])
    expect(found(weighed('29100', '3900'))).toEqual(['clearance/container-mass-sum /equipment'])
  })
  test('warns of net over gross at every level, and not of equal masses', () => {
    expect(found(lines({ netMass: '12201', grossMass: '12200' }))).toContain(
      'clearance/net-over-gross /items/0/netMass',
    )
    expect(found({ declaration: { totalNetMass: '20100', totalGrossMass: '20099' } })).toContain(
      'clearance/net-over-gross /declaration/totalNetMass',
    )
    expect(found({ wagons: [{ number: '95535399', netMass: '61000', grossMass: '60000' }] })).toEqual([
      'clearance/net-over-gross /wagons/0/netMass',
    ])
    expect(found({ ...lines({ netMass: '12200' }), declaration: { totalNetMass: undefined } })).toEqual([])
  })
  test('compares no mass of a temporary declaration, whose mass is approximate', () => {
    expect(found({ declaration: { temporary: { validUntil: '2027-05-01' }, totalGrossMass: '5000000' } })).toEqual([
      'clearance/temporary-declaration /declaration/temporary',
    ])
  })
})

describe('goods', () => {
  test('warns of an unknown subheading and of a heading alone', () => {
    expect(found(lines({ commodityCode: '8415999900' }, { commodityCode: '9403' }))).toEqual([
      'clearance/hs-unknown /items/0/commodityCode',
      'clearance/hs-heading-only /items/1/commodityCode',
    ])
  })
  test('warns of an unknown national suffix only where its nomenclature is known', () => {
    const code = '9403609990'
    expect(found(lines({}, { commodityCode: code }))).toEqual([])
    expect(found(lines({}, { commodityCode: code, classificationType: 'TNVED' }))).toEqual([
      'clearance/national-suffix-unknown /items/1/commodityCode',
    ])
    expect(
      found({
        ...lines({}, { commodityCode: code }),
        consignment: { exportCountry: 'KZ', destinationCountry: 'CN', destinationStation: undefined },
      }),
    ).toEqual(['clearance/national-suffix-unknown /items/1/commodityCode'])
    expect(found(lines({}, { commodityCode: code, classificationType: 'HS' }))).toEqual([])
    expect(found(lines({}, { commodityCode: '2603000000', classificationType: 'TNVED' }))).toEqual([])
  })
  test('warns of a number of digits that no tariff has, such as a lost zero in front', () => {
    for (const [code, at] of [
      ['702000007', 1],
      ['9403609', 1],
      ['94036090', 0],
      ['9403609000102', 0],
    ] as const)
      expect(found(lines({}, { commodityCode: code })), code).toHaveLength(at)
  })
  test('reads a national tariff code that is said to be no more than that as its country’s', () => {
    const code = { commodityCode: '9403609990', classificationType: 'TSP' }
    const consignment = { exportCountry: 'KZ', destinationCountry: 'CN', destinationStation: undefined }
    expect(found({ ...lines({}, code), consignment })).toEqual([
      'clearance/national-suffix-unknown /items/1/commodityCode',
    ])
    expect(found(lines({}, code))).toEqual([])
  })
  test('warns of batteries without a UN number, and of one that is no UN number', () => {
    expect(check(lines({ commodityCode: '8507600090' }))).toContainEqual({
      code: 'clearance/un-number-missing',
      pointer: '/items/0/dangerousGoods',
      facts: { hs6: '850760', expected: '3480 3481 3536' },
    })
    expect(found(lines({ commodityCode: '8507600090', dangerousGoods: ['3480'] }))).toEqual([])
    expect(found(lines({ dangerousGoods: ['UN3480'] }))).toEqual([
      'clearance/un-number-format /items/0/dangerousGoods/0',
    ])
  })
  test('notes 520 packages against 260 sets, and not 260 against 260', () => {
    const packed = (quantity: number) => ({
      ...lines({ packages: [{ typeCode: 'CT', quantity }] }),
      declaration: { totalPackageQuantity: undefined },
      equipment: [box('XDKU1000018')],
    })
    expect(check(packed(520))).toEqual([
      { code: 'clearance/packages-exceed-units', pointer: '/items/0/packages', facts: { packages: 520, units: '260' } },
    ])
    expect(check(packed(260))).toEqual([])
  })
  test('warns of codes that no list knows', () => {
    expect(
      found({
        ...lines({
          packages: [{ typeCode: 'Q9', quantity: 200 }],
          originCountry: 'ZZ',
          amount: { value: '47000', currency: 'RMB' },
        }),
        consignment: { deliveryTerms: { code: 'XXX' }, routingCountries: ['CN', 'XX'] },
        customsDecision: { controlTypeCodes: ['4', '99'] },
      }).sort(),
    ).toEqual([
      'clearance/code-unknown /consignment/deliveryTerms/code',
      'clearance/code-unknown /customsDecision/controlTypeCodes/1',
      'clearance/code-unknown /items/0/packages/0/typeCode',
      'clearance/country-unknown /consignment/routingCountries/1',
      'clearance/country-unknown /items/0/originCountry',
      'clearance/currency-unknown /items/0/amount/currency',
    ])
  })
  test('warns of two items with one number and of a line in an empty box', () => {
    expect(found(lines({}, { sequence: 1 }))).toEqual(['clearance/item-sequence-repeated /items/1/sequence'])
    expect(found({ equipment: [{ ...box('XDKU1000018'), fullnessCode: '4' }] })).toEqual([
      'clearance/empty-with-goods /items/0/equipmentIds/0',
      'clearance/empty-with-goods /items/1/equipmentIds/0',
    ])
  })
})

describe('dates, parties and route', () => {
  test('warns of the future only beyond the allowance for clocks', () => {
    const accepted = (acceptanceDateTime: string) => ({
      declaration: { acceptanceDateTime },
      customsDecision: { releaseDateTime: acceptanceDateTime },
    })
    expect(found(accepted('2026-11-22T06:05:00Z'))).toEqual([])
    expect(found(accepted('2026-11-22T06:05:01Z'))).toEqual([
      'clearance/acceptance-in-future /declaration/acceptanceDateTime',
      'clearance/release-in-future /customsDecision/releaseDateTime',
    ])
  })
  test('warns of a release or an effect before the acceptance, told by instants and not by spelling', () => {
    expect(
      found({
        customsDecision: { releaseDateTime: '2026-11-20T02:00:00Z', effectiveDateTime: '2026-11-20T02:00:00.0Z' },
      }),
    ).toEqual([])
    expect(
      found({
        customsDecision: { releaseDateTime: '2026-11-20T01:59:59.9Z', effectiveDateTime: '2026-11-19T00:00:00Z' },
      }),
    ).toEqual([
      'clearance/release-before-acceptance /customsDecision/releaseDateTime',
      'clearance/effective-before-acceptance /customsDecision/effectiveDateTime',
    ])
  })
  test('warns of a release that is missing and of a transit limit before it', () => {
    expect(found({ customsDecision: { releaseDateTime: undefined } })).toEqual([
      'clearance/release-missing /customsDecision/releaseDateTime',
    ])
    expect(found({ customsDecision: { transitLimitDate: '2026-11-21' } })).toEqual([])
    expect(found({ customsDecision: { transitLimitDate: '2026-11-20' } })).toEqual([
      'clearance/transit-limit-before-release /customsDecision/transitLimitDate',
    ])
  })
  test('warns of a temporary declaration after its last day', () => {
    const until = (validUntil: string) => found({ declaration: { temporary: { validUntil } } })
    expect(until('2026-11-22')).toEqual(['clearance/temporary-declaration /declaration/temporary'])
    expect(until('2026-11-21')).toContain('clearance/temporary-expired /declaration/temporary/validUntil')
  })
  test('notes a consignee "to order", by kind or by name', () => {
    const expected = ['clearance/consignee-to-order /parties/consignee']
    expect(found({ parties: { consignee: { kind: 'to-order' } } })).toEqual(expected)
    for (const text of ['TO ORDER', 'To the order of the bank', 'По приказу банка'])
      expect(found({ parties: { consignee: { name: { text, language: 'en' } } } })).toEqual(expected)
    expect(found({ parties: { consignee: { name: { text: 'Tortoise Ltd', language: 'en' } } } })).toEqual([])
  })
  test('warns when the destination station lies in another country than the destination', () => {
    expect(check({ consignment: { destinationStation: { country: 'KG' } } })).toEqual([
      {
        code: 'clearance/destination-contradicts-station',
        pointer: '/consignment/destinationStation/country',
        facts: { destination: 'KZ', station: 'KG' },
      },
    ])
  })
})

describe('text that deceives the eye', () => {
  const named = (text: string) => found({ parties: { consignee: { name: { text, language: 'ru' } } } })
  const at = '/parties/consignee/name/text'
  test('is marked at its place', () => {
    expect(named('ТОО «\u202eПример»')).toEqual([`clearance/bidi-control ${at}`])
    expect(named('ТОО «При\u200bмер»')).toEqual([`clearance/invisible-character ${at}`])
    expect(named('ТОО «Aлтын»')).toEqual([`clearance/mixed-script ${at}`])
    expect(named('Йогурт'.normalize('NFD'))).toEqual([`clearance/not-nfc ${at}`])
  })
  test('is not seen in Kazakh, Chinese, Georgian and mixed but honest names', () => {
    for (const text of [
      '«Қазақстан темір жолы» ҰК» АҚ',
      '中欧班列 (西安) 物流有限公司 A股',
      'შპს ნიმუში',
      'ТОО «LG-Сервис» 3D',
      'Müller & Söhne',
    ])
      expect(named(text), text).toEqual([])
  })
  test('never holds text in its facts', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12, maxLength: 60, unit: 'grapheme' }), (text) => {
        const body = aClearance({
          parties: { consignee: { name: { text, language: 'und' } } },
          ...lines({ description: { text, language: 'und' } }),
        })
        const facts = checkClearance(body, reference, defaultRules, builderNow).flatMap((one) =>
          Object.values(one.facts ?? {}),
        )
        expect(facts).not.toContain(text)
      }),
    )
  })
})

describe('rules as published', () => {
  clause(
    'STOP-2021/1.4-r2',
    'warns of what the partner lists and of nothing else when its rules run at the sender',
    () => {
      const rules = readRuleProfile([{ code: 'clearance/item-count', level: 'warning' }])
      expect(
        check({ declaration: { goodsItemQuantity: 3, totalPackageQuantity: 1 } }, rules).map(({ code }) => code),
      ).toEqual(['clearance/item-count'])
    },
  )
  test('keep our bound where theirs cannot be read', () => {
    const rules = readRuleProfile([
      { code: 'clearance/gross-mass-sum', level: 'warning', parameters: { massTolerancePercent: 'half' } },
      { code: 'clearance/acceptance-in-future', level: 'warning', parameters: { aheadSecondsMax: 60 } },
    ])
    expect(rules.bound('clearance/gross-mass-sum', 'massTolerancePercent')).toBe('0.5')
    expect(rules.bound('clearance/empty-too-heavy', 'emptyExcessKgMax')).toBe('1000')
    expect(rules.bound('clearance/acceptance-in-future', 'aheadSecondsMax')).toBe('60')
    expect(rules.bound('clearance/release-in-future', 'aheadSecondsMax')).toBe('300')
  })
  test('join to one warning per code and place, within what a body carries', () => {
    const one = { code: 'clearance/item-count', pointer: '/declaration' }
    expect(mergeWarnings([one], [one, { ...one, pointer: '/x' }])).toEqual([one, { ...one, pointer: '/x' }])
    const many = Array.from({ length: 1500 }, (_, index) => ({
      code: 'clearance/hs-unknown',
      pointer: `/items/${index}`,
    }))
    const merged = mergeWarnings(many)
    expect(merged).toHaveLength(WARNINGS_MAX)
    expect(merged[WARNINGS_MAX - 1]).toEqual({ code: 'clearance/more-warnings', pointer: '', facts: { count: 502 } })
  })
})
