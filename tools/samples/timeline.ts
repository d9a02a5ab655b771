import type { LegExpectation, Node } from './sample-file.ts'

export interface Step {
  readonly step: number
  /** When it happened in the story the samples tell; the demo plays the steps without waiting. */
  readonly at: string
  readonly action: 'submit' | 'cut-link' | 'restore-link' | 'close-leg'
  readonly node?: Node
  readonly file?: string
  readonly leg?: LegExpectation['leg']
  /** Set where the node must answer otherwise than for fresh input. */
  readonly expect?: 'unchanged' | 'refused'
  readonly note: string
}

type Told = readonly [at: string, did: string, what: string, note: string, expect?: 'unchanged' | 'refused']

/** `cn` and `kz` hand over a file; `close` names the list of the leg that a side is done with. */
const STORY: readonly Told[] = [
  [
    '2026-10-22T09:45:00Z',
    'kz',
    't4/kz-temporary-declaration.json',
    'Temporary declaration for 5 000 t of grain is released',
  ],
  ['2026-10-30T01:00:00Z', 'cn', 't2/cn-declarations.ndjson', 'Chongqing releases the transit train T2'],
  ['2026-10-30T01:20:00Z', 'cn', 't2/cn-declarations-companions.json', 'and its two companion trains'],
  ['2026-11-02T02:20:00Z', 'cn', 't2/cn-list.json', "The railway's list of T2 at Alashankou"],
  ['2026-11-02T02:40:00Z', 'kz', 't2/kz-note-reconsigned.json', 'Consignment note of the re-consigned boxes'],
  ['2026-11-02T02:41:00Z', 'kz', 't2/kz-note-batteries.json', 'Consignment note of the battery box'],
  ['2026-11-02T03:12:00Z', 'cn', 't2/cn-departure.json', 'T2 is handed over'],
  ['2026-11-02T03:30:00Z', 'kz', 't2/kz-lists.json', "Lists of the three trains, as Kazakhstan's railway has them"],
  ['2026-11-02T04:20:00Z', 'cn', 't2/cn-list-t2b.json', 'List of the second train'],
  ['2026-11-02T04:25:00Z', 'kz', 't2/kz-arrival.json', 'T2 has arrived; one seal was replaced with an act'],
  [
    '2026-11-02T06:00:00Z',
    'cn',
    't2/cn-list-t2c.json',
    'List of the third train, with one box too early for its declaration',
  ],
  ['2026-11-02T06:30:00Z', 'cn', 't2/cn-departures-companions.json', 'Both companions are handed over'],
  ['2026-11-02T08:05:00Z', 'kz', 't2/kz-transit.json', "Kazakhstan's own transit declarations: of no concern to China"],
  ['2026-11-02T13:35:00Z', 'kz', 't2/kz-reloading.json', 'Three trains became two'],
  ['2026-11-02T13:50:00Z', 'kz', 't2/kz-lists-1520.json', 'Lists of the two trains of 1520'],
  ['2026-11-03T06:00:00Z', 'close KZ-KGD', '0004402', 'Dostyk is done with T2: every record of it was used'],
  ['2026-11-06T09:00:00Z', 'kz', 't6/kz-exit-of-russian-goods.json', 'Exit data of goods cleared in Russia'],
  ['2026-11-07T10:00:00Z', 'kz', 't6/kz-release-whisky.ncts.xml', 'Transit release of European goods, as XML'],
  ['2026-11-07T10:05:00Z', 'kz', 't6/kz-release-pharma.ncts.xml', 'and another'],
  ['2026-11-07T10:10:00Z', 'kz', 't6/kz-release-pumps.ncts.json', 'and one as JSON, with a box that went west on T2'],
  ['2026-11-09T07:20:00Z', 'kz', 't4/kz-list.json', 'List of the first grain train'],
  ['2026-11-09T07:50:00Z', 'cn', 't4/cn-list.json', 'The same leg as the Chinese railway lists it'],
  ['2026-11-09T08:10:00Z', 'kz', 't4/kz-departure.json', 'T4 is handed over and draws 1 674 t'],
  ['2026-11-09T08:50:00Z', 'cn', 't4/cn-arrival.json', 'T4 has arrived and waits for the laboratory'],
  [
    '2026-11-12T07:40:00Z',
    'kz',
    't6/kz-transit.json',
    'Transit of Swedish pulp: a bill to order, a box without an ISO number',
  ],
  ['2026-11-12T08:00:00Z', 'kz', 't6/kz-note-to-order.json', 'Consignment note of the pulp to order'],
  ['2026-11-13T10:20:00Z', 'kz', 't4/kz-withheld.json', 'A declaration of which nothing may be said'],
  ['2026-11-14T08:40:00Z', 'kz', 't4/kz-list-t4b.json', 'List of the second grain train'],
  ['2026-11-14T09:35:00Z', 'kz', 't4/kz-departure-t4b.json', 'It is handed over and draws 1 674 t'],
  ['2026-11-14T09:50:00Z', 'cn', 't4/cn-list-t4b.json', 'The same leg in China'],
  ['2026-11-14T10:10:00Z', 'cn', 't4/cn-arrival-t4b.json', 'It has arrived'],
  ['2026-11-15T09:10:00Z', 'kz', 't5/kz-declarations.json', 'Copper, cathodes and ferro-chromium are released'],
  ['2026-11-15T09:20:00Z', 'kz', 't5/kz-export-oil.wco.xml', 'Sunflower oil in tanks, as XML of the WCO Data Model'],
  ['2026-11-15T10:00:00Z', 'cn', 't3/cn-declarations.ndjson', 'Yiwu releases T3'],
  [
    '2026-11-15T11:00:00Z',
    'cn',
    't1/cn-declarations.ndjson',
    "Xi'an releases T1: general cargo and what must stay at home",
  ],
  ['2026-11-15T11:10:00Z', 'cn', 't1/cn-groupage.json', 'Groupage of car parts'],
  ['2026-11-16T03:25:00Z', 'cn', 't3/cn-cancellation.json', 'One declaration of T3 is withdrawn'],
  ['2026-11-16T06:00:00Z', 'kz', 't5/kz-wagon-list-inland.json', 'Wagon list from Aktogay to Dostyk'],
  ['2026-11-17T08:00:00Z', 'cn', 't1/cn-list-1.json', 'First list of T1: fifty boxes'],
  ['2026-11-17T09:45:00Z', 'cn', 't4/cn-reloading.json', 'The laboratory is done; T4 was reloaded'],
  ['2026-11-17T09:55:00Z', 'cn', 't4/cn-list-1435.json', 'List of its Chinese train'],
  ['2026-11-17T10:30:00Z', 'close CN-GACC', '71120', 'Khorgos is done with T4, eight days after it came'],
  ['2026-11-17T22:00:00Z', 'cut', '', 'The line between the nodes fails'],
  ['2026-11-17T23:00:00Z', 'cn', 't1/cn-market-procurement.csv', '130 declarations of market purchases'],
  ['2026-11-18T02:00:00Z', 'cn', 't1/cn-list-2.json', 'Second list of T1: one box missed the train'],
  ['2026-11-18T02:30:00Z', 'kz', 't1/kz-list.csv', "The same leg as Kazakhstan's railway lists it"],
  ['2026-11-18T02:45:00Z', 'cn', 't1/cn-departure.json', 'T1 is handed over while the line is down'],
  ['2026-11-18T03:20:00Z', 'kz', 't1/kz-arrival.json', 'T1 has arrived'],
  ['2026-11-18T07:30:00Z', 'kz', 't5/kz-list.json', 'List of T5'],
  ['2026-11-18T08:25:00Z', 'kz', 't5/kz-departure.json', 'T5 is handed over'],
  ['2026-11-18T08:30:00Z', 'restore', '', 'The line is back; what waited is sent'],
  ['2026-11-18T08:50:00Z', 'cn', 't5/cn-list.json', 'T5 as the Chinese railway lists it'],
  ['2026-11-18T09:10:00Z', 'cn', 't5/cn-arrival.json', 'T5 has arrived; one seal hangs loose'],
  ['2026-11-18T09:40:00Z', 'kz', 't1/kz-reloading.json', 'T1 stands on 1520'],
  ['2026-11-18T09:45:00Z', 'kz', 't1/kz-list-1520.json', 'List of its train to Almaty'],
  [
    '2026-11-18T10:00:00Z',
    'cn',
    't1/cn-amendment-after-departure.json',
    'Version 2 of a declaration, after the train has left',
  ],
  [
    '2026-11-18T10:30:00Z',
    'cn',
    't1/cn-declarations.ndjson',
    'The national system hands T1 over again by mistake',
    'unchanged',
  ],
  ['2026-11-18T11:20:00Z', 'kz', 't4/kz-list-t4c.csv', 'List of the third grain train'],
  ['2026-11-18T12:05:00Z', 'kz', 't4/kz-departure-t4c.json', 'It is handed over and draws the last 1 652 t'],
  [
    '2026-11-18T12:10:00Z',
    'kz',
    't4/kz-departure-t4c.json',
    'The departure comes twice and draws nothing more',
    'unchanged',
  ],
  ['2026-11-18T12:30:00Z', 'cn', 't4/cn-list-t4c.json', 'The same leg in China'],
  ['2026-11-18T14:15:00Z', 'cn', 't5/cn-discrepancies.json', 'A shortage with a commercial act, and the loose seal'],
  ['2026-11-18T14:40:00Z', 'cn', 't3/cn-list.json', 'List of T3, with the box that missed T1'],
  ['2026-11-18T15:00:00Z', 'kz', 't3/kz-list.json', 'The same leg in Kazakhstan'],
  ['2026-11-18T15:15:00Z', 'cn', 't3/cn-departure.json', 'T3 is handed over'],
  ['2026-11-18T15:50:00Z', 'kz', 't3/kz-arrival.json', 'T3 has arrived'],
  [
    '2026-11-18T16:25:00Z',
    'kz',
    't3/kz-discrepancy.json',
    'A container number differs from its declaration by two changed digits',
  ],
  ['2026-11-18T18:50:00Z', 'cn', 't5/cn-reloading.json', 'T5 was reloaded; one wagon became two'],
  ['2026-11-18T18:55:00Z', 'cn', 't5/cn-list-1435.json', 'List of its Chinese train'],
  ['2026-11-18T19:40:00Z', 'kz', 't3/kz-transit.json', "Kazakhstan's transit declarations for T3"],
  ['2026-11-18T20:30:00Z', 'kz', 't6/kz-list.json', 'List of T6: half of it empties'],
  ['2026-11-18T21:35:00Z', 'kz', 't6/kz-departure.json', 'T6 is handed over'],
  ['2026-11-18T21:50:00Z', 'cn', 't6/cn-list.json', 'T6 as the Chinese railway lists it'],
  ['2026-11-18T22:20:00Z', 'cn', 't6/cn-arrival.json', 'T6 has arrived'],
  ['2026-11-18T23:10:00Z', 'cn', 't6/cn-discrepancy.json', 'A box listed as empty is loaded'],
  ['2026-11-18T23:40:00Z', 'kz', 't3/kz-reloading.json', 'T3 stands on 1520'],
  ['2026-11-18T23:50:00Z', 'kz', 't3/kz-list-1520.json', 'List of its train to Saryagash'],
  ['2026-11-19T06:00:00Z', 'close KZ-KGD', '0001847', 'Altynkol is done with T1'],
  ['2026-11-19T07:00:00Z', 'close CN-GACC', '41833', 'Alashankou is done with T5'],
  ['2026-11-21T12:00:00Z', 'kz', 't3/kz-list-leaving.json', 'What left Kazakhstan for Uzbekistan: one box is missing'],
]

