import type {
  Consignment,
  ConsignmentNoteReference,
  DocumentReference,
  GoodsItem,
  HomeDeclaration,
  NamedText,
  Party,
  Station,
} from '../../src/clearance/model.ts'
import type { Random } from './random.ts'
import { type Box, goodsKgOf, oneDecimal } from './units.ts'

type Exclusion = NonNullable<HomeDeclaration['exclusion']>

export interface Goods {
  readonly code: string
  readonly description: NamedText
  readonly quantity?: { readonly value: string; readonly unitCode: string }
  readonly grossMass?: string
  readonly netMass?: string
  readonly packages?: { readonly typeCode: string; readonly quantity?: number; readonly marks?: string }
  readonly amountUsd?: string
  readonly origin?: string
  readonly un?: readonly string[]
  readonly vins?: readonly string[]
  readonly boxes?: readonly Box[]
  readonly wagonNumbers?: readonly string[]
  readonly exclusion?: Exclusion
}

export interface DeclarationSpec {
  readonly id: string
  readonly kind?: 'EX' | 'TR'
  readonly versionId?: number
  readonly classificationType: 'CN' | 'TNVED' | 'HS'
  readonly typeCode?: string
  readonly officeId: string
  readonly exitOfficeId: string
  readonly entryOfficeId?: string
  readonly procedureCode: string
  readonly acceptedAt: string
  readonly releasedAt: string
  readonly cleared?: 'cleared' | 'cleared-after-check'
  readonly controls?: readonly string[]
  readonly transitLimitDate?: string
  readonly temporary?: HomeDeclaration['declaration']['temporary']
  readonly packages?: number
  readonly grossMass?: string
  readonly netMass?: string
  readonly amountUsd?: string
  readonly from: Station
  readonly to?: Station
  readonly border: readonly Station[]
  readonly routing: readonly string[]
  readonly exportCountry: string
  readonly destinationCountry: string
  readonly notes?: readonly ConsignmentNoteReference[]
  readonly trainNumber?: string
  readonly terms?: { readonly code: string; readonly place: string }
  readonly consignor?: Party
  readonly consignee?: Party
  readonly exporter?: Party
  readonly declarant?: Party
  readonly carrier?: Party
  readonly boxes?: readonly Box[]
  readonly wagons?: HomeDeclaration['wagons']
  readonly goods: readonly Goods[]
  readonly documents?: readonly DocumentReference[]
  readonly guarantees?: readonly string[]
  readonly exclusion?: Exclusion
}

function present<Value extends object>(members: Value): Value {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)) as Value
}

function item(goods: Goods, index: number, spec: DeclarationSpec): HomeDeclaration['items'][number] {
  const base: GoodsItem = present({
    sequence: index + 1,
    commodityCode: goods.code,
    classificationType: spec.classificationType,
    description: goods.description,
    grossMass: goods.grossMass,
    netMass: goods.netMass,
    supplementaryQuantity: goods.quantity,
    packages: goods.packages === undefined ? undefined : [goods.packages],
    amount: goods.amountUsd === undefined ? undefined : { value: goods.amountUsd, currency: 'USD' },
    originCountry: goods.origin,
    dangerousGoods: goods.un === undefined ? undefined : [...goods.un],
    equipmentIds: goods.boxes?.map((box) => box.id),
    wagonNumbers: goods.wagonNumbers === undefined ? undefined : [...goods.wagonNumbers],
    identifiers: goods.vins?.map((id) => ({ typeCode: 'VIN', id })),
  })
  return goods.exclusion === undefined ? base : { ...base, exclusion: goods.exclusion }
}

/** Makes a declaration as the sample's national system would hand it over: only what its form really carries. */
export function declare(spec: DeclarationSpec): HomeDeclaration {
  const consignment: Consignment = present({
    notes: spec.notes === undefined ? undefined : [...spec.notes],
    departureStation: spec.from,
    destinationStation: spec.to,
    borderStations: [...spec.border],
    routingCountries: [...spec.routing],
    exportCountry: spec.exportCountry,
    destinationCountry: spec.destinationCountry,
    borderModeCode: '2',
    containerised: (spec.boxes ?? []).length > 0,
    deliveryTerms: spec.terms,
    trainNumber: spec.trainNumber,
  })
  return present({
    declaration: present({
      id: spec.id,
      kind: spec.kind ?? 'EX',
      typeCode: spec.typeCode,
      versionId: spec.versionId ?? 1,
      acceptanceDateTime: spec.acceptedAt,
      officeId: spec.officeId,
      exitOfficeId: spec.exitOfficeId,
      intendedEntryOfficeId: spec.entryOfficeId,
      procedureCode: spec.procedureCode,
      temporary: spec.temporary,
      goodsItemQuantity: spec.goods.length,
      totalPackageQuantity: spec.packages,
      totalGrossMass: spec.grossMass,
      totalNetMass: spec.netMass,
      invoiceAmount: spec.amountUsd === undefined ? undefined : { value: spec.amountUsd, currency: 'USD' },
    }),
    consignment,
    parties: present({
      consignor: spec.consignor,
      consignee: spec.consignee,
      exporter: spec.exporter,
      declarant: spec.declarant,
      carriers: spec.carrier === undefined ? undefined : [spec.carrier],
    }),
    equipment: (spec.boxes ?? []).map((box) =>
      present({
        id: box.id,
        sizeTypeCode: box.size === '40' ? '45G1' : '22G1',
        fullnessCode: '5' as const,
        packageQuantity: box.packageQuantity,
      }),
    ),
    wagons: spec.wagons ?? [],
    items: spec.goods.map((goods, index) => item(goods, index, spec)),
    documents: spec.documents === undefined ? undefined : [...spec.documents],
    guarantees: spec.guarantees === undefined ? undefined : [...spec.guarantees],
    customsDecision: present({
      statusCode: spec.cleared ?? 'cleared',
      releaseDateTime: spec.releasedAt,
      controlTypeCodes: spec.controls === undefined ? undefined : [...spec.controls],
      transitLimitDate: spec.transitLimitDate,
    }),
    exclusion: spec.exclusion,
  })
}

/** Where goods go, as a declaration says it. */
export interface Route {
  readonly routing: readonly string[]
  readonly destinationCountry: string
  readonly to: Station
}

/** A form with what one exporter or one route always fills in; each declaration gives the rest. */
export function formOf<Default extends Partial<DeclarationSpec>>(defaults: Default) {
  return (spec: Omit<DeclarationSpec, keyof Default> & Partial<DeclarationSpec>): HomeDeclaration =>
    declare({ ...defaults, ...spec } as unknown as DeclarationSpec)
}

/** Accepted in the morning and released in the afternoon of one day (UTC). */
export function lodgedOn(random: Random, month: string, firstDay: number, lastDay = firstDay) {
  const day = String(random.integer(firstDay, lastDay)).padStart(2, '0')
  const minutes = () => String(random.integer(10, 59))
  return {
    acceptedAt: `2026-${month}-${day}T0${random.integer(1, 4)}:${minutes()}:00Z`,
    releasedAt: `2026-${month}-${day}T0${random.integer(5, 9)}:${minutes()}:00Z`,
  }
}

/** What a Chinese form says of a load in its header: gross, net and packages once; its lines hold statistical units. */
export function headerOf(boxes: readonly Box[], packages: number, netShare: number) {
  const gross = goodsKgOf(boxes)
  return { boxes, packages, grossMass: String(gross), netMass: oneDecimal(gross * netShare) }
}
