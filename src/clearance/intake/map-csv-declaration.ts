import type { HomeDeclaration, HomeRecord, Party, Seal } from '../model.ts'
import type { RowReading } from './reading-rows.ts'
import type { SourceNode } from './source-tree.ts'
import { distinct, present, presentOrNone, someOf, wagonIdType } from './values.ts'

type Item = HomeDeclaration['items'][number]
type Exclusion = NonNullable<HomeDeclaration['exclusion']>

const KINDS = /^(EX|TR)$/
const STATUSES = /^(cleared|cleared-after-check|not-cleared|withdrawn|cancelled)$/
const PARTY_KINDS = /^(company|individual-entrepreneur|natural-person|natural-persons|to-order|unknown)$/

/**
 * Maps the rows of one declaration of the documented table: a row is a goods item, and what belongs to the declaration
 * must not differ from row to row.
 *
 * @returns the record, or undefined when the reading holds at least one problem
 */
export function mapCsvDeclaration(rows: RowReading): HomeRecord | undefined {
  const r = rows.reading
  const oneOf = (pattern: RegExp) => (node: SourceNode) => {
    const text = node.text ?? ''
    if (pattern.test(text)) return text
    return r.refuse('intake/value-not-listed', node, { expected: pattern.source.slice(2, -2) })
  }
  const boxes = boxesOf(rows)
  const items = rows.rows.map((row, at) => itemOf(rows, row, at))
  r.sequencesDiffer(rows.rows.map((node, at) => ({ node, sequence: items[at]?.sequence })))
  const kind = rows.must('kind', oneOf(KINDS))
  const status = rows.must('statusCode', oneOf(STATUSES))
  const temporary = rows.may('temporary', r.flag)
  const draws = presentOrNone({
    validUntil: rows.may('temporaryValidUntil', r.date),
    netMass: rows.may('temporaryNetMass', r.mass),
  })
  const consignor = partyOf(rows, 'consignor')
  const carrier = partyOf(rows, 'carrier')
  // A needed value that is missing has made a problem, so that what stands in for it here never leaves.
  const content: HomeDeclaration = present({
    declaration: present({
      id: rows.must('declarationId', r.identifier(70)) ?? '',
      kind: kind as HomeDeclaration['declaration']['kind'],
      typeCode: rows.may('typeCode', r.identifier(9)),
      versionId: rows.may('versionId', r.integer(1, 999_999)) ?? r.home.declarationVersion ?? 1,
      functionalReferenceId: rows.may('functionalReferenceId', r.identifier(35)),
      acceptanceDateTime: rows.may('acceptanceDateTime', r.instant),
      officeId: rows.may('officeId', r.identifier(17)),
      exitOfficeId: rows.may('exitOfficeId', r.identifier(17)),
      intendedEntryOfficeId: rows.may('intendedEntryOfficeId', r.identifier(17)),
      procedureCode: rows.may('procedureCode', r.identifier(10)),
      temporary: temporary === true || draws !== undefined ? (draws ?? {}) : undefined,
      goodsItemQuantity: rows.may('goodsItemQuantity', r.integer(0, 99_999)),
      totalPackageQuantity: rows.may('totalPackageQuantity', r.integer(0, 99_999_999)),
      totalGrossMass: rows.may('totalGrossMass', r.mass),
      totalNetMass: rows.may('totalNetMass', r.mass),
      invoiceAmount: r.may(rows.paired(rows.shared('invoiceAmount'), rows.shared('invoiceCurrency')), r.amount),
      ucr: rows.may('ucr', r.identifier(35)),
      previousDocuments: someOf(referencesOf(rows, rows.shared('previousDocuments'))),
    }),
    consignment: present({
      notes: someOf(notesOf(rows)),
      departureStation: rows.station(rows.shared('departureStation'), rows.shared('departureStationName'), undefined),
      destinationStation: rows.station(
        rows.shared('destinationStation'),
        rows.shared('destinationStationName'),
        undefined,
      ),
      borderStations: someOf(
        rows.members(rows.shared('borderStations')).flatMap((code) => rows.station(code, undefined, undefined) ?? []),
      ),
      routingCountries: someOf(rows.list(rows.shared('routingCountries'), r.country)),
      exportCountry: rows.must('exportCountry', r.country) ?? '',
      destinationCountry: rows.must('destinationCountry', r.country) ?? '',
      borderModeCode: rows.may('borderModeCode', r.mode),
      containerised: rows.may('containerised', r.flag),
      deliveryTerms: deliveryTermsOf(rows),
      trainNumber: rows.may('trainNumber', r.identifier(17)),
      plannedBorderArrival: rows.may('plannedBorderArrival', r.instant),
    }),
    parties: present({
      consignor,
      consignee: partyOf(rows, 'consignee'),
      exporter: partyOf(rows, 'exporter'),
      importer: partyOf(rows, 'importer'),
      declarant: partyOf(rows, 'declarant'),
      carriers: carrier && [carrier],
    }),
    equipment: boxes.equipment,
    wagons: boxes.wagons,
    items,
    documents: someOf(distinct(rows.rows.flatMap((row) => referencesOf(rows, rows.cell(row, 'documents'))))),
    guarantees: someOf(rows.list(rows.shared('guarantees'), r.identifier(35))),
    customsDecision: present({
      statusCode: status as HomeDeclaration['customsDecision']['statusCode'],
      releaseDateTime: rows.may('releaseDateTime', r.instant),
      effectiveDateTime: rows.may('effectiveDateTime', r.instant),
      controlTypeCodes: someOf(rows.list(rows.shared('controlTypeCodes'), r.identifier(3))),
      controlResult: rows.may('controlResult', r.identifier(3)),
      transitLimitDate: rows.may('transitLimitDate', r.date),
    }),
    exclusion: exclusionOf({
      personalUse: rows.shared('declarationPersonalUse'),
      postal: rows.shared('declarationPostal'),
      stateSecret: rows.shared('declarationStateSecret'),
      ownLaw: rows.shared('declarationOwnLaw'),
    }),
  })
  return r.problems.some ? undefined : { record: 'declaration', content }

  function exclusionOf(cells: Record<keyof Exclusion, SourceNode | undefined>): Exclusion | undefined {
    return presentOrNone<Exclusion>({
      personalUse: r.may(cells.personalUse, oneOf(/^(yes|no|unknown)$/)) as Exclusion['personalUse'],
      postal: r.may(cells.postal, r.flag),
      stateSecret: r.may(cells.stateSecret, r.flag),
      ownLaw: r.may(cells.ownLaw, r.flag),
    })
  }

  function partyOf(of: RowReading, role: string): Party | undefined {
    const name = of.may(`${role}Name`, r.named())
    const language = of.may(`${role}Language`, r.matching(LANGUAGE, 'language BCP 47'))
    const stated = of.may(`${role}Kind`, oneOf(PARTY_KINDS)) as Party['kind']
    const party = r.party({
      name: name && { ...name, language: language ?? name.language },
      id: of.may(`${role}Id`, r.identifier(35)),
      address: of.may(`${role}Address`, r.named()),
      country: of.may(`${role}Country`, r.country),
    })
    return stated === undefined ? party : { ...party, kind: stated }
  }

  function itemOf(of: RowReading, row: SourceNode, at: number): Item {
    const cell = (name: string) => of.cell(row, name)
    const description = r.must(row, ['description'], r.named())
    const language = r.may(cell('descriptionLanguage'), r.matching(LANGUAGE, 'language BCP 47'))
    const quantity = r.may(cell('supplementaryQuantity'), r.decimal)
    const packages = r.packaging({
      type: cell('packageTypeCode'),
      quantity: cell('packageQuantity'),
      marks: cell('marks'),
    })
    const code = r.must(row, ['commodityCode'], r.matching(/^[\d .]{4,20}$/, 'n4..14'))?.replace(/[ .]/g, '')
    const codeCell = cell('commodityCode')
    if (code !== undefined && codeCell !== undefined && !/^\d{4,14}$/.test(code))
      r.refuse('intake/format-wrong', codeCell, { expected: 'n4..14' })
    return present({
      sequence: cell('sequence') === undefined ? at + 1 : (r.may(cell('sequence'), r.integer(1, 99_999)) ?? 0),
      commodityCode: code ?? '',
      classificationType: r.may(cell('classificationType'), r.identifier(10)),
      description: { text: description?.text ?? '', language: language ?? 'und' },
      grossMass: r.may(cell('grossMass'), r.mass),
      netMass: r.may(cell('netMass'), r.mass),
      supplementaryQuantity:
        quantity === undefined
          ? undefined
          : present({ value: quantity, unitCode: r.may(cell('supplementaryUnitCode'), r.identifier(8)) }),
      packages: packages && [packages],
      amount: r.may(of.paired(cell('amount'), cell('currency')), r.amount),
      statisticalValue: r.may(of.paired(cell('statisticalValue'), cell('statisticalCurrency')), r.amount),
      originCountry: r.may(cell('originCountry'), r.country),
      dangerousGoods: someOf(of.list(cell('dangerousGoods'), r.identifier(10))),
      equipmentIds: someOf([...new Set(of.list(cell('equipmentIds'), r.unit))]),
      wagonNumbers: someOf([...new Set(of.list(cell('wagonNumbers'), r.unit))]),
      identifiers: someOf(
        of.pairs(cell('identifiers')).flatMap(([typeCode, id]) => {
          const type = r.may(typeCode, r.identifier(10))
          const value = r.may(id, r.identifier(35))
          return type === undefined || value === undefined ? [] : [{ typeCode: type, id: value }]
        }),
      ),
      exclusion: exclusionOf({
        personalUse: cell('personalUse'),
        postal: cell('postal'),
        stateSecret: cell('stateSecret'),
        ownLaw: cell('ownLaw'),
      }),
    })
  }
}

