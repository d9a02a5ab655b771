import { isUtf8 } from 'node:buffer'
import { bomLength } from './detect-format.ts'
import type { IntakeLimits } from './limits.ts'
import { mapNctsRelease } from './map-ncts-release.ts'
import { mapWcoDeclaration } from './map-wco-declaration.ts'
import { NCTS_RELEASE } from './read-json-record.ts'
import { finishMapping, type ReadRecord, refusedRecord } from './read-record.ts'
import { readXml, type XmlDocument } from './read-xml.ts'
import { type HomeContext, Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'

const NCTS = 'http://ncts.dgtaxud.ec'
const isWco = (namespace: string): boolean => /^urn:wco:datamodel:/i.test(namespace)
const isKnown = (namespace: string): boolean => namespace === '' || namespace === NCTS || isWco(namespace)

/** Elements without a namespace belong to their document; so do those of the WCO family beside one another. */
function belongs(namespace: string, rootNamespace: string): boolean {
  if (namespace === '' || namespace === rootNamespace || !isKnown(rootNamespace)) return true
  return isWco(namespace) && (isWco(rootNamespace) || rootNamespace === '')
}

/** Reads the bytes of one XML document and maps it by its root element. */
export function readXmlRecord(bytes: Buffer, home: HomeContext, limits: IntakeLimits): ReadRecord {
  if (bytes.includes(0)) return refusedRecord('xml', 'intake/nul-byte')
  if (!isUtf8(bytes)) return refusedRecord('xml', 'intake/encoding')
  const read = readXml(bytes.subarray(bomLength(bytes)).toString('utf8'), limits, belongs)
  if (!read.ok) return { format: 'xml', problems: [read.refusal], notes: [] }
  const { root, namespace } = read.value
  if (/^CC\d{3}[A-Z]$/.test(root.name)) return readNcts(root, namespace, home, limits)
  if (root.name === 'MetaData' || root.name === 'Declaration' || root.name === 'Response')
    return readWco(root, namespace, home, limits)
  return refusedRecord('xml', 'intake/message-not-taken', { type: typeOfForeign(read.value) })
}

function readNcts(root: SourceNode, namespace: string, home: HomeContext, limits: IntakeLimits): ReadRecord {
  if (namespace !== NCTS) return unknownNamespace('ncts-xml', root)
  if (root.name !== NCTS_RELEASE) return refusedRecord('ncts-xml', 'intake/message-not-taken', { type: root.name })
  const reading = new Reading(home, limits)
  return finishMapping('ncts-xml', reading, mapNctsRelease(root, reading, root.name), root)
}

function readWco(root: SourceNode, namespace: string, home: HomeContext, limits: IntakeLimits): ReadRecord {
  const isModel = isWco(namespace) || (namespace === '' && root.named('WCODataModelVersionCode').length > 0)
  if (!isModel) return unknownNamespace('wco-xml', root)
  const type = root.name === 'Response' ? 'RES' : root.named('WCOTypeName')[0]?.text
  const hasDeclaration = root.name === 'Declaration' || root.named('Declaration').length > 0
  if ((type !== undefined && type !== 'DEC') || (!hasDeclaration && root.named('Response').length > 0)) {
    const response = root.name === 'Response' ? root : root.named('Response')[0]
    const code = response?.named('FunctionCode')[0]?.text ?? ''
    return refusedRecord('wco-xml', 'intake/message-not-taken', {
      type: `WCO ${plain(type ?? 'RES')} ${plain(code)}`.trim(),
    })
  }
  const reading = new Reading(home, limits)
  return finishMapping('wco-xml', reading, mapWcoDeclaration(root, reading), root)
}

function unknownNamespace(format: 'ncts-xml' | 'wco-xml', root: SourceNode): ReadRecord {
  return refusedRecord(format, 'intake/namespace-unknown', { element: root.name })
}

/** Names a message of another family: inside a SOAP envelope it is the first element of a family we know the name of. */
function typeOfForeign(document: XmlDocument): string {
  const taf = [...document.namespaces].find(([, namespace]) => namespace.includes('TAFTSI'))
  return taf ? `TAF ${plain(taf[0])}` : plain(document.root.name)
}

const plain = (name: string): string => name.replace(/[^\w.-]/g, '').slice(0, 40)
