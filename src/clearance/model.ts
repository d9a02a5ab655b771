/**
 * The words of a clearance, a train and what is seen on its arrival: TypeBox schemas that are at once the types, the
 * validators and the published JSON Schemas of `contracts/stop/1.0/`.
 *
 * Every element that the WCO Data Model knows carries its id in `x-wcoId` and the version where the id was seen in
 * `x-wcoDmVersion` (ids drift between versions: v2 050 is v3 R012). Masses are decimals in kg as text, amounts are
 * decimals with an ISO 4217 code, instants are UTC, legal dates are calendar dates.
 */
import { type Static, type TSchema, Type } from 'typebox'

/** Names of WCO Data Model versions an id was seen in: 3.6 by the published schemas, GACC by China's rail data rules. */
export type WcoVersion = '3.6' | 'GACC' | '3.6+GACC' | 'memory'

function wco<Schema extends TSchema>(wcoId: string, wcoDmVersion: WcoVersion, schema: Schema): Schema {
  return { ...schema, 'x-wcoId': wcoId, 'x-wcoDmVersion': wcoDmVersion }
}

const closed = { additionalProperties: false } as const
/** Printable text without control characters (tab and line ends stay out too). */
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })
const identifier = text

export const DecimalMass = Type.String({
  pattern: '^\\d{1,16}(\\.\\d{1,6})?$',
  description: 'Mass in kg, decimal text',
})
export const DecimalAmount = Type.String({ pattern: '^\\d{1,16}(\\.\\d{1,6})?$', description: 'Amount, decimal text' })
export const DecimalQuantity = Type.String({
  pattern: '^\\d{1,16}(\\.\\d{1,6})?$',
  description: 'Quantity, decimal text',
})
export const InstantUtc = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?Z$',
  format: 'date-time',
})
export const LegalDate = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', format: 'date' })
export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2' })
export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' })
export const Language = Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', description: 'BCP 47 tag' })

/** A sentence or a name in its original script with the language it is written in (`und` when nobody said). */
export const NamedText = Type.Object({ text: text(512), language: Language }, closed)
export type NamedText = Static<typeof NamedText>

export const Amount = Type.Object({ value: DecimalAmount, currency: Currency }, closed)
export type Amount = Static<typeof Amount>

/** A rail station: at least one of its codes or a name. ESR is the 6-digit code of the 1520 space. */
export const Station = Type.Object(
  {
    esr: Type.Optional(identifier(10)),
    unLocode: Type.Optional(identifier(5)),
    name: Type.Optional(NamedText),
    country: Type.Optional(Country),
  },
  { ...closed, minProperties: 1 },
)
export type Station = Static<typeof Station>

/** A consignment note number is not unique alone: station and date of departure tell it from last year's. */
export const ConsignmentNoteReference = Type.Object(
  {
    number: wco('015', 'GACC', identifier(35)),
    typeCode: Type.Optional(wco('D024', 'memory', identifier(3))),
    departureStation: Type.Optional(wco('L010', '3.6+GACC', Station)),
    date: Type.Optional(LegalDate),
  },
  closed,
)
export type ConsignmentNoteReference = Static<typeof ConsignmentNoteReference>

export const SealState = Type.Union(
  [
    Type.Literal('same'),
    Type.Literal('replaced-with-act'),
    Type.Literal('replaced-without-act'),
    Type.Literal('broken'),
    Type.Literal('missing'),
  ],
  { description: 'What an opening act or the reader of the seal says of it' },
)
export type SealState = Static<typeof SealState>

export const Seal = Type.Object(
  {
    id: wco('165', '3.6+GACC', identifier(50)),
    typeCode: Type.Optional(wco('407', 'memory', identifier(3))),
    sealingPartyRole: Type.Optional(identifier(3)),
    conditionCode: Type.Optional(identifier(3)),
    state: Type.Optional(SealState),
    actNumber: Type.Optional(identifier(35)),
    replaces: Type.Optional(Type.Array(identifier(50), { maxItems: 20 })),
  },
  closed,
)
export type Seal = Static<typeof Seal>