const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/

function deliveryTermsOf(rows: RowReading) {
  const r = rows.reading
  const code = rows.may('deliveryTermsCode', r.identifier(3))
  const place = rows.may('deliveryTermsPlace', r.identifier(70))
  return code === undefined ? undefined : present({ code, place })
}

function referencesOf(rows: RowReading, cell: SourceNode | undefined) {
  const r = rows.reading
  return rows.pairs(cell).flatMap(([type, id]) => {
    const typeCode = r.may(type, r.identifier(8))
    if (typeCode === undefined) {
      r.refuse('intake/format-wrong', id, { expected: 'type:number' })
      return []
    }
    return [present({ typeCode, id: r.may(id, r.identifier(70)) })]
  })
}

function notesOf(rows: RowReading) {
  const r = rows.reading
  return distinct(
    rows.rows.flatMap((row) => {
      const typeCode = r.may(rows.cell(row, 'noteTypeCode'), r.identifier(3))
      const date = r.may(rows.cell(row, 'noteDate'), r.date)
      return rows
        .list(rows.cell(row, 'noteNumber'), r.identifier(35))
        .map((number) => present({ number, typeCode, date }))
    }),
  )
}

/** Containers and wagons named by the rows, with their seals: `CONTAINER:SEAL`, or `SEAL` where the row names one unit. */
function boxesOf(rows: RowReading): Pick<HomeDeclaration, 'equipment' | 'wagons'> {
  const r = rows.reading
  const equipment = new Map<string, HomeDeclaration['equipment'][number]>()
  const wagons = new Map<string, HomeDeclaration['wagons'][number]>()
  for (const row of rows.rows) {
    const ids = rows.list(rows.cell(row, 'equipmentIds'), r.unit)
    const numbers = rows.list(rows.cell(row, 'wagonNumbers'), r.unit)
    const [onlyBox, ...others] = ids
    const [onlyWagon, ...otherWagons] = numbers
    const shape = presentOrNone({
      sizeTypeCode: r.may(rows.cell(row, 'sizeTypeCode'), r.identifier(4)),
      fullnessCode: r.may(rows.cell(row, 'fullnessCode'), r.matching(/^[45]$/, '4|5')) as '4' | '5' | undefined,
    })
    for (const id of ids) equipment.set(id, { ...equipment.get(id), id, ...(others.length === 0 ? shape : undefined) })
    for (const number of numbers)
      wagons.set(number, present({ ...wagons.get(number), number, idTypeCode: wagonIdType(number) }))
    for (const [unitCell, sealCell] of rows.pairs(rows.cell(row, 'seals'))) {
      const stated = r.may(unitCell, r.unit)
      const seal = r.may(sealCell, r.identifier(50))
      const box = stated ?? (others.length === 0 ? onlyBox : undefined)
      const wagon = stated ?? (ids.length === 0 && otherWagons.length === 0 ? onlyWagon : undefined)
      const unit =
        (box === undefined ? undefined : equipment.get(box)) ?? (wagon === undefined ? undefined : wagons.get(wagon))
      if (seal === undefined) continue
      if (unit) addSeal(unit, seal)
      else r.refuse('intake/format-wrong', sealCell, { expected: 'unit:seal' })
    }
  }
  return { equipment: [...equipment.values()], wagons: [...wagons.values()] }
}

function addSeal(unit: { seals?: Seal[] }, id: string): void {
  const seals = unit.seals ?? []
  if (!seals.some((seal) => seal.id === id)) unit.seals = [...seals, { id }]
}
