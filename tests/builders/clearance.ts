/**
 * Builders of the clearance room, valid by default: each makes a record that every check accepts without a warning.
 * `overrides` are merged in depth; an array replaces the array; `undefined` removes the member.
 */
import type { Checkpoint } from '../../src/clearance/conditions/index.ts'
import type { EligibilityContext } from '../../src/clearance/decide-eligibility.ts'
import type {
  Arrival,
  Cancellation,
  Clearance,
  Departure,
  Discrepancy,
  HomeDeclaration,
  RailwayList,
  Reloading,
} from '../../src/clearance/model.ts'
import type { Reference } from '../../src/clearance/reference/index.ts'

export type DeepPartial<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { [Name in keyof Value]?: DeepPartial<Value[Name]> | undefined }
    : Value

/** Merges overrides into a fresh copy of a valid record. */
export function override<Value>(valid: Value, overrides: DeepPartial<Value> | undefined): Value {
  if (overrides === undefined) return structuredClone(valid)
  return merge(structuredClone(valid), overrides) as Value
}

function merge(valid: unknown, overrides: unknown): unknown {
  if (!isPlain(valid) || !isPlain(overrides)) return overrides
  const merged: Record<string, unknown> = { ...valid }
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) delete merged[name]
    else merged[name] = name in merged ? merge(merged[name], value) : value
  }
  return merged
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The builders' clock: a few hours after the release they state. */
export const builderNow = '2026-11-22T06:00:00.000Z'

const clearance: Clearance = {
  declaration: {
    id: '941120260112345678',
    kind: 'EX',
    typeCode: 'EX',
    versionId: 1,
    acceptanceDateTime: '2026-11-20T02:00:00.000Z',
    officeId: '9001',
    procedureCode: '0110',
    goodsItemQuantity: 2,
    totalPackageQuantity: 300,
    totalGrossMass: '21200',
    totalNetMass: '20100',
    invoiceAmount: { value: '68000', currency: 'USD' },
  },
  consignment: {
    notes: [
      {
        number: '30114477',
        typeCode: '720',
        departureStation: { unLocode: 'CNXIA', country: 'CN' },
        date: '2026-11-20',
      },
    ],
    departureStation: { unLocode: 'CNXIA', country: 'CN' },
    destinationStation: { esr: '700007', country: 'KZ', name: { text: 'Алматы', language: 'ru' } },
    borderStations: [
      { unLocode: 'CNHRS', country: 'CN' },
      { esr: '707701', country: 'KZ' },
    ],
    routingCountries: ['CN', 'KZ'],
    exportCountry: 'CN',
    destinationCountry: 'KZ',
    borderModeCode: '2',
    containerised: true,
    deliveryTerms: { code: 'CPT' },
  },
  parties: {
    consignor: {
      name: { text: '西安样本贸易有限公司', language: 'zh' },
      id: '91610131MA6TX0000X',
      kind: 'company',
      country: 'CN',
    },
    consignee: { name: { text: 'ТОО «Пример Логистик»', language: 'ru' }, kind: 'company', country: 'KZ' },
  },
  equipment: [
    {
      id: 'XDKU1000018',
      sizeTypeCode: '45G1',
      fullnessCode: '5',
      packageQuantity: 300,
      seals: [{ id: 'CN778899', sealingPartyRole: 'CU' }],
    },
  ],
  wagons: [],
  items: [
    {
      sequence: 1,
      commodityCode: '8415101000',
      description: { text: '分体式空调', language: 'zh' },
      grossMass: '12200',
      netMass: '11700',
      supplementaryQuantity: { value: '260', unitCode: 'SET' },
      packages: [{ typeCode: 'CT', quantity: 200 }],
      amount: { value: '47000', currency: 'USD' },
      originCountry: 'CN',
      equipmentIds: ['XDKU1000018'],
    },
    {
      sequence: 2,
      commodityCode: '9403609990',
      description: { text: '木制家具', language: 'zh' },
      grossMass: '9000',
      netMass: '8400',
      packages: [{ typeCode: 'CT', quantity: 100 }],
      amount: { value: '21000', currency: 'USD' },
      originCountry: 'CN',
      equipmentIds: ['XDKU1000018'],
    },
  ],
  documents: [{ typeCode: '380', id: 'INV-2026-114', date: '2026-11-18' }],
  customsDecision: { statusCode: 'cleared', releaseDateTime: '2026-11-21T04:00:00.000Z' },
}

/** An export from China to Kazakhstan: one 40-foot box with two lines, released and complete. */
export function aClearance(overrides?: DeepPartial<Clearance>): Clearance {
  return override<Clearance>(clearance, overrides)
}

/** The same as the national system hands it over. */
export function aHomeDeclaration(overrides?: DeepPartial<HomeDeclaration>): HomeDeclaration {
  return override<HomeDeclaration>(clearance, overrides)
}

