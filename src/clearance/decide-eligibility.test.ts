import { describe, expect, test } from 'vitest'
import { aHomeDeclaration, anEligibilityContext, type DeepPartial } from '../../tests/builders/clearance.ts'
import { clause } from '../../tests/clause.ts'
import { clearanceCodes } from './codes.ts'
import {
  decideEligibility,
  decideHeldRelease,
  type EligibilityContext,
  eligibilityGrounds,
  type OfficerDecision,
} from './decide-eligibility.ts'
import type { HomeDeclaration } from './model.ts'
import { readReference } from './reference/index.ts'

const reference = await readReference()

const decide = (overrides: DeepPartial<HomeDeclaration> = {}, context: Partial<EligibilityContext> = {}) =>
  decideEligibility(aHomeDeclaration(overrides), anEligibilityContext(reference, context))
const ground = (overrides: DeepPartial<HomeDeclaration> = {}, context: Partial<EligibilityContext> = {}) => {
  const decision = decide(overrides, context)
  return 'ground' in decision ? `${decision.outcome} ${decision.ground}` : decision.outcome
}
/** Nothing on the way is named: no mode, station, note, wagon or train. */
const unnamed = { notes: undefined, borderStations: undefined, borderModeCode: undefined, routingCountries: undefined }
const transit = (consignment: DeepPartial<HomeDeclaration['consignment']>) => ({
  declaration: { kind: 'TR' as const },
  consignment: { destinationStation: undefined, ...consignment },
})
const [first, second] = aHomeDeclaration().items
const items = (...more: Array<Partial<HomeDeclaration['items'][number]>>): { items: HomeDeclaration['items'] } => ({
  items: [first, second].flatMap((item, index) => (item ? [{ ...item, ...more[index] }] : [])),
})
const person = { parties: { consignee: { kind: 'natural-person' as const } } }
const noPapers = { documents: undefined }

describe('goods that the Protocol concerns', () => {
  clause(
    ['STOP-2021/2.1-r1', 'STOP-2021/2.1-r3'],
    'lets out an export to the partner, without what home says of exclusions',
    () => {
      const home = {
        exclusion: { personalUse: 'no' as const, postal: false },
        ...items({ exclusion: { stateSecret: false } }),
      }
      expect(decide(home)).toEqual({ outcome: 'eligible', declaration: aHomeDeclaration() })
    },
  )
  clause(
    'STOP-2021/2.1-r3',
    'lets out goods whose transit route crosses the partner, whatever their destination',
    () => {
      expect(ground(transit({ destinationCountry: 'DE' }))).toBe('eligible')
      expect(ground(transit({ destinationCountry: 'UZ', borderStations: undefined }))).toBe('eligible')
      expect(ground(transit({ destinationCountry: 'KG', routingCountries: undefined }))).toBe('eligible')
      expect(ground({ consignment: { destinationStation: { country: 'KG' } } })).toBe('eligible')
    },
  )
  test('lets out wagons, containers and neither, sealed or not', () => {
    expect(
      ground({ equipment: [], wagons: [], ...items({ equipmentIds: undefined }, { equipmentIds: undefined }) }),
    ).toBe('eligible')
    expect(ground({ equipment: [], wagons: [{ number: '95535399' }] })).toBe('eligible')
  })
  test('lets out transit that another state began and that leaves towards the partner', () => {
    const fromRussia = { homeCountry: 'KZ', partnerCountry: 'CN' }
    expect(
      ground(
        transit({ exportCountry: 'RU', destinationCountry: 'CN', routingCountries: ['RU', 'KZ', 'CN'] }),
        fromRussia,
      ),
    ).toBe('eligible')
  })
})

describe('train services', () => {
  clause('STOP-2021/1.1', 'treats every train service alike, express or not, named or not', () => {
    for (const trainNumber of ['X8155', '41007', 'C8601', undefined])
      expect([trainNumber, ground({ consignment: { trainNumber } })]).toEqual([trainNumber, 'eligible'])
  })
})