export const PartyKind = Type.Union(
  [
    Type.Literal('company'),
    Type.Literal('individual-entrepreneur'),
    Type.Literal('natural-person'),
    Type.Literal('natural-persons'),
    Type.Literal('to-order'),
    Type.Literal('unknown'),
  ],
  { description: '`natural-persons` is a parcel list; `to-order` a negotiable bill' },
)
export type PartyKind = Static<typeof PartyKind>

const party = (nameId: string, partyId: string) =>
  Type.Object(
    {
      name: Type.Optional(wco(nameId, '3.6', NamedText)),
      id: Type.Optional(wco(partyId, '3.6', identifier(35))),
      kind: Type.Optional(PartyKind),
      address: Type.Optional(NamedText),
      country: Type.Optional(Country),
    },
    closed,
  )

export const Party = party('R020', 'R021')
export type Party = Static<typeof Party>

export const Wagon = Type.Object(
  {
    sequence: Type.Optional(wco('006', '3.6+GACC', Type.Integer({ minimum: 0, maximum: 99999 }))),
    number: wco('T004', '3.6', identifier(17)),
    idTypeCode: Type.Optional(
      wco('T029', '3.6', Type.Union([Type.Literal('1520-8'), Type.Literal('UIC-12'), Type.Literal('CN-7')])),
    ),
    ownerRailway: Type.Optional(identifier(17)),
    tareMass: Type.Optional(DecimalMass),
    grossMass: Type.Optional(DecimalMass),
    netMass: Type.Optional(DecimalMass),
    loadState: Type.Optional(
      wco(
        '154',
        'GACC',
        Type.Union([Type.Literal('loaded'), Type.Literal('empty'), Type.Literal('with-empty-containers')]),
      ),
    ),
    seals: Type.Optional(Type.Array(Seal, { maxItems: 50 })),
  },
  closed,
)
export type Wagon = Static<typeof Wagon>

/** UNCL 8169: 4 empty, 5 full. */
export const FullnessCode = Type.Union([Type.Literal('4'), Type.Literal('5')])

export const Equipment = Type.Object(
  {
    id: wco('159', '3.6+GACC', identifier(17)),
    sizeTypeCode: Type.Optional(wco('152', 'GACC', identifier(4))),
    fullnessCode: Type.Optional(wco('154', 'GACC', FullnessCode)),
    onWagon: Type.Optional(wco('T004', '3.6', identifier(17))),
    grossMass: Type.Optional(DecimalMass),
    tareMass: Type.Optional(DecimalMass),
    packageQuantity: Type.Optional(Type.Integer({ minimum: 0, maximum: 99999999 })),
    seals: Type.Optional(Type.Array(Seal, { maxItems: 50 })),
  },
  closed,
)
export type Equipment = Static<typeof Equipment>

export const Packaging = Type.Object(
  {
    typeCode: Type.Optional(wco('141', '3.6+GACC', identifier(3))),
    quantity: Type.Optional(wco('144', '3.6', Type.Integer({ minimum: 0, maximum: 99999999 }))),
    marks: Type.Optional(wco('142', '3.6+GACC', text(512))),
  },
  closed,
)

export const GoodsItem = Type.Object(
  {
    sequence: wco('006', '3.6+GACC', Type.Integer({ minimum: 1, maximum: 99999 })),
    commodityCode: wco('145', '3.6', Type.String({ pattern: '^\\d{4,14}$', description: 'HS6, national digits kept' })),
    classificationType: Type.Optional(identifier(10)),
    description: wco('137', '3.6', NamedText),
    grossMass: Type.Optional(wco('126', '3.6', DecimalMass)),
    netMass: Type.Optional(wco('128', '3.6', DecimalMass)),
    supplementaryQuantity: Type.Optional(
      wco('130', '3.6', Type.Object({ value: DecimalQuantity, unitCode: Type.Optional(identifier(8)) }, closed)),
    ),
    packages: Type.Optional(Type.Array(Packaging, { maxItems: 99 })),
    amount: Type.Optional(wco('112', '3.6', Amount)),
    statisticalValue: Type.Optional(wco('114', '3.6', Amount)),
    originCountry: Type.Optional(wco('063', '3.6', Country)),
    dangerousGoods: Type.Optional(Type.Array(wco('506', '3.6', identifier(10)), { maxItems: 99 })),
    equipmentIds: Type.Optional(Type.Array(wco('159', '3.6+GACC', identifier(17)), { maxItems: 999 })),
    wagonNumbers: Type.Optional(Type.Array(wco('T004', '3.6', identifier(17)), { maxItems: 999 })),
    identifiers: Type.Optional(
      Type.Array(Type.Object({ typeCode: identifier(10), id: identifier(35) }, closed), {
        maxItems: 9999,
        description: 'Serial numbers such as VINs (typeCode VIN)',
      }),
    ),
  },
  closed,
)
export type GoodsItem = Static<typeof GoodsItem>