export function aCancellation(overrides?: DeepPartial<Cancellation>): Cancellation {
  return override<Cancellation>(
    {
      declaration: { id: '941120260112345678', kind: 'EX', versionId: 2 },
      customsDecision: { statusCode: 'cancelled', effectiveDateTime: '2026-11-21T08:00:00.000Z' },
    },
    overrides,
  )
}

const railwayList: RailwayList = {
  leg: {
    trainNumber: 'X8001',
    transferListNumber: 'PL-114',
    transferListDate: '2026-11-22',
    gauge: '1435',
    from: { unLocode: 'CNHRS', country: 'CN' },
    to: { esr: '707701', country: 'KZ' },
    plannedDepartureAt: '2026-11-22T03:00:00.000Z',
  },
  listVersion: 1,
  wagons: [
    { sequence: 1, number: '5270011', idTypeCode: 'CN-7', loadState: 'loaded' },
    { sequence: 2, number: '5270012', idTypeCode: 'CN-7', loadState: 'with-empty-containers' },
  ],
  containers: [
    {
      id: 'XDKU1000018',
      sizeTypeCode: '45G1',
      fullnessCode: '5',
      onWagon: '5270011',
      grossMass: '25100',
      tareMass: '3900',
      seals: [{ id: 'CN778899', state: 'same' }],
      notes: [{ number: '30114477', departureStation: { unLocode: 'CNXIA' }, date: '2026-11-20' }],
    },
    {
      id: 'XDKU1000023',
      sizeTypeCode: '45G1',
      fullnessCode: '4',
      onWagon: '5270012',
      grossMass: '3900',
      tareMass: '3900',
    },
  ],
}

/** The railway's list of one leg: a loaded box of `aClearance` and an empty one, each on its wagon. */
export function aRailwayList(overrides?: DeepPartial<RailwayList>): RailwayList {
  return override<RailwayList>(railwayList, overrides)
}

/** The departure of that leg. */
export function aDeparture(overrides?: DeepPartial<Departure>): Departure {
  const { leg, wagons, containers } = railwayList
  return override<Departure>({ leg: { ...leg, departedAt: '2026-11-22T03:20:00.000Z' }, wagons, containers }, overrides)
}

export function anArrival(overrides?: DeepPartial<Arrival>): Arrival {
  return override<Arrival>(
    {
      leg: { ...railwayList.leg, arrivedAt: '2026-11-22T05:00:00.000Z' },
      units: [{ kind: 'container', id: 'XDKU1000018', seen: 'seen' }],
    },
    overrides,
  )
}

export function aDiscrepancy(overrides?: DeepPartial<Discrepancy>): Discrepancy {
  return override<Discrepancy>(
    {
      unit: { kind: 'container', id: 'XDKU1000018' },
      fact: 'seal-differs',
      expected: 'CN778899',
      found: 'CN778898',
      observedAt: '2026-11-22T05:30:00.000Z',
    },
    overrides,
  )
}

export function aReloading(overrides?: DeepPartial<Reloading>): Reloading {
  const { leg } = railwayList
  return override<Reloading>(
    {
      id: 'RL-2026-77',
      station: { esr: '707701', country: 'KZ' },
      fromLegs: [leg],
      toLegs: [
        {
          trainIndex: '7077-114-7000',
          gauge: '1520',
          from: { esr: '707701', country: 'KZ' },
          to: { esr: '700007', country: 'KZ' },
        },
      ],
      moves: [{ equipmentId: 'XDKU1000018', fromWagons: ['5270011'], toWagons: ['95535399'], massAfter: '25080' }],
    },
    overrides,
  )
}

const checkpoint: Checkpoint = {
  id: 'altynkol-khorgos',
  mode: 'rail',
  places: [
    {
      country: 'KZ',
      name: { en: 'Altynkol', ru: 'Алтынколь', kk: 'Алтынкөл', zh: '阿腾科里' },
      esr: '707701',
      unLocode: null,
      gauge: '1520',
      zone: 'Asia/Almaty',
      customsOffices: [{ id: '55302', confirmed: false }],
    },
    {
      country: 'CN',
      name: { en: 'Khorgos', ru: 'Хоргос', kk: 'Қорғас', zh: '霍尔果斯' },
      esr: null,
      unLocode: 'CNHRS',
      gauge: '1435',
      zone: 'Asia/Shanghai',
      customsOffices: [],
    },
  ],
  validFrom: null,
  validUntil: null,
  decisionRef: null,
}

/** The view of the Chinese side on its border with Kazakhstan, with one agreed crossing. */
export function anEligibilityContext(
  reference: Reference,
  overrides: Partial<EligibilityContext> = {},
): EligibilityContext {
  return {
    homeCountry: 'CN',
    partnerCountry: 'KZ',
    checkpoints: [structuredClone(checkpoint)],
    reference,
    now: builderNow,
    ...overrides,
  }
}
