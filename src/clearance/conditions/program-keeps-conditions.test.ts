import { beforeAll, describe, expect, test } from 'vitest'
import { clause } from '../../../tests/clause.ts'
import {
  answerTypes,
  answerUse,
  frameLimits,
  issuedAheadSecondsMax,
  requestWindowSeconds,
} from '../../exchange/index.ts'
import { type Clearance, type ClearanceNode, clearanceMessageTypes, clearanceUse, readReference } from '../index.ts'
import { type Conditions, type MessageType, readConditions } from './index.ts'

let conditions: Conditions
let registered: ReturnType<typeof clearanceMessageTypes>
beforeAll(async () => {
  conditions = await readConditions()
  const node: Partial<ClearanceNode> = { conditions, reference: await readReference() }
  registered = clearanceMessageTypes(node as ClearanceNode)
})

const termsOf = (type: string) => conditions.messages.get(type as MessageType)

describe('the program and the agreed conditions', () => {
  clause('STOP-2021/1.4-r3', 'keeps to the limits and windows of the regulation', () => {
    const { regulation } = conditions
    expect(frameLimits).toEqual({
      messagesMax: regulation.frameMessagesMax,
      plainBytesMax: regulation.framePlainBytesMax,
      wireBytesMax: regulation.frameWireBytesMax,
    })
    expect(requestWindowSeconds).toBe(regulation.requestWindowSeconds)
    expect(issuedAheadSecondsMax).toBe(regulation.issuedAheadSecondsMax)
  })

  test('registers every agreed message type, on a basis the conditions name, and answers as they say', () => {
    const all = [...registered, ...answerTypes]
    expect(all.map(({ type }) => type).sort()).toEqual([...conditions.messages.keys()].sort())
    for (const { type, version, legalBasis, answered } of all) {
      const terms = termsOf(type)
      expect([type, version, answered]).toEqual([type, terms?.version, terms?.answered])
      expect(terms?.legalBasis).toEqual(expect.arrayContaining([...legalBasis]))
    }
  })

  test('states the agreed use in what it sends, and knows the retention class', () => {
    const classes = conditions.requirements.retention.map((kept) => kept.class)
    for (const { type, use, schema } of conditions.messages.values()) {
      expect([type, use]).toEqual([type, schema === 'answer' ? answerUse : clearanceUse(use.personalData)])
      expect(classes).toContain(use.retention)
    }
  })

  clause(
    'STOP-2021/4-r2',
    'takes a record with an element that is off, without that element and with a warning',
    () => {
      const body: Clearance = {
        declaration: { id: '1', kind: 'EX', versionId: 1 },
        consignment: { exportCountry: 'CN', destinationCountry: 'KZ' },
        parties: {},
        equipment: [],
        wagons: [],
        items: [
          {
            sequence: 1,
            commodityCode: '847130',
            description: { text: '笔记本电脑', language: 'zh' },
            amount: { value: '900', currency: 'USD' },
          },
        ],
        customsDecision: { statusCode: 'cleared', releaseDateTime: '2026-11-10T08:40:00Z' },
      }
      const type = registered.find((known) => known.type === 'EXP-CLR')
      const decision = type?.decide(body, { partner: 'CN-GACC', mode: 'test', now: new Date('2026-11-22T06:00:00Z') })
      expect(decision).toMatchObject({
        kind: 'accepted',
        warnings: expect.arrayContaining([{ code: 'clearance/element-not-agreed', pointer: '/items/0/amount' }]),
      })
      expect(JSON.stringify(decision)).not.toContain('900')
    },
  )
})