describe('goods that it does not concern', () => {
  clause('STOP-2021/1.2-r2', 'sends nothing before customs has cleared and released', () => {
    expect(ground({ customsDecision: { statusCode: 'not-cleared' } })).toBe('not-concerned clearance/not-cleared')
    expect(ground({ customsDecision: { statusCode: 'withdrawn' } })).toBe('not-concerned clearance/withdrawn')
    expect(ground({ customsDecision: { statusCode: 'cancelled' } })).toBe('not-concerned clearance/withdrawn')
    expect(ground({ customsDecision: { releaseDateTime: undefined } })).toBe('held clearance/release-unknown')
    expect(ground({ customsDecision: { statusCode: 'cleared-after-check' } })).toBe('eligible')
  })
  clause('STOP-2021/1.2-r2', 'holds a release that lies in the future, beyond the allowance for clocks', () => {
    expect(ground({ customsDecision: { releaseDateTime: '2026-11-22T06:05:00Z' } })).toBe('eligible')
    expect(ground({ customsDecision: { releaseDateTime: '2026-11-22T06:05:01Z' } })).toBe(
      'held clearance/release-not-reached',
    )
  })
  clause('STOP-2021/2.1-r2', 'sends no data of imports or of goods that stay', () => {
    expect(ground({ consignment: { destinationCountry: 'CN' } })).toBe('not-concerned clearance/not-leaving')
    expect(ground({ consignment: { exportCountry: 'KZ' } })).toBe('not-concerned clearance/not-our-export')
  })
  clause('STOP-2021/2.1-r3', 'sends nothing when neither destination nor route lies in the partner state', () => {
    const manzhouli = {
      destinationCountry: 'RU',
      routingCountries: ['CN', 'RU'],
      borderStations: [{ unLocode: 'CNMLX' }],
    }
    expect(ground(transit(manzhouli))).toBe('not-concerned clearance/no-nexus')
    expect(ground(transit({ ...manzhouli, routingCountries: undefined }))).toBe('not-concerned clearance/no-nexus')
    const around = { ...manzhouli, routingCountries: ['CN', 'MN', 'RU'], borderStations: undefined }
    expect(ground(transit(around))).toBe('not-concerned clearance/no-nexus')
  })
  clause('STOP-2021/2.1-r3', 'sends nothing back to the state the goods came from, though the route lists it', () => {
    const through = transit({
      exportCountry: 'CN',
      destinationCountry: 'RU',
      routingCountries: ['CN', 'KZ', 'RU'],
      borderStations: [{ esr: '707701' }, { esr: '666501' }],
    })
    expect(ground(through, { homeCountry: 'KZ', partnerCountry: 'CN' })).toBe('not-concerned clearance/no-nexus')
  })
  clause('STOP-2021/1.2-r1', 'sends nothing about goods that leave by road, sea, air or pipe', () => {
    for (const borderModeCode of ['1', '3', '4', '7', '8'])
      expect(ground({ consignment: { ...unnamed, borderModeCode } })).toBe('not-concerned clearance/not-rail')
  })
  clause('STOP-2021/4-r1', 'sends nothing about goods that leave by a rail crossing of another border', () => {
    expect(ground({ consignment: { borderStations: [{ unLocode: 'CNMLX' }] } })).toBe(
      'not-concerned clearance/other-border',
    )
  })
})