/** Everything in the order in which it happened, the spoilt files at the end. */
export function timelineOf(
  legs: readonly LegExpectation[],
  broken: readonly { readonly path: string; readonly node: Node }[],
): Step[] {
  const told = STORY.map(([at, did, what, note, expect]): Omit<Step, 'step'> => {
    const more = expect === undefined ? {} : { expect }
    if (did === 'cut') return { at, action: 'cut-link', note }
    if (did === 'restore') return { at, action: 'restore-link', note }
    if (did.startsWith('close ')) {
      const leg = legs.find(({ leg, node }) => leg.transferListNumber === what && node === did.slice(6))
      if (leg === undefined) throw new Error(`no leg with list ${what}`)
      return { at, action: 'close-leg', node: leg.node, leg: leg.leg, note }
    }
    return { at, action: 'submit', node: did === 'cn' ? 'CN-GACC' : 'KZ-KGD', file: `trains/${what}`, ...more, note }
  })
  const spoilt = broken.map(
    ({ path, node }): Omit<Step, 'step'> => ({
      at: '2026-11-21T13:00:00Z',
      action: 'submit',
      node,
      file: path,
      expect: 'refused',
      note: 'Spoilt input: what is wrong is refused with a code, what is right beside it is taken',
    }),
  )
  return [...told, ...spoilt].map((step, index) => ({ step: index + 1, ...step }))
}