export const DocumentReference = Type.Object(
  {
    typeCode: wco('D006', '3.6', identifier(8)),
    id: Type.Optional(wco('D005', '3.6', identifier(70))),
    date: Type.Optional(wco('276', '3.6', LegalDate)),
  },
  closed,
)
export type DocumentReference = Static<typeof DocumentReference>

/** EX: cleared for export. TR: cleared for transit. */
export const DeclarationKind = Type.Union([Type.Literal('EX'), Type.Literal('TR')])
export type DeclarationKind = Static<typeof DeclarationKind>

export const Declaration = Type.Object(
  {
    id: wco('D014', '3.6+GACC', identifier(70)),
    kind: wco('D013', '3.6', DeclarationKind),
    typeCode: Type.Optional(wco('D013', '3.6', identifier(9))),
    versionId: wco('383', '3.6', Type.Integer({ minimum: 1, maximum: 999999 })),
    functionalReferenceId: Type.Optional(wco('D026', '3.6', identifier(35))),
    acceptanceDateTime: Type.Optional(wco('023', '3.6', InstantUtc)),
    officeId: Type.Optional(wco('065', '3.6+GACC', identifier(17))),
    exitOfficeId: Type.Optional(wco('G005', '3.6', identifier(17))),
    intendedEntryOfficeId: Type.Optional(wco('085', 'GACC', identifier(17))),
    procedureCode: Type.Optional(wco('166', '3.6+GACC', identifier(10))),
    temporary: Type.Optional(
      Type.Object(
        { validUntil: Type.Optional(LegalDate), netMass: Type.Optional(DecimalMass) },
        {
          ...closed,
          description: 'A temporary (periodic) declaration: mass and value are approximate, trains draw on it',
        },
      ),
    ),
    goodsItemQuantity: Type.Optional(wco('228', '3.6', Type.Integer({ minimum: 0, maximum: 99999 }))),
    totalPackageQuantity: Type.Optional(wco('146', '3.6+GACC', Type.Integer({ minimum: 0, maximum: 99999999 }))),
    totalGrossMass: Type.Optional(wco('131', '3.6', DecimalMass)),
    totalNetMass: Type.Optional(DecimalMass),
    invoiceAmount: Type.Optional(wco('109', '3.6', Amount)),
    ucr: Type.Optional(wco('016', '3.6', identifier(35))),
    previousDocuments: Type.Optional(Type.Array(wco('D018', '3.6', DocumentReference), { maxItems: 99 })),
  },
  closed,
)
export type Declaration = Static<typeof Declaration>

export const Consignment = Type.Object(
  {
    notes: Type.Optional(Type.Array(ConsignmentNoteReference, { maxItems: 999 })),
    departureStation: Type.Optional(wco('L010', '3.6+GACC', Station)),
    destinationStation: Type.Optional(wco('L013', 'GACC', Station)),
    borderStations: Type.Optional(Type.Array(wco('L087', 'GACC', Station), { maxItems: 20 })),
    routingCountries: Type.Optional(Type.Array(wco('064', '3.6', Country), { maxItems: 99 })),
    exportCountry: wco('062', '3.6', Country),
    destinationCountry: wco('465', '3.6', Country),
    borderModeCode: Type.Optional(
      wco('T022', '3.6', Type.String({ pattern: '^\\d$', description: 'UN/CEFACT Rec 19: 2 rail' })),
    ),
    containerised: Type.Optional(wco('096', '3.6', Type.Boolean())),
    deliveryTerms: Type.Optional(
      wco('090', '3.6', Type.Object({ code: identifier(3), place: Type.Optional(text(70)) }, closed)),
    ),
    trainNumber: Type.Optional(wco('149', 'GACC', identifier(17))),
    plannedBorderArrival: Type.Optional(wco('172', 'GACC', InstantUtc)),
  },
  closed,
)
export type Consignment = Static<typeof Consignment>

