/**
 * The second level of checks: what is doubtful in a record that can be read. Nothing here refuses; each finding is a
 * warning that travels with the record and is shown at both ends.
 */
import type { Instant, Problem } from '../kernel/index.ts'
import { checkGoods } from './check-goods.ts'
import {
  checkContainers,
  checkLoading,
  checkSeals,
  checkStation,
  checkWagons,
  isListedEmpty,
  unknownCode,
} from './check-means.ts'
import { checkSums } from './check-sums.ts'
import { checkValues } from './check-values.ts'
import { type CheckContext, finding, type Path } from './findings.ts'
import { checkCnUscc, checkKzBinIin, checkMrn, isMrnShaped } from './identifiers.ts'
import type { Clearance, Party } from './model.ts'
import type { Reference } from './reference/index.ts'
import type { RuleProfile } from './rule-profile.ts'

/**
 * Lists what is doubtful in a clearance.
 *
 * Why pure and with the rules as an argument: the sender runs the partner's published rules beside its own, and the
 * receiver runs the same code, so both see the same codes at the same places.
 * @param clearance as it travels; its own `warnings` are not looked at
 * @returns warnings with JSON pointers into the clearance, in document order of the checks
 * @law STOP-2021/1.4-r2
 */
export function checkClearance(
  clearance: Clearance,
  reference: Reference,
  rules: RuleProfile,
  now: Instant,
): Problem[] {
  const context: CheckContext = { reference, rules, now }
  const { equipment, wagons, consignment } = clearance
  const stations = [
    [consignment.departureStation, ['consignment', 'departureStation']],
    [consignment.destinationStation, ['consignment', 'destinationStation']],
    ...(consignment.borderStations ?? []).map(
      (station, index) => [station, ['consignment', 'borderStations', index]] as const,
    ),
    ...(consignment.notes ?? []).map(
      (note, index) => [note.departureStation, ['consignment', 'notes', index, 'departureStation']] as const,
    ),
  ] as const
  return [
    ...checkDeclarationNumber(clearance),
    ...stations.flatMap(([station, path]) => checkStation(station, path)),
    ...checkContainers(equipment, ['equipment']),
    ...checkWagons(wagons, ['wagons']),
    ...checkLoading(equipment, wagons, ['equipment']),
    ...checkUnsealed(equipment),
    ...equipment.flatMap(({ seals }, index) => checkSeals(seals, ['equipment', index], context)),
    ...wagons.flatMap(({ seals }, index) => checkSeals(seals, ['wagons', index], context)),
    ...checkGoods(clearance, context),
    ...checkSums(clearance, context),
    ...checkDates(clearance, context),
    ...checkParties(clearance),
    ...checkRoute(clearance),
    ...checkDecisionCodes(clearance, context),
    ...checkValues(clearance, context),
  ].filter(({ code }) => rules.warns(code))
}

function checkDeclarationNumber({ declaration }: Clearance): Problem[] {
  if (!isMrnShaped(declaration.id) || checkMrn(declaration.id) === 'ok') return []
  return [finding('clearance/mrn-check-digit', ['declaration', 'id'])]
}

/** Seals are optional in a clearance; one unsealed box among sealed ones is not the same as seals left to the train. */
function checkUnsealed(equipment: Clearance['equipment']): Problem[] {
  const hasSeal = ({ seals = [] }: Clearance['equipment'][number]) => seals.length > 0
  if (!equipment.some(hasSeal)) return []
  return equipment.flatMap((box, index) =>
    hasSeal(box) || isListedEmpty(box)
      ? []
      : [finding('clearance/container-without-seal', ['equipment', index], { container: box.id })],
  )
}

