import type { ConsignmentNote, Party, Station } from '../../src/clearance/model.ts'
import { toJson } from './formats-json.ts'
import type { Entry } from './sample-file.ts'
import { type Box, type Consist, goodsKgOf, kg } from './units.ts'

/**
 * Writes the two UN/CEFACT D23B documents of the railway. Every scalar is an object with `content`; dates carry
 * their UNCL 2379 format. In the note a wagon is utilised equipment that carries its containers.
 */
interface NoteSpec {
  readonly number: string
  readonly date: string
  readonly from: Station
  readonly to: Station
  readonly border: readonly Station[]
  readonly consignor: Party
  readonly consignee: Party
  readonly carrier: Party
  readonly boxes: readonly Box[]
  readonly wagonOf: (box: Box) => string
  readonly goods: readonly {
    readonly code: string
    readonly description: string
    readonly packages: number
    readonly packageType: string
    readonly un?: string
  }[]
  readonly declarationIds: readonly string[]
}

const code = (content: string) => ({ content })
const day = (date: string) => ({ content: date.replaceAll('-', ''), format: '102' })
const mass = (kilograms: number) => ({ content: kilograms, unitCode: 'KGM' })

function party({ name, id, country }: Party) {
  return {
    ...(id === undefined ? {} : { id: [code(id)] }),
    ...(name === undefined ? {} : { name: [{ content: name.text, languageId: name.language }] }),
    ...(country === undefined ? {} : { postalTradeAddress: { countryId: code(country) } }),
  }
}

function location({ esr, unLocode, name, country }: Station, typeCode: string) {
  return {
    id: [
      ...(esr === undefined ? [] : [{ content: esr, schemeId: 'ESR' }]),
      ...(unLocode === undefined ? [] : [{ content: unLocode, schemeId: 'UNLOCODE' }]),
    ],
    ...(name === undefined ? {} : { name: [{ content: name.text, languageId: name.language }] }),
    typeCode: [code(typeCode)],
    ...(country === undefined ? {} : { countryId: code(country) }),
  }
}

export function smgsNote(spec: NoteSpec): { readonly entry: Entry; readonly text: string } {
  const wagons = [...new Set(spec.boxes.map(spec.wagonOf))]
  const goodsKg = goodsKgOf(spec.boxes)
  const text = toJson(
    {
      exchangedDocument: { id: code(spec.number), typeCode: code('720'), issueDateTime: day(spec.date) },
      specifiedConsignment: [
        {
          id: [code(spec.number)],
          carrierAcceptanceDateTime: day(spec.date),
          grossWeight: [mass(goodsKg)],
          transportEquipmentQuantity: [{ content: spec.boxes.length }],
          consignor: party(spec.consignor),
          consignee: party(spec.consignee),
          carrier: party(spec.carrier),
          finalDestinationLogisticsLocation: location(spec.to, '28'),
          associatedReferencedDocument: spec.declarationIds.map((id) => ({
            statusCode: code('2'),
            typeCode: code('916'),
            id: [code(id)],
          })),
          includedConsignmentItem: spec.goods.map((goods, index) => ({
            sequenceNumeric: { content: index + 1 },
            typeCode: code(goods.code),
            grossWeight: [mass(goodsKg)],
            natureIdCargo: [{ id: [{ content: goods.description, languageId: 'ru' }] }],
            ...(goods.un === undefined ? {} : { applicableDangerousGoods: [{ undgIdCode: code(goods.un) }] }),
            associatedReferencedLogisticsTransportEquipment: spec.boxes.map((box) => ({ id: code(box.id) })),
            transportLogisticsPackage: [
              { itemQuantity: { content: goods.packages }, typeCode: [code(goods.packageType)] },
            ],
          })),
          utilizedLogisticsTransportEquipment: [
            ...wagons.map((wagon) => ({
              id: code(wagon),
              categoryCode: code('RF'),
              carriedAssociatedTransportEquipment: spec.boxes
                .filter((box) => spec.wagonOf(box) === wagon)
                .map((box) => ({ id: [code(box.id)], categoryCode: [code('CN')] })),
            })),
            ...spec.boxes.map((box) => ({
              id: code(box.id),
              grossWeight: mass(box.tareKg + box.goodsKg),
              tareWeight: mass(box.tareKg),
              categoryCode: code('CN'),
              characteristicCode: code(box.size === '40' ? '45G1' : '22G1'),
              usedCapacityCode: code('5'),
              affixedLogisticsSeal: box.seals.map((seal) => ({
                id: [code(seal.id)],
                sealingPartyRoleCode: code(seal.sealingPartyRole ?? 'SH'),
              })),
            })),
          ],
          mainCarriageLogisticsTransportMovement: [
            {
              modeCode: code('2'),
              departureEvent: [{ occurrenceLogisticsLocation: location(spec.from, '5') }],
              itineraryRoute: [
                {
                  itineraryStopEvent: spec.border.map((station) => ({
                    occurrenceLogisticsLocation: location(station, '17'),
                  })),
                },
              ],
            },
          ],
        },
      ],
    },
    { indent: 2 },
  )
  const content: ConsignmentNote = {
    note: { number: spec.number, departureStation: spec.from, date: spec.date },
    wagons: wagons.map((number) => ({ number })),
    containers: spec.boxes.map((box) => ({ id: box.id, grossMass: kg(box.tareKg + box.goodsKg) })),
    goods: [],
  }
  return { entry: { record: { record: 'consignment-note', content } }, text: `${text}\n` }
}

/** The wagon list knows no train: number and date of the list and the two stations are all it says of its leg. */
export function wagonList(list: {
  readonly number: string
  readonly date: string
  readonly from: Station
  readonly to: Station
  readonly consist: Consist
}): string {
  const consignments = [
    ...list.consist.containers.map((box) => ({ unit: box, id: box.id, grossMass: box.grossMass, wagon: box.onWagon! })),
    ...list.consist.wagons
      .filter((wagon) => wagon.netMass !== undefined)
      .map((wagon) => ({ unit: wagon, id: wagon.number, grossMass: wagon.grossMass, wagon: undefined })),
  ]
  const text = toJson(
    {
      exchangedDocument: { id: code(list.number), issueDateTime: day(list.date) },
      specifiedConsignment: consignments.map(({ unit, id, grossMass, wagon }) => ({
        id: [code(unit.notes![0]!.number)],
        carrierAcceptanceDateTime: day(unit.notes![0]!.date!),
        grossWeight: [mass(Number(grossMass))],
        carrierAcceptanceLogisticsLocation: location(list.from, '5'),
        deliveryEvent: { occurrenceLogisticsLocation: location(list.to, '28') },
        utilizedLogisticsTransportEquipment: [
          ...(wagon === undefined ? [] : [{ id: code(wagon) }]),
          {
            id: code(id),
            ...(unit.seals === undefined
              ? {}
              : { affixedLogisticsSeal: unit.seals.map((seal) => ({ id: [code(seal.id)] })) }),
          },
        ],
        mainCarriageLogisticsTransportMovement: [{ modeCode: code('2') }],
      })),
    },
    { indent: 1 },
  )
  return `${text}\n`
}