export const CustomsDecision = Type.Object(
  {
    statusCode: wco(
      '379',
      '3.6',
      Type.Union([
        Type.Literal('cleared'),
        Type.Literal('cleared-after-check'),
        Type.Literal('not-cleared'),
        Type.Literal('withdrawn'),
        Type.Literal('cancelled'),
      ]),
    ),
    releaseDateTime: Type.Optional(wco('277', '3.6', InstantUtc)),
    effectiveDateTime: Type.Optional(wco('380', '3.6', InstantUtc)),
    controlTypeCodes: Type.Optional(Type.Array(identifier(3), { maxItems: 20, description: 'UNCL 9417' })),
    controlResult: Type.Optional(identifier(3)),
    transitLimitDate: Type.Optional(wco('264', '3.6', LegalDate)),
  },
  closed,
)
export type CustomsDecision = Static<typeof CustomsDecision>

export const Warning = Type.Object(
  {
    code: Type.String({ pattern: '^[a-z0-9-]+/[a-z0-9-]+$', maxLength: 80 }),
    pointer: Type.String({ maxLength: 200, pattern: '^(/[^\\u0000-\\u001f]*)?$' }),
    facts: Type.Optional(
      Type.Record(
        Type.String({ maxLength: 40 }),
        Type.Union([Type.String({ maxLength: 200 }), Type.Number(), Type.Boolean()]),
      ),
    ),
  },
  closed,
)

const clearanceMembers = {
  declaration: Declaration,
  consignment: Consignment,
  parties: Type.Object(
    {
      consignor: Type.Optional(party('R020', 'R021')),
      consignee: Type.Optional(party('R014', 'R015')),
      exporter: Type.Optional(party('R031', 'R032')),
      importer: Type.Optional(party('R037', 'R038')),
      declarant: Type.Optional(party('R124', 'R123')),
      carriers: Type.Optional(Type.Array(party('R011', 'R012'), { maxItems: 20 })),
    },
    closed,
  ),
  equipment: Type.Array(Equipment, { maxItems: 9999 }),
  wagons: Type.Array(Wagon, { maxItems: 9999 }),
  items: Type.Array(GoodsItem, { minItems: 1, maxItems: 9999 }),
  documents: Type.Optional(Type.Array(DocumentReference, { maxItems: 999 })),
  guarantees: Type.Optional(Type.Array(wco('100', '3.6', identifier(35)), { maxItems: 99 })),
  customsDecision: CustomsDecision,
}

/** The body of EXP-CLR, TRN-CLR and AMD: what was cleared, as the declaration carries it, with its warnings. */
export const Clearance = Type.Object(
  { ...clearanceMembers, warnings: Type.Optional(Type.Array(Warning, { maxItems: 999 })) },
  { ...closed, $id: 'Clearance' },
)
export type Clearance = Static<typeof Clearance>

/** The body of CNL. */
export const Cancellation = Type.Object(
  {
    declaration: Type.Object(
      { id: Declaration.properties.id, kind: Declaration.properties.kind, versionId: Declaration.properties.versionId },
      closed,
    ),
    customsDecision: Type.Object(
      {
        statusCode: wco('379', '3.6', Type.Union([Type.Literal('withdrawn'), Type.Literal('cancelled')])),
        effectiveDateTime: wco('380', '3.6', InstantUtc),
      },
      closed,
    ),
  },
  { ...closed, $id: 'Cancellation' },
)
export type Cancellation = Static<typeof Cancellation>