describe('the rail crossing', () => {
  const route = { ...unnamed, routingCountries: ['CN', 'KZ'] }
  test.each<[string, DeepPartial<HomeDeclaration>]>([
    ['the mode of transport', { consignment: { ...route, borderModeCode: '2' } }],
    ['a station of the border by its code', { consignment: { ...route, borderStations: [{ esr: '70770' }] } }],
    [
      'a station of the border by its name',
      { consignment: { ...route, borderStations: [{ name: { text: 'Алтынколь (эксп.)', language: 'ru' } }] } },
    ],
    ['the office of exit', { declaration: { exitOfficeId: '55302' }, consignment: route }],
    ['the office of entry', { declaration: { intendedEntryOfficeId: '55302' }, consignment: route }],
    ['wagons', { wagons: [{ number: '5270011' }], consignment: route }],
    ["a railway's note", { consignment: { ...route, notes: [{ number: '1', typeCode: '720' }] } }],
    ['a train number', { consignment: { ...route, trainNumber: 'X8001' } }],
  ])('is known by %s', (_, home) => expect(ground(home)).toBe('eligible'))
  test('is for an officer to tell when nothing names it, or when road stands beside a rail station', () => {
    expect(ground({ consignment: route })).toBe('held clearance/rail-unknown')
    expect(ground({ consignment: { borderModeCode: '3' } })).toBe('held clearance/rail-unknown')
  })
  test('is on the list on its days only', () => {
    const [checkpoint] = anEligibilityContext(reference).checkpoints
    const dated = (validUntil: string) => ({ checkpoints: checkpoint ? [{ ...checkpoint, validUntil }] : [] })
    const home = transit({
      ...unnamed,
      destinationCountry: 'DE',
      borderStations: [{ esr: '707701' }],
      borderModeCode: '2',
    })
    expect(ground(home, dated('2026-11-21'))).toBe('eligible')
    expect(ground(home, dated('2026-11-20'))).toBe('held clearance/route-unknown')
  })
  test('does not tell the route when only the mode is known', () => {
    expect(ground(transit({ ...unnamed, borderModeCode: '2', destinationCountry: 'DE' }))).toBe(
      'held clearance/route-unknown',
    )
    const ends = { ...unnamed, routingCountries: ['CN', 'DE'], borderModeCode: '2', destinationCountry: 'DE' }
    expect(ground(transit(ends))).toBe('held clearance/route-unknown')
  })
})

describe('goods of another state of the customs union', () => {
  const home = {
    consignment: {
      exportCountry: 'RU',
      destinationCountry: 'CN',
      destinationStation: undefined,
      routingCountries: ['RU', 'KZ', 'CN'],
    },
  }
  const kazakh = { homeCountry: 'KZ', partnerCountry: 'CN' }
  clause('STOP-2021/3.a', 'wait for the working group and are no error', () => {
    expect(decide(home, kazakh)).toEqual({
      outcome: 'held',
      ground: 'clearance/union-export-pending',
      clause: 'STOP-2021/3.a',
      questions: ['clearance/union-export-pending'],
    })
  })
  test('go out once it has decided so', () =>
    expect(ground(home, { ...kazakh, unionExports: 'send' })).toBe('eligible'))
  test('are not ours to send where home is in no union with it', () =>
    expect(ground({ consignment: { exportCountry: 'RU' } })).toBe('not-concerned clearance/not-our-export'))
})