function checkDates({ declaration, customsDecision }: Clearance, { now, rules }: CheckContext): Problem[] {
  const accepted = instant(declaration.acceptanceDateTime)
  const released = instant(customsDecision.releaseDateTime)
  const effective = instant(customsDecision.effectiveDateTime)
  const validUntil = declaration.temporary?.validUntil
  const limit = customsDecision.transitLimitDate
  const releasedOn = customsDecision.releaseDateTime?.slice(0, 10)
  const isAhead = (at: number, code: string) =>
    at > Date.parse(now) + Number(rules.bound(code, 'aheadSecondsMax')) * 1000
  const found: ReadonlyArray<readonly [boolean, string, Path]> = [
    [
      isAhead(accepted, 'clearance/acceptance-in-future'),
      'clearance/acceptance-in-future',
      ['declaration', 'acceptanceDateTime'],
    ],
    [
      isAhead(released, 'clearance/release-in-future'),
      'clearance/release-in-future',
      ['customsDecision', 'releaseDateTime'],
    ],
    [released < accepted, 'clearance/release-before-acceptance', ['customsDecision', 'releaseDateTime']],
    [effective < accepted, 'clearance/effective-before-acceptance', ['customsDecision', 'effectiveDateTime']],
    [Number.isNaN(released), 'clearance/release-missing', ['customsDecision', 'releaseDateTime']],
    [
      limit !== undefined && releasedOn !== undefined && limit < releasedOn,
      'clearance/transit-limit-before-release',
      ['customsDecision', 'transitLimitDate'],
    ],
    [declaration.temporary !== undefined, 'clearance/temporary-declaration', ['declaration', 'temporary']],
    [
      validUntil !== undefined && validUntil < now.slice(0, 10),
      'clearance/temporary-expired',
      ['declaration', 'temporary', 'validUntil'],
    ],
  ]
  return found.flatMap(([holds, code, path]) => (holds ? [finding(code, path)] : []))
}

/** NaN when absent: every comparison with it is false, so an absent date warns of nothing. */
const instant = (text: string | undefined): number => (text === undefined ? Number.NaN : Date.parse(text))

const TO_ORDER = /^\s*(to\s+(the\s+)?order|по приказу|凭指示)/iu

function checkParties({ parties }: Clearance): Problem[] {
  const { consignor, consignee, exporter, importer, declarant, carriers = [] } = parties
  const named = Object.entries({ consignor, consignee, exporter, importer, declarant })
  return [
    ...named.flatMap(([role, party]) => checkPartyNumber(party, ['parties', role])),
    ...carriers.flatMap((party, index) => checkPartyNumber(party, ['parties', 'carriers', index])),
    ...(consignee?.kind === 'to-order' || TO_ORDER.test(consignee?.name?.text ?? '')
      ? [finding('clearance/consignee-to-order', ['parties', 'consignee'])]
      : []),
  ]
}

/** National numbers are told by the party's country and their length; others pass, since other registers exist. */
function checkPartyNumber(party: Party | undefined, path: Path): Problem[] {
  const { id, country } = party ?? {}
  if (id === undefined) return []
  const bad =
    (country === 'KZ' && id.length === 12 && checkKzBinIin(id) !== 'ok') ||
    (country === 'CN' && id.length === 18 && checkCnUscc(id) !== 'ok')
  return bad ? [finding('clearance/party-number', [...path, 'id'])] : []
}

/** An export that names one country while its station lies in another: most often onward transit left unsaid. */
function checkRoute({ consignment }: Clearance): Problem[] {
  const station = consignment.destinationStation?.country
  if (station === undefined || station === consignment.destinationCountry) return []
  return [
    finding('clearance/destination-contradicts-station', ['consignment', 'destinationStation', 'country'], {
      destination: consignment.destinationCountry,
      station,
    }),
  ]
}

function checkDecisionCodes({ customsDecision, consignment }: Clearance, { reference }: CheckContext): Problem[] {
  return [
    ...(customsDecision.controlTypeCodes ?? []).flatMap((code, index) =>
      unknownCode(code, reference.controlActions, 'control-actions', ['customsDecision', 'controlTypeCodes', index]),
    ),
    ...unknownCode(consignment.deliveryTerms?.code, reference.deliveryTerms, 'delivery-terms', [
      'consignment',
      'deliveryTerms',
      'code',
    ]),
  ]
}
