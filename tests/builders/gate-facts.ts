import { fileURLToPath } from 'node:url'
import { digestOf, type GateFacts, type Law, readTreaties } from '../../src/law/index.ts'

/** The law as it stands in treaties/. */
export const law: Law = readTreaties(fileURLToPath(new URL('../../treaties', import.meta.url)))

export const bodyDigest = digestOf('body of version 1.0')
export const codeListDigest = digestOf('code lists of version 1.0')
export const dataItemsDigest = digestOf('data items of version 1.0')

/** Kazakhstan's side of a channel in production with China, complete since 1 March 2026. */
export function buildGateFacts(changes: Partial<GateFacts> = {}): GateFacts {
  const decidedOn = '2026-02-01'
  const head = { version: '1.0', post: 'Head', approvedOn: '2026-02-15' }
  return {
    home: 'KZ-KGD',
    partner: 'CN-GACC',
    agreement: 'STOP-2021',
    state: 'production',
    decisions: [
      { reference: 'WG-1', kind: 'established', decidedOn },
      { reference: 'WG-2', kind: 'content', decidedOn },
      { reference: 'WG-3', kind: 'technology', decidedOn },
      { reference: 'WG-4', kind: 'protection', decidedOn },
      { reference: 'WG-5', kind: 'conditions', decidedOn, version: '1.0', digest: bodyDigest },
      { reference: 'WG-6', kind: 'annex', decidedOn, version: '1.0', annex: 'code-lists', digest: codeListDigest },
    ],
    conditions: [
      {
        version: '1.0',
        bodyDigest,
        annexes: [
          { name: 'code-lists', digest: codeListDigest, approvedBy: 'working-group' },
          { name: 'data-items', digest: dataItemsDigest, approvedBy: 'heads' },
        ],
        validFrom: '2026-03-01',
      },
    ],
    approvals: [
      { ...head, side: 'KZ', person: 'Head of one side', digest: bodyDigest },
      { ...head, side: 'CN', person: 'Head of the other side', digest: bodyDigest },
      { ...head, side: 'KZ', person: 'Head of one side', annex: 'data-items', digest: dataItemsDigest },
      { ...head, side: 'CN', person: 'Head of the other side', annex: 'data-items', digest: dataItemsDigest },
    ],
    term: {},
    ...changes,
  }
}
