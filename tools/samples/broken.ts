import type { HomeDeclaration } from '../../src/clearance/model.ts'
import { declarationsCsv } from './formats-csv.ts'
import { jsonObject, ndjson, toJson } from './formats-json.ts'
import { nctsReleaseXml, type TransitRelease, wcoDeclarationXml } from './formats-xml.ts'
import { containerId } from './identifiers.ts'
import type { Entry, Node, Outcome, SampleFile } from './sample-file.ts'

/** Codes a person must be given for a spoilt record; `position` counts records, or lines that should have been one. */
interface Spoilt {
  readonly name: string
  readonly node: Node
  readonly format: string
  readonly text: string
  readonly entries?: readonly Entry[]
  readonly refused: SampleFile['refused']
}

/** A good declaration under a number, note and box of its own, so that spoilt files never touch the trains. */
function numbered(good: HomeDeclaration, id: string): HomeDeclaration {
  const copy = structuredClone(good)
  const box = containerId('QXJU', id.slice(-6))
  copy.declaration.id = id
  copy.consignment.notes = [{ number: `399${id.slice(-5)}`, typeCode: '720', date: '2026-11-13' }]
  copy.equipment = [{ id: box, sizeTypeCode: '45G1', fullnessCode: '5' }]
  for (const item of copy.items) {
    item.equipmentIds = [box]
    delete item.identifiers
  }
  return copy
}

const entry = (content: HomeDeclaration, outcome: Outcome = 'eligible'): Entry => ({
  record: { record: 'declaration', content },
  outcome,
})

/**
 * Spoilt input. Each file is what one good file could become by a mistake or by ill will; a bad record costs itself
 * and nothing beside it.
 */