describe('goods that must not be sent', () => {
  clause('STOP-2021/6.4', 'withholds state secrets, by mark of home or by a marking on the goods', () => {
    expect(ground({ exclusion: { stateSecret: true } })).toBe('withheld clearance/state-secret')
    for (const marks of ['СОВЕРШЕННО СЕКРЕТНО', '★机密★', 'құпия'])
      expect(ground(items({ packages: [{ quantity: 1, marks }] }, { packages: [{ quantity: 1, marks }] })), marks).toBe(
        'withheld clearance/state-secret',
      )
    expect(ground(items({ description: { text: 'Духи «Секретно»', language: 'ru' } }))).toBe('eligible')
  })
  clause('STOP-2021/2.5-r1', 'withholds what own law forbids', () =>
    expect(ground({ exclusion: { ownLaw: true } })).toBe('withheld clearance/own-law'),
  )
  clause('STOP-2021/2.3-r2', 'withholds international post, by mark of home, mode of transport or postal paper', () => {
    expect(ground({ exclusion: { postal: true } })).toBe('withheld clearance/postal')
    expect(ground({ consignment: { borderModeCode: '5' } })).toBe('withheld clearance/postal')
    for (const typeCode of ['CN23', '936', 'N750'])
      expect(ground({ documents: [{ typeCode: '380' }, { typeCode }] }), typeCode).toBe('withheld clearance/postal')
    expect(ground({ consignment: { notes: [{ number: '1', typeCode: '750' }] } })).toBe('withheld clearance/postal')
  })
  clause('STOP-2021/2.3-r1', 'withholds goods for personal use, by mark of home, parcel list or procedure', () => {
    expect(ground({ exclusion: { personalUse: 'yes' } })).toBe('withheld clearance/personal-use')
    expect(ground({ parties: { consignee: { kind: 'natural-persons' } } })).toBe('withheld clearance/personal-use')
    expect(ground({ declaration: { procedureCode: '9610' } })).toBe('withheld clearance/personal-use')
  })
  clause(
    'STOP-2021/2.3-r1',
    'withholds a parcel list though home marked it as commercial and a company sends it',
    () => {
      const parcels = {
        parties: { consignee: { kind: 'natural-persons' as const } },
        exclusion: { personalUse: 'no' as const },
      }
      expect(ground(parcels)).toBe('withheld clearance/personal-use')
    },
  )
  clause('STOP-2021/2.3-r1', 'leaves out the line whose own procedure or parcel list is for consumers', () => {
    for (const sign of [
      { procedureCode: '9610' },
      { procedureCode: '121000' },
      { consignee: { kind: 'natural-persons' as const } },
    ]) {
      const decision = decide({
        equipment: [{ id: 'XDKU1000018' }, { id: 'XDKU1000044' }],
        ...items({ procedureCode: '0110', equipmentIds: ['XDKU1000018'] }, { equipmentIds: ['XDKU1000044'], ...sign }),
      })
      expect(decision).toMatchObject({ outcome: 'partial', leftOut: [{ index: 1, ground: 'clearance/personal-use' }] })
      expect(decision).not.toHaveProperty('declaration.items.0.procedureCode')
    }
  })
  test('does not read the procedure of one country as that of another', () => {
    const russian = {
      declaration: { kind: 'TR' as const, procedureCode: '9610' },
      consignment: { exportCountry: 'RU', destinationCountry: 'CN', routingCountries: ['KZ', 'CN'] },
    }
    expect(ground(russian, { homeCountry: 'KZ', partnerCountry: 'CN' })).toBe('eligible')
  })
  test('names the strongest ground when several apply', () => {
    const all = { personalUse: 'yes' as const, postal: true, stateSecret: true, ownLaw: true }
    expect(ground({ exclusion: all })).toBe('withheld clearance/state-secret')
    expect(ground({ exclusion: { ...all, stateSecret: false } })).toBe('withheld clearance/own-law')
    expect(ground({ exclusion: { ...all, stateSecret: false, ownLaw: false } })).toBe('withheld clearance/postal')
  })
  test('is not called so when the Protocol does not concern it anyway', () =>
    expect(ground({ exclusion: { personalUse: 'yes' }, customsDecision: { statusCode: 'not-cleared' } })).toBe(
      'not-concerned clearance/not-cleared',
    ))
})

describe('persons and businesses', () => {
  clause('STOP-2021/2.3-r1', 'lets an individual entrepreneur with a commercial contract pass', () => {
    for (const typeCode of ['315', 'N380', '03011'])
      expect(
        ground({ parties: { consignee: { kind: 'individual-entrepreneur' } }, documents: [{ typeCode }] }),
        typeCode,
      ).toBe('eligible')
  })
  clause('STOP-2021/2.3-r1', 'does not judge by the consignor alone', () => {
    expect(ground({ parties: { consignor: { kind: 'natural-person' } } })).toBe('eligible')
    expect(ground({ parties: { consignor: { kind: 'natural-person' } }, ...noPapers })).toBe(
      'held clearance/personal-use-unknown',
    )
  })
  clause('STOP-2021/2.3-r1', 'holds what is unknown for an officer', () => {
    const unknown = 'held clearance/personal-use-unknown'
    expect(ground({ exclusion: { personalUse: 'unknown' } })).toBe(unknown)
    expect(ground({ parties: { consignee: { kind: 'individual-entrepreneur' } }, ...noPapers })).toBe(unknown)
    expect(ground({ parties: { consignee: { kind: 'unknown' } }, ...noPapers })).toBe(unknown)
    expect(ground({ ...person })).toBe(unknown)
    expect(ground(items({ exclusion: { personalUse: 'unknown' } }))).toBe(unknown)
  })
  clause('STOP-2021/2.3-r1', 'holds lines for a person who stands behind a forwarder, or alone on a line', () => {
    const unknown = 'held clearance/personal-use-unknown'
    const toKazakhstan = { consignee: { kind: undefined, country: undefined, id: '850101300124' } }
    expect(ground({ parties: { importer: { kind: 'natural-person' } }, ...noPapers })).toBe(unknown)
    expect(ground({ parties: toKazakhstan, ...noPapers })).toBe(unknown)
    expect(ground({ ...items({}, { consignee: { id: '850101300124' } }), ...noPapers })).toBe(unknown)
    expect(ground(items({}, { consignee: { id: '850101300124' } }))).toBe('eligible')
  })
  test('asks for the commercial document behind goods for a natural person', () => {
    expect(decide({ ...person, ...noPapers })).toMatchObject({
      outcome: 'held',
      questions: ['clearance/personal-use-unknown', 'clearance/commercial-document-missing'],
    })
    expect(ground({ ...person, ...noPapers, exclusion: { personalUse: 'no' } })).toBe(
      'held clearance/commercial-document-missing',
    )
    expect(ground({ ...person, ...noPapers, exclusion: { personalUse: 'yes' } })).toBe(
      'withheld clearance/personal-use',
    )
    expect(ground({ ...person, exclusion: { personalUse: 'no' } })).toBe('eligible')
  })
  test('asks about a Kazakh person number where no kind is stated, whatever its check digit', () => {
    const consignee = { kind: undefined, country: 'KZ' }
    for (const id of ['850101300124', '850101300123'])
      expect(ground({ parties: { consignee: { ...consignee, id } }, ...noPapers })).toBe(
        'held clearance/personal-use-unknown',
      )
    expect(ground({ parties: { consignee: { ...consignee, id: '991140001226' } }, ...noPapers })).toBe('eligible')
    expect(ground({ parties: { consignee: { kind: undefined } }, ...noPapers })).toBe('eligible')
  })
})

