import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { clause } from '../../../tests/clause.ts'
import type { Clearance, Departure } from '../model.ts'
import { applyDataItems, type Conditions, type DataItems, prepareDataItems, readConditions } from './index.ts'

let conditions: Conditions
beforeAll(async () => {
  conditions = await readConditions()
})

const amount = { value: '47000', currency: 'USD' }
const clearance: Clearance = {
  declaration: { id: '900120260000017345', kind: 'EX', versionId: 1, invoiceAmount: amount, procedureCode: '0110' },
  consignment: { exportCountry: 'CN', destinationCountry: 'KZ' },
  parties: { consignor: { name: { text: '示例公司', language: 'zh' } } },
  equipment: [],
  wagons: [],
  items: [
    { sequence: 1, commodityCode: '841510', description: { text: '空调器', language: 'zh' }, amount },
    { sequence: 2, commodityCode: '841810', description: { text: '冰箱', language: 'zh' }, statisticalValue: amount },
  ],
  customsDecision: { statusCode: 'cleared' },
  warnings: [{ code: 'clearance/net-over-gross', pointer: '/items/0/netMass', facts: { net: '2', gross: '1' } }],
}

/** The shipped list with these paths of a clearance off. */
function withOff(...paths: string[]): DataItems {
  const items = conditions.dataItems.items.map((item) =>
    item.schema === 'clearance' ? { ...item, on: !paths.includes(item.path) } : item,
  )
  return prepareDataItems(items, [...conditions.messages.values()])
}

describe('elements that are off', () => {
  clause(
    ['STOP-2021/1.4-r2', 'STOP-2021/3.a', 'STOP-2021/4-r2'],
    'leaves value out of a clearance before it is signed, and says where',
    () => {
      const { body, leftOut } = applyDataItems('EXP-CLR', clearance, conditions.dataItems)
      expect(leftOut).toEqual([
        { code: 'clearance/element-not-agreed', pointer: '/declaration/invoiceAmount' },
        { code: 'clearance/element-not-agreed', pointer: '/items/0/amount' },
        { code: 'clearance/element-not-agreed', pointer: '/items/1/statisticalValue' },
      ])
      expect(JSON.stringify(body)).not.toContain('47000')
      expect(body.declaration).toEqual({ id: '900120260000017345', kind: 'EX', versionId: 1, procedureCode: '0110' })
      expect(body.items.map(({ sequence }) => sequence)).toEqual([1, 2])
    },
  )

  clause('STOP-2021/4-r2', 'says nothing of the values that were left out', () => {
    const { leftOut } = applyDataItems('AMD', clearance, withOff('/parties/consignor', '/declaration/invoiceAmount'))
    expect(JSON.stringify(leftOut)).not.toMatch(/示例|47000/)
    expect(leftOut.map(({ pointer }) => pointer)).toEqual(['/declaration/invoiceAmount', '/parties/consignor'])
  })

  test('leaves out a whole group with all that stands in it', () => {
    const { body } = applyDataItems('TRN-CLR', clearance, withOff('/warnings'))
    expect(body).toEqual({ ...clearance, warnings: undefined })
    expect('warnings' in body).toBe(false)
  })

  test('changes nothing when everything is on: the body itself comes back', () => {
    const { body, leftOut } = applyDataItems('EXP-CLR', clearance, withOff())
    expect(body).toBe(clearance)
    expect(leftOut).toEqual([])
  })

  test('does not touch the body given', () => {
    const before = JSON.stringify(clearance)
    applyDataItems('EXP-CLR', clearance, conditions.dataItems)
    expect(JSON.stringify(clearance)).toBe(before)
  })
})

describe('elements that are not listed', () => {
  clause('STOP-2021/1.4-r2', 'leaves out what the list does not know, at any depth', () => {
    const odd = {
      ...clearance,
      riskScore: 7,
      items: [{ ...clearance.items[0], importer: 'x' }],
      declaration: { id: '1', kind: 'EX', versionId: 1 },
    }
    const { body, leftOut } = applyDataItems('EXP-CLR', odd, withOff())
    expect(leftOut).toEqual([
      { code: 'clearance/element-not-listed', pointer: '/items/0/importer' },
      { code: 'clearance/element-not-listed', pointer: '/riskScore' },
    ])
    expect('riskScore' in body).toBe(false)
  })

  test('keeps the figures of a warning, whose names are free', () => {
    const { body } = applyDataItems('EXP-CLR', clearance, conditions.dataItems)
    expect(body.warnings).toEqual(clearance.warnings)
  })

  test('leaves out members that every object inherits', () => {
    const { leftOut } = applyDataItems('EXP-CLR', { ...clearance, constructor: 1, toString: 2 }, withOff())
    expect(leftOut.map(({ pointer }) => pointer)).toEqual(['/constructor', '/toString'])
  })
})

test('applies each list to its own message type', () => {
  const departure: Departure = {
    leg: { from: { esr: '708507' }, to: { unLocode: 'CNAKL' }, departedAt: '2026-11-12T18:20:00Z' },
    wagons: [],
    containers: [{ id: 'QXJU2045180', declarationIds: ['1'] }],
  }
  expect(applyDataItems('DEP', departure, withOff('/wagons/*/number')).leftOut).toEqual([])
  expect(() => applyDataItems('IM-CLR', departure, conditions.dataItems)).toThrow('IM-CLR')
})

test('never keeps an element that is off, whatever the body', () => {
  const off = conditions.dataItems.items
    .filter(({ schema, on }) => schema === 'clearance' && !on)
    .map(({ path }) => path.split('/').at(-1))
  fc.assert(
    fc.property(
      fc.object({ key: fc.constantFrom('declaration', 'items', 'amount', 'invoiceAmount', 'id', 'x') }),
      (body) => {
        const agreed = applyDataItems('EXP-CLR', { ...body, declaration: { ...body } }, conditions.dataItems).body
        const { declaration = {}, items = [] } = agreed as { declaration?: object; items?: unknown }
        expect(Object.keys(declaration).filter((name) => off.includes(name))).toEqual([])
        for (const item of Array.isArray(items) ? items : []) expect(Object.keys(item ?? {})).not.toContain('amount')
      },
    ),
  )
})