export function brokenFiles(cn: HomeDeclaration, kz: HomeDeclaration, release: TransitRelease): SampleFile[] {
  const good = (serial: number) => numbered(cn, `90012026099000${String(serial).padStart(4, '0')}`)
  const line = (content: HomeDeclaration) => ndjson([{ record: 'declaration', content }])
  const json = (content: HomeDeclaration) => toJson({ record: 'declaration', content })
  const csv = (...contents: HomeDeclaration[]) =>
    declarationsCsv(
      contents.map((content) => ({ record: 'declaration', content })),
      { delimiter: ',', spreadsheet: false },
    )
  const wco = wcoDeclarationXml(kz)
  const ncts = nctsReleaseXml(release)

  const files: Spoilt[] = [
    {
      name: 'one-bad-line.ndjson',
      node: 'CN-GACC',
      format: 'json',
      text: `${line(good(1))}${line(good(2)).slice(0, 400)}\n${line(good(3))}`,
      entries: [entry(good(1)), entry(good(3))],
      refused: [{ position: 2, code: 'intake/json-syntax' }],
    },
    {
      name: 'duplicate-key.ndjson',
      node: 'CN-GACC',
      format: 'json',
      text: `${line(good(4))}${line(good(5)).replace('"versionId":1', '"versionId":1,"versionId":1')}`,
      entries: [entry(good(4))],
      refused: [{ position: 2, code: 'intake/json-duplicate-key' }],
    },
    {
      name: 'forbidden-key.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(6)).replace('{"record"', '{"__proto__":{"kind":"EX"},"record"')}\n`,
      refused: [{ position: 1, code: 'intake/json-forbidden-key' }],
    },
    {
      name: 'number-1e400.ndjson',
      node: 'CN-GACC',
      format: 'json',
      text: `${line(good(7)).replace(/"totalGrossMass":"[^"]+"/, '"totalGrossMass":1e400')}${line(good(8))}`,
      entries: [entry(good(8))],
      refused: [{ position: 1, code: 'intake/json-lossy-number' }],
    },
    {
      name: 'negative-mass.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(9)).replace(/"totalGrossMass":"[^"]+"/, '"totalGrossMass":"-12"')}\n`,
      refused: [{ position: 1, code: 'intake/format-wrong' }],
    },
    {
      name: 'decimal-comma.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(10)).replace(/"totalGrossMass":"[^"]+"/, '"totalGrossMass":"62400,5"')}\n`,
      refused: [{ position: 1, code: 'intake/decimal-comma' }],
    },
    {
      name: 'too-deep.json',
      node: 'CN-GACC',
      format: 'json',
      text: `{"record":"declaration","content":${'['.repeat(500)}${']'.repeat(500)}}\n`,
      refused: [{ position: 1, code: 'intake/json-too-deep' }],
    },
    {
      name: 'lone-surrogate.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(11)).replace('纯电动', '\\ud800')}\n`,
      refused: [{ position: 1, code: 'intake/json-lone-surrogate' }],
    },
    {
      name: 'missing-number.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(12)).replace(/"id":"900120260990000012",/, '')}\n`,
      refused: [{ position: 1, code: 'intake/element-missing' }],
    },
    {
      name: 'no-such-day.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(13)).replace(/"releaseDateTime":"[^"]+"/, '"releaseDateTime":"2026-02-30T08:00:00Z"')}\n`,
      refused: [{ position: 1, code: 'intake/date-not-in-calendar' }],
    },
    {
      name: 'invented-member.json',
      node: 'CN-GACC',
      format: 'json',
      text: `${json(good(14)).replace('"declaration":{', '"declaration":{"urgent":true,')}\n`,
      refused: [{ position: 1, code: 'intake/element-unknown' }],
    },
    {
      name: 'array-cut-short.json',
      node: 'CN-GACC',
      format: 'json',
      text: `[\n${json(good(15))},\n${json(good(16)).slice(0, 300)}`,
      entries: [entry(good(15))],
      refused: [{ position: 2, code: 'intake/array-unfinished' }],
    },
    {
      name: 'unknown-record.json',
      node: 'CN-GACC',
      format: 'json',
      text: '{"record":"manifest","content":{}}\n',
      refused: [{ position: 1, code: 'intake/value-not-listed' }],
    },
    {
      name: 'foreign-json.json',
      node: 'CN-GACC',
      format: 'json',
      text: '{"shipment":{"number":"40506"},"rows":[]}\n',
      refused: [{ position: 1, code: 'intake/record-unknown' }],
    },
    {
      name: 'unknown-format.txt',
      node: 'CN-GACC',
      format: 'unknown',
      text: 'Переданы поездом 40506 контейнеры согласно описи, опись прилагается.\n',
      refused: [{ position: 1, code: 'intake/format-unknown' }],
    },
    {
      name: 'empty.json',
      node: 'CN-GACC',
      format: 'unknown',
      text: '\n',
      refused: [{ position: 1, code: 'intake/empty' }],
    },
    {
      name: 'unknown-column.csv',
      node: 'CN-GACC',
      format: 'csv-declarations',
      text: csv(good(17)).replace('totalPackageQuantity', 'paksInAll'),
      refused: [{ position: 1, code: 'intake/csv-column-unknown' }],
    },
    {
      name: 'short-row.csv',
      node: 'CN-GACC',
      format: 'csv-declarations',
      text: csv(good(18), good(19), good(20)).replace(/^(9001202609900000(?:19).*),[^,]*\n/m, '$1\n'),
      entries: [entry(good(18)), entry(good(20))],
      refused: [{ position: 2, code: 'intake/csv-row-shape' }],
    },
    {
      name: 'import-declaration.wco.xml',
      node: 'KZ-KGD',
      format: 'wco-xml',
      text: wco
        .replace('<TypeCode>EXA</TypeCode>', '<TypeCode>IMA</TypeCode>')
        .replace('<CurrentCode>10</CurrentCode>', '<CurrentCode>40</CurrentCode>'),
      refused: [{ position: 1, code: 'intake/not-an-export-declaration' }],
    },
    {
      name: 'dtd.wco.xml',
      node: 'KZ-KGD',
      format: 'xml',
      text: wco
        .replace(
          '?>\n',
          '?>\n<!DOCTYPE md:MetaData [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n',
        )
        .replace(/<Description ([^>]*)>[^<]*</, '<Description $1>&b;<'),
      refused: [{ position: 1, code: 'intake/xml-dtd' }],
    },
    {
      name: 'not-well-formed.wco.xml',
      node: 'KZ-KGD',
      format: 'xml',
      text: wco.replace('</GoodsShipment>', '</GoodsShipmnet>'),
      refused: [{ position: 1, code: 'intake/xml-syntax' }],
    },
    {
      name: 'too-deep.xml',
      node: 'KZ-KGD',
      format: 'xml',
      text: `<?xml version="1.0" encoding="UTF-8"?>\n<Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">${'<a>'.repeat(200)}${'</a>'.repeat(200)}</Declaration>\n`,
      refused: [{ position: 1, code: 'intake/xml-too-deep' }],
    },
    {
      name: 'other-message.ncts.xml',
      node: 'KZ-KGD',
      format: 'ncts-xml',
      text: ncts.replaceAll('CC029C', 'CC015C'),
      refused: [{ position: 1, code: 'intake/message-not-taken' }],
    },
    {
      name: 'type-disagrees.ncts.xml',
      node: 'KZ-KGD',
      format: 'ncts-xml',
      text: ncts.replace('<messageType>CC029C</messageType>', '<messageType>CC028C</messageType>'),
      refused: [{ position: 1, code: 'intake/message-type-disagrees' }],
    },
    {
      name: 'no-mrn.ncts.xml',
      node: 'KZ-KGD',
      format: 'ncts-xml',
      text: ncts.replace(/\s*<MRN>[^<]*<\/MRN>/, ''),
      refused: [{ position: 1, code: 'intake/element-missing' }],
    },
    {
      name: 'two-stations.wagon-list.json',
      node: 'KZ-KGD',
      format: 'unece-wagon-list',
      text: `${toJson(
        {
          exchangedDocument: { id: { content: '41999' } },
          specifiedConsignment: ['Достык (эксп.)', 'Алтынколь (эксп.)'].map((name, index) => ({
            id: [{ content: String(77001 + index) }],
            carrierAcceptanceLogisticsLocation: { name: [{ content: 'Актогай' }] },
            deliveryEvent: { occurrenceLogisticsLocation: { name: [{ content: name }] } },
            utilizedLogisticsTransportEquipment: [{ id: { content: '94130012' } }],
          })),
        },
        { indent: 1 },
      )}\n`,
      refused: [{ position: 1, code: 'intake/leg-not-determined' }],
    },
  ]
  return files.map(({ name, entries = [], ...file }) => ({ path: `broken/${name}`, entries, ...file }))
}

/** The same number and version with other content: readable, and refused by the history of the declaration. */
export function changedWithoutVersion(good: HomeDeclaration): SampleFile {
  const changed = structuredClone(good)
  changed.declaration.totalPackageQuantity = (changed.declaration.totalPackageQuantity ?? 0) + 1
  return {
    path: 'broken/changed-without-version.json',
    node: 'CN-GACC',
    format: 'json',
    entries: [],
    text: jsonObject({ record: 'declaration', content: changed }),
    refused: [{ position: 1, code: 'clearance/version-conflict' }],
  }
}