describe('a mixed declaration', () => {
  clause('STOP-2021/2.3-r1', 'leaves exempt lines at home and renumbers and recounts the rest', () => {
    const decision = decide(items({ exclusion: { personalUse: 'yes' } }))
    expect(decision).toMatchObject({
      outcome: 'partial',
      leftOut: [{ index: 0, sequence: 1, ground: 'clearance/personal-use', clause: 'STOP-2021/2.3-r1' }],
      declaration: {
        declaration: {
          goodsItemQuantity: 1,
          totalPackageQuantity: 100,
          totalGrossMass: '9000',
          totalNetMass: '8400',
          invoiceAmount: { value: '21000', currency: 'USD' },
        },
        items: [{ sequence: 1, commodityCode: '9403609990' }],
      },
    })
    expect(JSON.stringify(decision.outcome === 'partial' && decision.declaration)).not.toMatch(
      /8415|12200|11700|47000|21200|68000|exclusion/,
    )
  })
  clause('STOP-2021/2.3-r1', 'withholds the whole when exempt lines cannot be told apart', () => {
    const inseparable = items({ exclusion: { personalUse: 'yes' }, grossMass: undefined })
    expect(decide(inseparable)).toEqual({
      outcome: 'withheld',
      ground: 'clearance/personal-use',
      clause: 'STOP-2021/2.3-r1',
      inseparable: true,
    })
  })
  test('is withheld whole when every line is exempt, each by its own ground', () => {
    expect(decide(items({ exclusion: { postal: true } }, { exclusion: { stateSecret: true } }))).toMatchObject({
      outcome: 'withheld',
      ground: 'clearance/state-secret',
      inseparable: false,
    })
  })
  test('lets a line say otherwise than the declaration', () => {
    expect(decide({ exclusion: { personalUse: 'yes' }, ...items({ exclusion: { personalUse: 'no' } }) })).toMatchObject(
      {
        outcome: 'partial',
        leftOut: [{ sequence: 2 }],
      },
    )
  })
  test('is held while a line that would be sent is unknown', () =>
    expect(ground(items({ exclusion: { personalUse: 'yes' } }, { exclusion: { personalUse: 'unknown' } }))).toBe(
      'held clearance/personal-use-unknown',
    ))
})

