/**
 * Reads what a record itself says about the exclusions of the Protocol: post, personal use, state secrets.
 *
 * Why one reading for both ends: the sender's decision and the receiver's filter ask the same signs, so that nothing
 * that was let out is refused on arrival, and nothing prohibited is let in because the sender looked elsewhere.
 */
import { isKzPersonNumber } from './identifiers.ts'
import type { Clearance, HomeDeclaration, Party } from './model.ts'
import type { ExclusionMarks } from './reference/index.ts'

type Consignment = Pick<Clearance, 'declaration' | 'consignment' | 'parties' | 'items' | 'documents'>

export interface Sign {
  readonly pointer: string
}

/** Post by the mode of transport, or by a document that only post has. */
export function postalSign({ consignment, documents = [] }: Consignment, marks: ExclusionMarks): Sign | undefined {
  if (consignment.borderModeCode !== undefined && marks.postalModes.has(consignment.borderModeCode))
    return { pointer: '/consignment/borderModeCode' }
  const note = (consignment.notes ?? []).findIndex(({ typeCode }) => typeCode && marks.postalDocuments.has(typeCode))
  if (note >= 0) return { pointer: `/consignment/notes/${note}/typeCode` }
  const document = documents.findIndex(({ typeCode }) => marks.postalDocuments.has(documentCode(typeCode)))
  return document >= 0 ? { pointer: `/documents/${document}/typeCode` } : undefined
}

/**
 * Personal use by what the record says outright: a parcel list of natural persons, a procedure for sales to consumers,
 * or a natural person as consignee without any commercial document. The consignor alone never decides.
 */
export function personalUseSign(record: Consignment, marks: ExclusionMarks): Sign | undefined {
  const { consignee, importer } = record.parties
  if (consignee?.kind === 'natural-persons') return { pointer: '/parties/consignee/kind' }
  if (importer?.kind === 'natural-persons') return { pointer: '/parties/importer/kind' }
  if (isPersonalProcedure(record, record.declaration.procedureCode, marks))
    return { pointer: '/declaration/procedureCode' }
  return isPersonWithoutContract(record, marks) ? { pointer: '/parties/consignee/kind' } : undefined
}

/** The listed codes have four digits; a declaration may write more behind them, such as a previous procedure. */
function isPersonalProcedure({ consignment }: Consignment, code: string | undefined, marks: ExclusionMarks): boolean {
  const isListed = (one: string) => marks.personalProcedures.has(`${consignment.exportCountry}:${one}`)
  return code !== undefined && (isListed(code) || isListed(code.slice(0, 4)))
}

type HomeLine = HomeDeclaration['items'][number]

/** Personal use by what a line itself says, where lines differ in procedure or consignee. */
export function personalLineSign(home: HomeDeclaration, line: HomeLine, marks: ExclusionMarks): boolean {
  return line.consignee?.kind === 'natural-persons' || isPersonalProcedure(home, line.procedureCode, marks)
}

/** Whether it cannot be told of a line's own consignee if it is a person or a business. */
export function personalLineDoubt(home: HomeDeclaration, line: HomeLine, marks: ExclusionMarks): boolean {
  return !isCommercial(home, marks) && mayBePerson(line.consignee, home.consignment.destinationCountry)
}

export function isPersonWithoutContract(record: Consignment, marks: ExclusionMarks): boolean {
  return record.parties.consignee?.kind === 'natural-person' && !isCommercial(record, marks)
}

/** Whether a contract or an invoice stands behind the goods. */
export function isCommercial({ documents = [] }: Consignment, marks: ExclusionMarks): boolean {
  return documents.some(({ typeCode }) => marks.commercialDocuments.has(documentCode(typeCode)))
}

/** European systems write a UN/EDIFACT document code with the letter N before it. */
export function documentCode(typeCode: string): string {
  return /^N\d{3}$/.test(typeCode) ? typeCode.slice(1) : typeCode
}

/**
 * Whether it cannot be told from the record if a person or a business stands behind it: a party of unknown kind, an
 * entrepreneur or a natural person, or a Kazakh person's number. A commercial document answers the question.
 */
export function personalUseDoubt(record: Consignment, marks: ExclusionMarks): Sign | undefined {
  const { consignee, consignor, importer } = record.parties
  const { exportCountry, destinationCountry } = record.consignment
  if (consignee?.kind === 'natural-person') return { pointer: '/parties/consignee/kind' }
  if (isCommercial(record, marks)) return undefined
  if (mayBePerson(consignee, destinationCountry)) return { pointer: '/parties/consignee' }
  if (mayBePerson(importer, destinationCountry)) return { pointer: '/parties/importer' }
  return mayBePerson(consignor, exportCountry) ? { pointer: '/parties/consignor' } : undefined
}

/** @param country where the party is taken to be when it does not say */
function mayBePerson(party: Party | undefined, country: string): boolean {
  if (party === undefined) return false
  if (party.kind === 'natural-person' || party.kind === 'individual-entrepreneur' || party.kind === 'unknown')
    return true
  const isKazakh = (party.country ?? country) === 'KZ'
  return party.kind === undefined && isKazakh && party.id !== undefined && isKzPersonNumber(party.id)
}

/** A statutory secrecy marking that stands alone as marks or description of a line. */
export function secrecySign(item: Clearance['items'][number], marks: ExclusionMarks): boolean {
  const texts = [item.description.text, ...(item.packages ?? []).flatMap(({ marks: text }) => text ?? [])]
  return texts.some((text) =>
    marks.secrecyMarkings.has(
      text
        .replace(/[^\p{L}\s]/gu, '')
        .trim()
        .toUpperCase(),
    ),
  )
}