/** What home says about the exclusions of article 2.3, 2.5 and 6.4. It is a decision of the sender and never travels. */
export const Exclusion = Type.Object(
  {
    personalUse: Type.Optional(Type.Union([Type.Literal('yes'), Type.Literal('no'), Type.Literal('unknown')])),
    postal: Type.Optional(Type.Boolean()),
    stateSecret: Type.Optional(Type.Boolean()),
    ownLaw: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type Exclusion = Static<typeof Exclusion>

/** A declaration as the home systems hand it over: a clearance without warnings, with what decides its eligibility. */
export const HomeDeclaration = Type.Object(
  {
    ...clearanceMembers,
    items: Type.Array(
      Type.Object(
        {
          ...GoodsItem.properties,
          /** Where lines differ in these, they are no part of the clearance but still decide what may be sent. */
          procedureCode: Type.Optional(wco('166', '3.6+GACC', identifier(10))),
          consignee: Type.Optional(party('R014', 'R015')),
          exclusion: Type.Optional(Exclusion),
        },
        closed,
      ),
      { minItems: 1, maxItems: 9999 },
    ),
    exclusion: Type.Optional(Exclusion),
  },
  { ...closed, $id: 'HomeDeclaration' },
)
export type HomeDeclaration = Static<typeof HomeDeclaration>

export const Gauge = Type.Union([Type.Literal('1435'), Type.Literal('1520')])

/** One leg of a train: one gauge, one train number or index, one transfer list, from station to station. */
export const Leg = Type.Object(
  {
    trainNumber: Type.Optional(wco('149', 'GACC', identifier(17))),
    trainIndex: Type.Optional(identifier(15)),
    transferListNumber: Type.Optional(identifier(17)),
    transferListDate: Type.Optional(LegalDate),
    gauge: Type.Optional(Gauge),
    from: Station,
    to: Station,
    plannedDepartureAt: Type.Optional(InstantUtc),
    departedAt: Type.Optional(InstantUtc),
    plannedArrivalAt: Type.Optional(wco('172', 'GACC', InstantUtc)),
    arrivedAt: Type.Optional(InstantUtc),
  },
  closed,
)
export type Leg = Static<typeof Leg>

const unitMembers = {
  notes: Type.Optional(Type.Array(ConsignmentNoteReference, { maxItems: 99 })),
  /** Declarations the goods on this unit were cleared under, where the list names them. */
  declarationIds: Type.Optional(Type.Array(wco('D014', '3.6+GACC', identifier(70)), { maxItems: 99 })),
}
export const ListedWagon = Type.Object({ ...Wagon.properties, ...unitMembers }, closed)
export type ListedWagon = Static<typeof ListedWagon>
export const ListedContainer = Type.Object({ ...Equipment.properties, ...unitMembers }, closed)
export type ListedContainer = Static<typeof ListedContainer>

/** What the railway listed for one leg: the carrier's data, and the denominator of everything. */
export const RailwayList = Type.Object(
  {
    leg: Leg,
    listVersion: Type.Optional(Type.Integer({ minimum: 1, maximum: 9999 })),
    wagons: Type.Array(ListedWagon, { maxItems: 200 }),
    containers: Type.Array(ListedContainer, { maxItems: 400 }),
  },
  { ...closed, $id: 'RailwayList' },
)
export type RailwayList = Static<typeof RailwayList>

/** A reloading at the gauge break: from legs and wagons to legs and wagons, three into two if need be. */
export const Reloading = Type.Object(
  {
    id: identifier(35),
    station: Station,
    fromLegs: Type.Array(Leg, { minItems: 1, maxItems: 10 }),
    toLegs: Type.Array(Leg, { minItems: 1, maxItems: 10 }),
    moves: Type.Array(
      Type.Object(
        {
          equipmentId: Type.Optional(identifier(17)),
          fromWagons: Type.Array(identifier(17), { maxItems: 10 }),
          toWagons: Type.Array(identifier(17), { maxItems: 10 }),
          massAfter: Type.Optional(DecimalMass),
        },
        closed,
      ),
      { maxItems: 999 },
    ),
    finishedAt: Type.Optional(InstantUtc),
  },
  { ...closed, $id: 'Reloading' },
)
export type Reloading = Static<typeof Reloading>

/** The body of DEP: what was handed over, on which leg. It lists means of transport, never goods. */
export const Departure = Type.Object(
  {
    leg: Type.Object({ ...Leg.properties, departedAt: wco('024', '3.6', InstantUtc) }, closed),
    wagons: Type.Array(ListedWagon, { maxItems: 200 }),
    containers: Type.Array(ListedContainer, { maxItems: 400 }),
    reloadings: Type.Optional(Type.Array(Reloading, { maxItems: 10 })),
    warnings: Type.Optional(Type.Array(Warning, { maxItems: 999 })),
  },
  { ...closed, $id: 'Departure' },
)
export type Departure = Static<typeof Departure>

/** The body of ARR: physical and technical facts of one leg's arrival, nothing from an import declaration. */
export const Arrival = Type.Object(
  {
    leg: Type.Object({ ...Leg.properties, arrivedAt: InstantUtc }, closed),
    units: Type.Array(
      Type.Object(
        {
          kind: Type.Union([Type.Literal('container'), Type.Literal('wagon')]),
          id: identifier(17),
          seen: Type.Union([Type.Literal('seen'), Type.Literal('not-seen'), Type.Literal('not-listed')]),
          seals: Type.Optional(Type.Array(Seal, { maxItems: 50 })),
          massAtReloading: Type.Optional(DecimalMass),
        },
        closed,
      ),
      { minItems: 1, maxItems: 600 },
    ),
  },
  { ...closed, $id: 'Arrival' },
)
export type Arrival = Static<typeof Arrival>

/** The body of DSC: one physical or technical difference about one unit. */
export const Discrepancy = Type.Object(
  {
    unit: Type.Object(
      { kind: Type.Union([Type.Literal('container'), Type.Literal('wagon')]), id: identifier(17) },
      closed,
    ),
    leg: Type.Optional(Leg),
    fact: Type.Union([
      Type.Literal('not-arrived'),
      Type.Literal('not-listed'),
      Type.Literal('listed-empty-found-loaded'),
      Type.Literal('listed-loaded-found-empty'),
      Type.Literal('seal-broken'),
      Type.Literal('seal-missing'),
      Type.Literal('seal-differs'),
      Type.Literal('mass-differs'),
      Type.Literal('data-defect'),
    ]),
    expected: Type.Optional(text(100)),
    found: Type.Optional(text(100)),
    pointer: Type.Optional(Type.String({ maxLength: 200 })),
    observedAt: InstantUtc,
  },
  { ...closed, $id: 'Discrepancy' },
)
export type Discrepancy = Static<typeof Discrepancy>

/** A railway consignment note as the carrier hands it over: who sends what to whom, in which units. Carrier's data. */
export const ConsignmentNote = Type.Object(
  {
    note: ConsignmentNoteReference,
    consignor: Type.Optional(Party),
    consignee: Type.Optional(Party),
    carriers: Type.Optional(Type.Array(Party, { maxItems: 20 })),
    departureStation: Type.Optional(Station),
    destinationStation: Type.Optional(Station),
    borderStations: Type.Optional(Type.Array(Station, { maxItems: 20 })),
    wagons: Type.Array(Wagon, { maxItems: 200 }),
    containers: Type.Array(Equipment, { maxItems: 400 }),
    goods: Type.Array(
      Type.Object(
        {
          description: Type.Optional(NamedText),
          commodityCode: Type.Optional(Type.String({ pattern: '^\\d{4,14}$' })),
          grossMass: Type.Optional(DecimalMass),
          packageQuantity: Type.Optional(Type.Integer({ minimum: 0 })),
          equipmentIds: Type.Optional(Type.Array(identifier(17), { maxItems: 999 })),
        },
        closed,
      ),
      { maxItems: 999 },
    ),
    declarationIds: Type.Optional(Type.Array(identifier(70), { maxItems: 99 })),
  },
  { ...closed, $id: 'ConsignmentNote' },
)
export type ConsignmentNote = Static<typeof ConsignmentNote>

/** One record of our own JSON intake format: the member `record` says which document `content` is. */
export type HomeRecord =
  | { readonly record: 'declaration'; readonly content: HomeDeclaration }
  | { readonly record: 'cancellation'; readonly content: Cancellation }
  | { readonly record: 'railway-list'; readonly content: RailwayList }
  | { readonly record: 'consignment-note'; readonly content: ConsignmentNote }
  | { readonly record: 'departure'; readonly content: Departure }
  | { readonly record: 'arrival'; readonly content: Arrival }
  | { readonly record: 'discrepancy'; readonly content: Discrepancy }
  | { readonly record: 'reloading'; readonly content: Reloading }