describe("an officer's decision on a held record", () => {
  const release = (
    home: DeepPartial<HomeDeclaration>,
    answers?: OfficerDecision['answers'],
    context: Partial<EligibilityContext> = {},
  ) =>
    decideHeldRelease(
      aHomeDeclaration(home),
      { decision: 'release', reason: 'seen', ...(answers && { answers }) },
      anEligibilityContext(reference, context),
    )
  test('releases what was unknown', () => {
    expect(release({ exclusion: { personalUse: 'unknown' } }).outcome).toBe('eligible')
    expect(release({ consignment: { ...unnamed, routingCountries: ['KZ'] } }).outcome).toBe('eligible')
    expect(release(transit({ ...unnamed, borderModeCode: '2', destinationCountry: 'DE' })).outcome).toBe('eligible')
  })
  test('withholds, and says that it was an officer', () => {
    const home = aHomeDeclaration({ exclusion: { personalUse: 'unknown' } })
    const decision = decideHeldRelease(
      home,
      { decision: 'withhold', reason: 'parcels' },
      anEligibilityContext(reference),
    )
    expect(decision).toMatchObject({
      outcome: 'withheld',
      ground: 'clearance/withheld-by-officer',
      clause: 'STOP-2021/2.3-r1',
    })
  })
  test('answers against the sending count as the record would have said it', () => {
    expect(release({ exclusion: { personalUse: 'unknown' } }, { personalUse: 'yes' })).toMatchObject({
      ground: 'clearance/personal-use',
    })
    expect(release({ consignment: { ...unnamed, routingCountries: ['KZ'] } }, { rail: 'no' })).toMatchObject({
      ground: 'clearance/not-rail',
    })
    expect(
      release(transit({ ...unnamed, borderModeCode: '2', destinationCountry: 'DE' }), { route: 'no' }),
    ).toMatchObject({ ground: 'clearance/no-nexus' })
  })
  test('answers line by line leave the exempt lines at home', () => {
    expect(
      release({ exclusion: { personalUse: 'unknown' } }, { lines: [{ sequence: 2, personalUse: 'yes' }] }),
    ).toMatchObject({
      outcome: 'partial',
      leftOut: [{ sequence: 2 }],
    })
  })
  clause(['STOP-2021/2.3-r1', 'STOP-2021/6.4'], 'never releases what law prohibits outright', () => {
    const prohibited: DeepPartial<HomeDeclaration>[] = [
      { exclusion: { personalUse: 'yes' } },
      { exclusion: { stateSecret: true } },
      { exclusion: { postal: true } },
      { parties: { consignee: { kind: 'natural-persons' } } },
      { ...items({ exclusion: { personalUse: 'yes' } }, { exclusion: { stateSecret: true } }) },
    ]
    for (const home of prohibited) {
      const all = {
        personalUse: 'no',
        rail: 'yes',
        route: 'yes',
        unionExportRef: 'WG-1',
        commercialDocument: { typeCode: '380' },
      } as const
      expect(release(home, all).outcome).toBe('withheld')
    }
  })
  test('does not touch a record that was not held', () => {
    expect(release({}).outcome).toBe('eligible')
    expect(release({ customsDecision: { statusCode: 'not-cleared' } }).outcome).toBe('not-concerned')
  })
  test('stays held until the paper is named, and sends the paper with it', () => {
    expect(release({ ...person, ...noPapers })).toMatchObject({
      outcome: 'held',
      questions: ['clearance/commercial-document-missing'],
    })
    expect(release({ ...person, ...noPapers }, { commercialDocument: { typeCode: '315', id: 'K-7' } })).toMatchObject({
      outcome: 'eligible',
      declaration: { documents: [{ typeCode: '315', id: 'K-7' }] },
    })
  })
  test('needs the reference of the working group for a union export, and the time for a release', () => {
    const union = { consignment: { exportCountry: 'RU', destinationCountry: 'CN', destinationStation: undefined } }
    const kazakh = { homeCountry: 'KZ', partnerCountry: 'CN' }
    expect(release(union, undefined, kazakh).outcome).toBe('held')
    expect(release(union, { unionExportRef: 'WG 2026-3, item 4' }, kazakh).outcome).toBe('eligible')
    expect(release({ customsDecision: { releaseDateTime: '2026-11-23T00:00:00Z' } }).outcome).toBe('held')
  })
})

test('every ground is a published code', () => {
  for (const code of Object.values(eligibilityGrounds).flatMap((grounds) => Object.keys(grounds)))
    expect(clearanceCodes[code as keyof typeof clearanceCodes]?.kind, code).toBe('ground')
})
